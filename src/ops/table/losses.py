"""Loss functions.

A pointwise loss is three rows: the function, its elements without a reduction, and its gradient for one element, which is an
operation of its own so that it can be differentiated again.  `given` is the gradient that comes in; `scale` or `count` holds what
a mean divides by.
"""
from row import elementwise, kernel, structured

kernel("mse_forward", "T T", "float", cut="first")
kernel("cross_entropy_forward", "T T i64 T", "float")
kernel("cross_entropy_backward", "T T T i64 T", "float")
kernel("soft_cross_entropy_forward", "T T T T", "float")
kernel("soft_cross_entropy_backward", "T T T T T", "float")

HIDDEN = dict(function=False, method=False, inplace=False)
ERROR = "(input - target)"

# ---- differences

structured("mse_loss(input, target, size_average: any = None, reduce: any = None, reduction: any = 'mean', weight: any = None)",
           "(input - target) ** 2, and its mean or sum.", entry="mse_loss_entry", backward="pointwise_loss_backward", function="functional", method=False,
           samples="pointwise_loss", out="NONE")
elementwise("_mse(input, target)", f"{ERROR} * {ERROR}", "(input - target) ** 2.", rule="SAME", domain=(-3, 3), **HIDDEN)
elementwise("_mse_backward(given, input, target, scale: float)", f"scale * {ERROR} * given", "Gradient of mse_loss.", rule="SAME",
            domain=(-3, 3), grad={"given": f"grad * (scale * {ERROR})", "input": "grad * (scale * given)",
                                  "target": "-grad * (scale * given)"}, **HIDDEN)

structured("l1_loss(input, target, size_average: any = None, reduce: any = None, reduction: any = 'mean', weight: any = None)",
           "|input - target|, and its mean or sum.", entry="l1_loss_entry", backward="pointwise_loss_backward", function="functional", method=False,
           samples="pointwise_loss", out="NONE")
elementwise("_l1(input, target)", f"abs{ERROR}", "|input - target|.", rule="SAME", domain=(-3, 3), **HIDDEN)
elementwise("_l1_backward(given, input, target, count: float)", f"given / count * sign{ERROR}", "Gradient of l1_loss.", rule="SAME",
            domain=(-3, 3), grad={"given": f"grad / count * sign{ERROR}", "input": "no_gradient(grad)", "target": "no_gradient(grad)"}, **HIDDEN)

structured("smooth_l1_loss(input, target, size_average: any = None, reduce: any = None, reduction: any = 'mean', beta: float = 1.0)",
           "0.5 (input - target) ** 2 / beta where |input - target| < beta, else |input - target| - 0.5 beta.", function="functional", method=False,
           entry="smooth_l1_loss_entry", backward="pointwise_loss_backward", samples="pointwise_loss", out="NONE")
elementwise("_smooth_l1(input, target, beta: float)",
            f"0.5 * abs{ERROR} * abs{ERROR} / beta if abs{ERROR} < beta else abs{ERROR} - 0.5 * beta",
            "0.5 (input - target) ** 2 / beta, or |input - target| - 0.5 beta.", rule="SAME", domain=(-3, 3), **HIDDEN)
elementwise("_smooth_l1_backward(given, input, target, scale: float, beta: float)",
            f"-scale * given if {ERROR} <= -beta else scale * given if {ERROR} >= beta else scale * {ERROR} * given / beta",
            "Gradient of smooth_l1_loss.", rule="SAME", domain=(-3, 3), grad={
                "given": f"-scale * grad if {ERROR} <= -beta else scale * grad if {ERROR} >= beta else scale * {ERROR} * grad / beta",
                "input": f"grad * (scale * given) / beta if abs{ERROR} < beta else 0",
                "target": f"-grad * (scale * given) / beta if abs{ERROR} < beta else 0"}, **HIDDEN)

structured("huber_loss(input, target, reduction: any = 'mean', delta: float = 1.0, weight: any = None)",
           "0.5 (input - target) ** 2 where |input - target| <= delta, else delta (|input - target| - 0.5 delta).", function="functional", method=False,
           entry="huber_loss_entry", backward="pointwise_loss_backward", samples="pointwise_loss", out="NONE")
elementwise("_huber(input, target, delta: float)",
            f"0.5 * abs{ERROR} * abs{ERROR} if abs{ERROR} <= delta else delta * (abs{ERROR} - 0.5 * delta)",
            "0.5 (input - target) ** 2, or delta (|input - target| - 0.5 delta).", rule="SAME", domain=(-3, 3), **HIDDEN)
