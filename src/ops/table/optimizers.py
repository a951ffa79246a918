"""Kernels of the optimizers' fused steps (no operation of their own: see ../optimizers.pxi)."""
from row import kernel

kernel("sgd_step", "T", "float", cut="first")
kernel("sgd_momentum_step", "T T", "float", cut="first")
kernel("adam_step", "T T T", "float", cut="first")
kernel("adam_amsgrad_step", "T T T T", "float", cut="first")
kernel("rmsprop_step", "T T", "float", cut="first")
kernel("rmsprop_momentum_step", "T T T", "float", cut="first")
kernel("rmsprop_centered_step", "T T T", "float", cut="first")
kernel("rmsprop_centered_momentum_step", "T T T T", "float", cut="first")
kernel("adagrad_step", "T T", "float", cut="first")
kernel("adadelta_step", "T T T", "float", cut="first")
kernel("adamax_step", "T T T", "float", cut="first")
kernel("radam_step", "T T T", "float", cut="first")
kernel("nadam_step", "T T T", "float", cut="first")
kernel("rprop_step", "T T T", "float", cut="first")
kernel("asgd_step", "T T", "float", cut="first")
