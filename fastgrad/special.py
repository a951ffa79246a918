"""fastgrad.special: special functions under the names of torch.special."""

from fastgrad._ops import erf, erfc, exp2, expm1, log1p, log_softmax, logit, logsumexp, round, sigmoid, sinc, softmax, xlogy

expit = sigmoid

__all__ = ["erf", "erfc", "exp2", "expit", "expm1", "log1p", "log_softmax", "logit", "logsumexp", "round", "sinc", "softmax", "xlogy"]
