"""Kernels of the optimizers' fused steps (no operation of their own: see ../optimizers.pxi)."""
from row import kernel

kernel("sgd_step", "T", "float", cut="first")
kernel("sgd_momentum_step", "T T", "float", cut="first")
kernel("adam_step", "T T T", "float", cut="first")
kernel("adam_amsgrad_step", "T T T T", "float", cut="first")
