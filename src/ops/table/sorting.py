"""Order: sort, topk, searching."""
