"""fastgrad.distributions: PyTorch's torch.distributions, as far as it is here: distributions one samples from, scores and differentiates.

Each draws PyTorch's numbers for a seed. constraints.py says what arguments and values may be, kl.py how far two distributions are apart.
"""

from . import constraints, kl_pairs, transforms  # noqa: F401  (kl_pairs registers)
from .bernoulli import Bernoulli
from .bounded import ContinuousBernoulli, LKJCholesky, VonMises
from .categorical import Categorical
from .constraint_registry import biject_to, transform_to
from .continuous import Exponential, Laplace, Normal, Uniform
from .counts import Binomial, NegativeBinomial, Poisson
from .discrete import Geometric, MixtureSameFamily, Multinomial, OneHotCategorical, OneHotCategoricalStraightThrough
from .distribution import Distribution, ExponentialFamily
from .gammas import Beta, Chi2, Dirichlet, FisherSnedecor, Gamma, InverseGamma, StudentT
from .halves import Cauchy, GeneralizedPareto, HalfCauchy, HalfNormal
from .independent import Independent
from .kl import kl_divergence, register_kl
from .multivariate import LowRankMultivariateNormal, MultivariateNormal
from .relaxed import RelaxedBernoulli, RelaxedOneHotCategorical
from .transformed import Gumbel, Kumaraswamy, LogisticNormal, LogNormal, Pareto, TransformedDistribution, Weibull
from .transforms import *  # noqa: F403

__all__ = ["Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy", "Chi2", "ContinuousBernoulli", "Dirichlet",
            "Distribution", "Exponential", "ExponentialFamily",
           "FisherSnedecor", "Gamma", "GeneralizedPareto", "Geometric", "Gumbel", "HalfCauchy", "HalfNormal", "Independent", "InverseGamma",
           "Kumaraswamy", "LKJCholesky", "Laplace", "LogNormal", "LogisticNormal", "LowRankMultivariateNormal", "MixtureSameFamily", "Multinomial",
           "MultivariateNormal", "NegativeBinomial", "Normal",
           "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "Poisson", "RelaxedBernoulli", "RelaxedOneHotCategorical",
           "StudentT", "TransformedDistribution", "Uniform", "VonMises", "Weibull", "biject_to", "constraints", "kl_divergence", "register_kl",
           "transform_to", *transforms.__all__]
