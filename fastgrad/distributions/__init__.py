"""fastgrad.distributions: PyTorch's torch.distributions, as far as it is here: distributions one samples from, scores and differentiates.

Each draws PyTorch's numbers for a seed. constraints.py says what arguments and values may be, kl.py how far two distributions are apart.
"""

from . import constraints
from .bernoulli import Bernoulli
from .categorical import Categorical
from .continuous import Exponential, Laplace, Normal, Uniform
from .distribution import Distribution
from .independent import Independent
from .kl import kl_divergence, register_kl

__all__ = ["Bernoulli", "Categorical", "Distribution", "Exponential", "Independent", "Laplace", "Normal", "Uniform", "constraints",
           "kl_divergence", "register_kl"]
