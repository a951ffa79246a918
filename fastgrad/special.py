"""fastgrad.special: special functions under the names of torch.special."""

import fastgrad
from fastgrad import _ops

FROM_THE_TABLE = (
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t", "chebyshev_polynomial_u",
    "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expm1",
    "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e", "i1", "i1e", "laguerre_polynomial_l", "legendre_polynomial_p",
    "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "modified_bessel_k0", "modified_bessel_k1", "ndtr", "ndtri", "round",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy",
    "zeta")
RENAMED = {"expit": "sigmoid", "gammainc": "igamma", "gammaincc": "igammac", "gammaln": "lgamma", "psi": "digamma",
           "modified_bessel_i0": "i0", "modified_bessel_i1": "i1"}

globals().update({name: getattr(_ops, name) for name in FROM_THE_TABLE})
globals().update({name: getattr(_ops, own) for name, own in RENAMED.items()})
polygamma, multigammaln = fastgrad.polygamma, fastgrad.mvlgamma

__all__ = sorted([*FROM_THE_TABLE, *RENAMED, "multigammaln", "polygamma"])
