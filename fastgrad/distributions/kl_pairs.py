"""kl_divergence of the remaining pairs.

Most are -H(p) - E_p[log q], from p's entropy and the moments that log q needs; where p's support is not in q's the divergence is infinite.
"""

import math

import fastgrad as fg

from ._transform import sum_rightmost
from .bounded import ContinuousBernoulli
from .categorical import Categorical, OneHotCategorical
from .continuous import Cauchy, Exponential, Laplace, Normal, Uniform
from .discrete import Bernoulli, Binomial, Geometric, Poisson
from .family import EULER, log_beta
from .gammas import Beta, Dirichlet, Gamma
from .kl import kl_divergence, register_kl
from .multivariate import LowRankMultivariateNormal, MultivariateNormal, half_log_det
from .probs import cross_entropy
from .transformed import Gumbel, HalfNormal, Pareto, TransformedDistribution
from .wishart import Wishart

__all__ = []


def _infinite(p, q):
    return fg.full(p.batch_shape, math.inf, dtype=p.mean.dtype)                 # not broadcast with q's, as in PyTorch


BETWEEN_BOUNDS = (Beta, ContinuousBernoulli, Uniform)
for _p, _others in {Beta: (Pareto,), ContinuousBernoulli: (Pareto,), Exponential: (*BETWEEN_BOUNDS, Pareto), Gamma: (*BETWEEN_BOUNDS, Pareto),
                    Gumbel: (*BETWEEN_BOUNDS, Exponential, Gamma, Pareto), Laplace: (*BETWEEN_BOUNDS, Exponential, Gamma, Pareto),
                    Normal: (*BETWEEN_BOUNDS, Exponential, Gamma, Pareto), Pareto: BETWEEN_BOUNDS, Poisson: (Bernoulli, Binomial)}.items():
    for _q in _others:
        register_kl(_p, _q)(_infinite)


# ---- q exponential, normal, Laplace: p's mean and variance

def _moments(p):
    """p's mean and variance; Pareto's by their formulas even where there is none, so that gradients are no NaN there."""
    if not isinstance(p, Pareto):
        return p.mean, p.variance
    mean = p.alpha * p.scale / (p.alpha - 1)
    return mean, mean.pow(2) / (p.alpha * (p.alpha - 2))


def _positive_to_exponential(p, q):
    return -p.entropy() - q.rate.log() + q.rate * _moments(p)[0]


def _to_normal(p, q):
    mean, variance = _moments(p)
    return -p.entropy() + (variance + (mean - q.loc).pow(2)) / (2 * q.scale.pow(2)) + q.scale.log() + 0.5 * math.log(2 * math.pi)


for _p in (Beta, ContinuousBernoulli, Gamma):
    register_kl(_p, Exponential)(_positive_to_exponential)
for _p in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Uniform):
    register_kl(_p, Normal)(_to_normal)


@register_kl(Pareto, Exponential)
def _pareto_exponential(p, q):
    return _positive_to_exponential(p, q).masked_fill(p.alpha <= 1, math.inf)


@register_kl(Pareto, Normal)
def _pareto_normal(p, q):
    return _to_normal(p, q).masked_fill(p.alpha <= 2, math.inf)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p, q):
    return _positive_to_exponential(p, q).masked_fill(p.low < 0, math.inf)


@register_kl(Normal, Laplace)
def _normal_laplace(p, q):
    z = (p.loc - q.loc) / p.scale
    distance = p.scale * (math.sqrt(2 / math.pi) * fg.exp(-0.5 * z.pow(2)) + z * fg.erf(math.sqrt(0.5) * z))
    return -p.entropy() + fg.log(2 * q.scale) + distance / q.scale


# ---- q gamma: also the mean of log x

def _to_gamma(p, q, mean_log):
    a = q.concentration
    return -p.entropy() - a * q.rate.log() + fg.lgamma(a) - (a - 1) * mean_log + q.rate * _moments(p)[0]


@register_kl(Gamma, Gamma)
def _gamma_gamma(p, q):
    return _to_gamma(p, q, fg.digamma(p.concentration) - p.rate.log())


@register_kl(Beta, Gamma)
def _beta_gamma(p, q):
    return _to_gamma(p, q, fg.digamma(p.concentration1) - fg.digamma(p.concentration1 + p.concentration0))


@register_kl(Exponential, Gamma)
def _exponential_gamma(p, q):
    return _to_gamma(p, q, -p.rate.log() - EULER)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p, q):
    return _to_gamma(p, q, p.scale.log() + p.alpha.reciprocal()).masked_fill(p.alpha <= 1, math.inf)


def _mean_log_of_uniform(low, high):
    return (fg.xlogy(high, high) - fg.xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Gamma)
def _uniform_gamma(p, q):
    return _to_gamma(p, q, _mean_log_of_uniform(p.low.clamp(min=0), p.high)).masked_fill(p.low < 0, math.inf)


# ---- q beta, uniform, Pareto, Gumbel

@register_kl(Beta, Beta)
def _beta_beta(p, q):
    a, b = p.concentration1, p.concentration0
    total = fg.digamma(a + b)
    return (-p.entropy() + log_beta(q.concentration1, q.concentration0) - (q.concentration1 - 1) * (fg.digamma(a) - total)
            - (q.concentration0 - 1) * (fg.digamma(b) - total))


