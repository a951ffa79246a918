# Softmax and log_softmax, forward beside backward.
