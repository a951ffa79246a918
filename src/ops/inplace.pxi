# Copying into tensors, writes through views, and their gradients.
