"""Padding, and the linear maps along dimensions that the other padding modes and interpolation are made of."""
from row import composite, kernel, structured

kernel("resample_take", "T i64", "width", cut="first")
kernel("resample_forward", "T i64 T", "float", cut="first")
kernel("resample_backward", "T i64 T", "float", cut="first")

HIDDEN = dict(function=False, method=False)

composite("pad(input, pad: any, mode: any = 'constant', value: any = None)",
          "Elements added around (or, negative, taken away from) the last dimensions.", function="functional", method=False,
          entry="pad_entry", out="NONE")
structured("constant_pad_nd(input, pad: any, value: any = 0)", "A constant around the last dimensions.", rule="constant_pad_rule",
           grad="constant_pad_nd(grad, negated(pad), ZERO)", method=False, node="ConstantPadNd", out="NONE")

# taps: for each of the last dimensions, which elements an element of the result is the weighted sum of
structured("_resample(input, taps: any)", "Weighted sums along the last dimensions.", rule="resample_rule",
           grad="_resample_back(grad, taps)", **HIDDEN)
structured("_resample_back(input, taps: any)", "The transposed map.", rule="resample_back_rule", grad="_resample(grad, taps)", **HIDDEN)
