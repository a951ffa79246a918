# Softmax, log_softmax and their gradients.
