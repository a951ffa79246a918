# Loss kernels, forward beside backward.
