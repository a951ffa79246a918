"""Pooling over windows: maxima with their places, and means."""
from row import composite, kernel, structured

kernel("max_pool_forward", "i64 T", "number", cut="first")
kernel("avg_pool_forward", "T", "float", cut="first")
kernel("avg_pool_backward", "T", "float", cut="first")

WINDOW = "kernel: any, stride: any, padding: any"
structured(f"_max_pool(input, {WINDOW}, dilation: any, size: any)", "The largest element of each window, and its place in the flattened plane.",
           function=False, method=False, outputs=("values", "indices"), grad="_linked(max_pool_grad(grad, indices, input.shape, kernel), input)",
           node="MaxPool2DWithIndices")
# how: (kernel, stride, padding, include_pad, divisor)
structured("_avg_pool(input, how: any, size: any)", "The mean of each window.", function=False, method=False,
           grad="_linked(_avg_pool_backward(grad, how, input.shape), input)", node="AvgPool2D")
structured("_avg_pool_backward(given, how: any, shape: any)", "The gradient of _avg_pool.", function=False, method=False,
           grad="_avg_pool(grad, how, given.shape[-len(how[0]):])", node="AvgPool2DBackward")

HOW = "kernel_size: any, stride: any = None, padding: any = 0"
LINES = ("the input's last dimension", "the flattened last two dimensions", "the flattened last three dimensions")
for n, line in enumerate(LINES, 1):
    composite(f"max_pool{n}d(input, {HOW}, dilation: any = 1, ceil_mode: any = False, return_indices: any = False)",
              f"Largest element of each window; with return_indices also its place in {line}.", function="functional", method=False,
              entry="max_pool_entry", out="NONE")
    composite(f"avg_pool{n}d(input, {HOW}, ceil_mode: any = False, count_include_pad: any = True"
              + (", divisor_override: any = None)" if n > 1 else ")"),
              "Mean of each window; count_include_pad: whether padding counts in the divisor"
              + ("; divisor_override: divide the sum by this instead." if n > 1 else "."), function="functional", method=False,
              entry="avg_pool_entry", out="CAST" if n > 1 else "NONE")