@register_kl(Uniform, Beta)
def _uniform_beta(p, q):
    low, high = p.low.clamp(0, 1), p.high.clamp(0, 1)
    result = (-p.entropy() + log_beta(q.concentration1, q.concentration0) - (q.concentration1 - 1) * _mean_log_of_uniform(low, high)
              - (q.concentration0 - 1) * _mean_log_of_uniform(1 - high, 1 - low))
    return result.masked_fill((p.high > 1) | (p.low < 0), math.inf)


@register_kl(Beta, Uniform)
def _beta_uniform(p, q):
    return (-p.entropy() + (q.high - q.low).log()).masked_fill((q.low > 0) | (q.high < 1), math.inf)


# ---- q continuous Bernoulli: p's mean

def _to_continuous_bernoulli(p, q):
    return -p.entropy() - q._log_norm + cross_entropy(q.logits, p.mean)


register_kl(Beta, ContinuousBernoulli)(_to_continuous_bernoulli)
register_kl(ContinuousBernoulli, ContinuousBernoulli)(_to_continuous_bernoulli)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p, q):
    return _to_continuous_bernoulli(p, q).masked_fill((p.high >= 1) | (p.low <= 0), math.inf)       # >=: as in PyTorch


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p, q):
    return (-p.entropy() + (q.high - q.low).log()).masked_fill((q.low >= 0) | (q.high <= 1), math.inf)      # likewise


@register_kl(Pareto, Pareto)
def _pareto_pareto(p, q):
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return result.masked_fill(p.scale < q.scale, math.inf)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p, q):
    low = p.low.clamp(min=0)
    result = -p.entropy() - q.alpha.log() - q.alpha * q.scale.log() + (q.alpha + 1) * _mean_log_of_uniform(low, p.high)
    return result.masked_fill(p.low < q.scale, math.inf)


def _to_gumbel(p, q, mean_exp):
    """mean_exp: of exp(-(x - loc) / scale)."""
    return -p.entropy() + q.scale.log() + (p.mean - q.loc) / q.scale + mean_exp


@register_kl(Gumbel, Gumbel)
def _gumbel_gumbel(p, q):
    return _to_gumbel(p, q, ((q.loc - p.loc) / q.scale + fg.lgamma(p.scale / q.scale + 1)).exp())


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p, q):
    return _to_gumbel(p, q, (q.loc / q.scale).exp() * p.rate / (p.rate + 1 / q.scale))


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p, q):
    return _to_gumbel(p, q, (q.loc / q.scale).exp() * (1 + 1 / (p.rate * q.scale)).pow(-p.concentration))


@register_kl(Normal, Gumbel)
def _normal_gumbel(p, q):
    return _to_gumbel(p, q, ((q.loc - p.loc) / q.scale + 0.5 * (p.scale / q.scale).pow(2)).exp())


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p, q):
    low, high = (q.loc - p.low) / q.scale, (q.loc - p.high) / q.scale
    return _to_gumbel(p, q, q.scale * (low.exp() - high.exp()) / (p.high - p.low))


# ---- pairs of one family

@register_kl(Cauchy, Cauchy)
def _cauchy_cauchy(p, q):
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@register_kl(HalfNormal, HalfNormal)
def _half_normals(p, q):
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Geometric, Geometric)
def _geometrics(p, q):
    return -p.entropy() - fg.log1p(-q.probs) / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poissons(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p, q):
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Binomial, Binomial)
def _binomials(p, q):
    result = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    return result.masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Categorical, Categorical)
@register_kl(OneHotCategorical, OneHotCategorical)
def _categories(p, q):
    terms = p.probs * (p.logits - q.logits)
    terms = fg.where((q.probs == 0).expand_as(terms), math.inf, terms)
    return fg.where((p.probs == 0).expand_as(terms), 0.0, terms).sum(-1)


@register_kl(Dirichlet, Dirichlet)
def _dirichlets(p, q):
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    return (fg.lgamma(total) - fg.lgamma(b.sum(-1)) + (fg.lgamma(b) - fg.lgamma(a)).sum(-1)
            + ((a - b) * (fg.digamma(a) - fg.digamma(total).unsqueeze(-1))).sum(-1))


def _multivariate(p, q):
    if p.event_shape != q.event_shape:
        raise ValueError("KL-divergence between two multivariate normals with different event shapes cannot be computed")
    a, b = p.scale_tril, q.scale_tril
    n = a.shape[-1]
    batch = tuple(fg.broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2])))
    a, b = a.expand(batch + (n, n)), b.expand(batch + (n, n))
    both = fg.cat([a, (p.loc - q.loc).expand(batch + (n,)).unsqueeze(-1)], -1)
    distance = fg.linalg.solve_triangular(b, both, upper=False).pow(2).sum((-2, -1))
    return half_log_det(b) - half_log_det(a) + 0.5 * (distance - n)


for _p in (MultivariateNormal, LowRankMultivariateNormal):
    for _q in (MultivariateNormal, LowRankMultivariateNormal):
        register_kl(_p, _q)(_multivariate)


@register_kl(Wishart, Wishart)
def _wisharts(p, q):
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: Wisharts must have one event shape, got {tuple(p.event_shape)} and {tuple(q.event_shape)}")
    a, b = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    batch = fg.broadcast_shapes(a.shape, b.shape)
    trace = fg.linalg.solve_triangular(b.expand(batch), a.expand(batch), upper=False).pow(2).sum((-2, -1))
    return ((p.df - q.df) / 2 * fg.digamma(p._halves).sum(-1) - q.df * (half_log_det(a) - half_log_det(b)) + p.df / 2 * (trace - p._p)
            + fg.mvlgamma(q.df / 2, p._p) - fg.mvlgamma(p.df / 2, p._p))


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    extra = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), max(extra, 0))
