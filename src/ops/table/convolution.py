"""Convolutions of one to three dimensions: three maps, each linear in both operands, and each the gradient of the others."""
from row import composite, kernel, structured

kernel("convolution_forward", "T T T", "float", cut="channels")
kernel("convolution_transposed_forward", "T T T", "float", cut="first")
kernel("convolution_weight_forward", "T T T", "float", cut="first")
kernel("convolution_lanes_forward", "T T T", "float", cut="outer")
kernel("convolution_transposed_lanes_forward", "T T T", "float", cut="outer")
kernel("convolution_weight_lanes_forward", "T T", "float", cut="first")

# how: (stride, padding, dilation, groups)
HIDDEN = dict(function=False, method=False, node="Convolution")

structured("_convolution(input, weight, bias = None, how: any = None, size: any = None)",
           "Convolution of a batch; size: of the result's spatial dimensions.", **HIDDEN,
           grad={"input": "_convolution_transposed(grad, weight, None, how, input.shape)",
                 "weight": "_convolution_weight(input, grad, how, weight.shape)", "bias": "channel_sums(grad)"})
structured("_convolution_transposed(input, weight, bias = None, how: any = None, shape: any = None)",
           "The transpose of _convolution with respect to its input; shape: the result's.", **HIDDEN,
           grad={"input": "_convolution(grad, weight, None, how, input.shape[2:])",
                 "weight": "_convolution_weight(grad, input, how, weight.shape)", "bias": "channel_sums(grad)"})
structured("_convolution_weight(input, given, how: any = None, shape: any = None)",
           "The gradient of _convolution with respect to its weight, whose shape it has.", **HIDDEN,
           grad={"input": "_convolution_transposed(given, grad, None, how, input.shape)",
                 "given": "_convolution(input, grad, None, how, given.shape[2:])"})

SIZES = ("input (N, C, L) or (C, L), weight (O, C / groups, K)",
         "input (N, C, H, W) or (C, H, W), weight (O, C / groups, KH, KW)",
         "input (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, KD, KH, KW)")
for n, shapes in enumerate(SIZES, 1):
    composite(f"conv{n}d(input, weight, bias: any = None, stride: any = 1, padding: any = 0, dilation: any = 1, groups: any = 1)",
              f"Convolution: {shapes}, bias (O) or None; padding: ints, 'same' or 'valid'.", entry="convolution_entry", method=False, out="NONE")
for n in (1, 2, 3):
    composite(f"conv_transpose{n}d(input, weight, bias: any = None, stride: any = 1, padding: any = 0, output_padding: any = 0, "
              "groups: any = 1, dilation: any = 1)",
              f"Transposed convolution, the gradient of conv{n}d with respect to its input; weight (C, O / groups, ...), bias (O) or None.",
              entry="transposed_convolution_entry", method=False, out="NONE")
