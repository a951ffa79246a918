"""Softmax and what normalises over a dimension."""
from row import composite, kernel, structured

kernel("softmax_forward", "T", "float", cut="first")
kernel("log_softmax_forward", "T", "float", cut="first")
kernel("softmax_backward", "T T", "float", cut="first")
kernel("log_softmax_backward", "T T", "float", cut="first")

structured("softmax(input, dim: dim, dtype: dtype = None)", "exp(input) / sum(exp(input)) along a dimension.",
           grad="softmax_grad(grad, result, dim)")
structured("log_softmax(input, dim: dim, dtype: dtype = None)", "log of softmax along a dimension.",
           grad="log_softmax_grad(grad, result, dim)")
composite("softmin(input, dim: dim, dtype: dtype = None)", "softmax of -input along a dimension.", function="functional", method=False)
structured("_softmax_backward(grad_output, output, dim: dim)", "output (grad - sum(grad output)).", function=False, method=False,
           grad={"grad_output": "softmax_grad(grad, output, dim)",
                 "output": "softmax_grad_output(grad, grad_output, output, dim)"}, node="SoftmaxBackwardData")
structured("_log_softmax_backward(grad_output, output, dim: dim)", "grad - exp(output) sum(grad).", function=False, method=False,
           grad={"grad_output": "grad - sum(grad * exp(output), dim, True)",
                 "output": "-(grad * exp(output)) * sum(grad_output, dim, True)"}, node="LogSoftmaxBackwardData")