elementwise("_huber_backward(given, input, target, scale: float, delta: float)",
            f"-scale * given * delta if {ERROR} <= -delta else scale * given * delta if {ERROR} >= delta else scale * {ERROR} * given",
            "Gradient of huber_loss.", rule="SAME", domain=(-3, 3), grad={
                "given": f"-scale * grad * delta if {ERROR} <= -delta else scale * grad * delta if {ERROR} >= delta "
                         f"else scale * {ERROR} * grad",
                "input": f"grad * (scale * given) if abs{ERROR} < delta else 0",
                "target": f"-grad * (scale * given) if abs{ERROR} < delta else 0"}, **HIDDEN)

# ---- probabilities of two classes

PROBABILITY = ((0.1, 0.9), (0.1, 0.9), (0.1, 0.9))
VARIANCE = "maximum((1 - input) * input, 9.999999960041972e-13)"     # 1e-12 in float32, as in PyTorch for both dtypes
structured("binary_cross_entropy(input, target, weight: any = None, size_average: any = None, reduce: any = None, "
           "reduction: any = 'mean')", "-(target log(input) + (1 - target) log(1 - input)); the logarithms are at least -100.",
           entry="binary_cross_entropy_entry", backward="pointwise_loss_backward", function="functional", method=False, samples="binary_loss",
           out="NONE")
elementwise("_bce(input, target)", "(target - 1) * maximum(log1p(-input), -100) - target * maximum(log(input), -100)",
            "Binary cross entropy of one element.", rule="SAME", domain=PROBABILITY[:2], **HIDDEN)
elementwise("_bce_backward(given, input, target, count: float)", f"given * (input - target) / {VARIANCE} / count",
            "Gradient of binary_cross_entropy.", rule="SAME", domain=PROBABILITY, grad={
                "given": f"grad * (input - target) / {VARIANCE} / count",
                "input": f"grad * given / count * (1 - (input - target) * (1 - 2 * input) / {VARIANCE}) / {VARIANCE}",
                "target": f"-grad * given / {VARIANCE} / count"}, **HIDDEN)
elementwise("_bce_target_backward(given, input, target, count: float)", "given * (log1p(-input) - log(input)) / count",
            "Gradient of binary_cross_entropy with respect to the target.", rule="SAME", domain=PROBABILITY, grad={
                "given": "grad * (log1p(-input) - log(input)) / count", "input": "-grad * given / (input * (1 - input)) / count",
                "target": "no_gradient(grad)"}, **HIDDEN)

structured("binary_cross_entropy_with_logits(input, target, weight: any = None, size_average: any = None, reduce: any = None, "
           "reduction: any = 'mean', pos_weight: any = None)", "binary_cross_entropy of sigmoid(input), without loss of accuracy.",
           entry="bce_with_logits_entry", backward="pointwise_loss_backward", method=False, samples="binary_loss",
           node="BinaryCrossEntropyWithLogits", out="NONE")
elementwise("_bce_logits(input, target)", "(1 - target) * input - (minimum(input, 0) - log1p(exp(-abs(input))))",
            "Binary cross entropy of the sigmoid of one element.", rule="SAME", domain=(-3, 3), **HIDDEN)
elementwise("_bce_logits_backward(given, input, target, count: float)", "(sigmoid(input) - target) * given / count",
            "Gradient of binary_cross_entropy_with_logits.", rule="SAME", domain=(-3, 3), grad={
                "given": "(sigmoid(input) - target) * grad / count",
                "input": "grad * given / count * (sigmoid(input) * (1 - sigmoid(input)))",
                "target": "-grad * given / count"}, **HIDDEN)
elementwise("_bce_logits_target_backward(given, input, target, count: float)", "-input * given / count",
            "Gradient of binary_cross_entropy_with_logits with respect to the target.", rule="SAME", domain=(-3, 3), grad={
                "given": "-input * grad / count", "input": "-given * grad / count", "target": "no_gradient(grad)"}, **HIDDEN)

# ---- classes

structured("nll_loss(input, target, weight: any = None, size_average: any = None, ignore_index: int = -100, reduce: any = None, "
           "reduction: any = 'mean')", "-weight[target] * input[target]; a mean is weighted.", entry="nll_loss_entry",
           backward="cross_entropy_loss_backward", function="functional", method=False, samples="class_loss", out="NONE")
structured("cross_entropy(input, target, weight: any = None, size_average: any = None, ignore_index: int = -100, "
           "reduce: any = None, reduction: any = 'mean', label_smoothing: float = 0.0)",
           "-weight[target] * log_softmax(input)[target]; a mean is weighted.  target: classes, or their probabilities.",
           entry="cross_entropy_entry", backward="cross_entropy_loss_backward", function="functional", method=False,
           node="NllLoss",
           samples="class_loss", out="NONE")
