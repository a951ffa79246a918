"""fastgrad.distributions: PyTorch's torch.distributions, as far as it is here: distributions one samples from, scores and differentiates.

Each draws PyTorch's numbers for a seed. constraints.py says what arguments and values may be, kl.py how far two distributions are apart.
"""

from . import constraints, transforms
from .bernoulli import Bernoulli
from .categorical import Categorical
from .constraint_registry import biject_to, transform_to
from .continuous import Exponential, Laplace, Normal, Uniform
from .discrete import Geometric, MixtureSameFamily, Multinomial, OneHotCategorical, OneHotCategoricalStraightThrough
from .distribution import Distribution, ExponentialFamily
from .halves import Cauchy, GeneralizedPareto, HalfCauchy, HalfNormal
from .independent import Independent
from .kl import kl_divergence, register_kl
from .relaxed import RelaxedBernoulli, RelaxedOneHotCategorical
from .transformed import Gumbel, Kumaraswamy, LogisticNormal, LogNormal, Pareto, TransformedDistribution, Weibull
from .transforms import *  # noqa: F403

__all__ = ["Bernoulli", "Categorical", "Cauchy", "Distribution", "Exponential", "ExponentialFamily", "GeneralizedPareto", "Geometric", "Gumbel",
           "HalfCauchy", "HalfNormal", "Independent", "Kumaraswamy", "Laplace", "LogNormal", "LogisticNormal", "MixtureSameFamily",
           "Multinomial", "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "RelaxedBernoulli",
           "RelaxedOneHotCategorical", "TransformedDistribution", "Uniform", "Weibull", "biject_to", "constraints", "kl_divergence",
           "register_kl", "transform_to", *transforms.__all__]
