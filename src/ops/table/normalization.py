"""Softmax and what normalises over a dimension."""
from row import composite, kernel, structured

kernel("softmax_forward", "T", "float", cut="first")
kernel("log_softmax_forward", "T", "float", cut="first")
kernel("softmax_backward", "T T", "float", cut="first")
kernel("log_softmax_backward", "T T", "float", cut="first")

kernel("norm_forward", "T T T T", "float", cut="first")
kernel("norm_backward", "T T T T T", "float", cut="first")
kernel("norm_weight_backward", "T T T T", "float", cut="first")

for name in ("batch", "group", "layer", "rms"):
    structured(f"_{name}_norm(input, weight: any, bias: any, stats: any, groups: any, eps: any)",
               "(x - mean) / sqrt(var + eps) weight + bias, and (mean, 1 / sqrt(var + eps), var) of what was normalized; with stats, by them.",
               entry="norm_entry", backward="norm_node_backward", function="functional", method=False, node=f"Native{name.capitalize()}Norm")
structured("softmax(input, dim: dim, dtype: dtype = None)", "exp(input) / sum(exp(input)) along a dimension.",
           grad="softmax_grad(grad, result, dim)", out="EXACT")
structured("log_softmax(input, dim: dim, dtype: dtype = None)", "log of softmax along a dimension.",
           grad="log_softmax_grad(grad, result, dim)", out="EXACT")
composite("softmin(input, dim: dim, dtype: dtype = None)", "softmax of -input along a dimension.", function="functional", method=False,
          out="NONE")
structured("_softmax_backward(grad_output, output, dim: dim)", "output (grad - sum(grad output)).", function=False, method=False,
           grad={"grad_output": "softmax_grad(grad, output, dim)",
                 "output": "softmax_grad_output(grad, grad_output, output, dim)"}, node="SoftmaxBackwardData")
structured("_log_softmax_backward(grad_output, output, dim: dim)", "grad - exp(output) sum(grad).", function=False, method=False,
           grad={"grad_output": "grad - sum(grad * exp(output), dim, True)",
                 "output": "-(grad * exp(output)) * sum(grad_output, dim, True)"}, node="LogSoftmaxBackwardData")
