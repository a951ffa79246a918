# Order: sort, topk and their gradients.
