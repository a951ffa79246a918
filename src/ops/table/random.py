"""Random numbers."""
from row import composite, kernel

from .creation import factory

kernel("normal_sixteens", "", "float")

composite("uniform_(input, low: float = 0.0, high: float = 1.0, *, generator: any = None)", "Fill with numbers uniform in [low, high).",
          function=False, samples="none")
composite("normal_(input, mean: float = 0.0, std: float = 1.0, *, generator: any = None)", "Fill with normal numbers.",
          function=False, samples="none")
composite("bernoulli_(input, p: any = 0.5, *, generator: any = None)", "Fill with ones of probability p, and zeros.",
          function=False, samples="none")
composite("random_(input, low: int = None, high: int = None, *, generator: any = None)", "Fill with integers from [low, high).",
          function=False, samples="none")
composite("exponential_(input, lambd: float = 1.0, *, generator: any = None)", "Fill with numbers of density lambd exp(-lambd x).",
          function=False, samples="none")
composite("cauchy_(input, median: float = 0.0, sigma: float = 1.0, *, generator: any = None)", "Fill with numbers of the Cauchy distribution.",
          function=False, samples="none")
composite("log_normal_(input, mean: float = 1.0, std: float = 2.0, *, generator: any = None)", "Fill with the exponentials of normal numbers.",
          function=False, samples="none")
composite("geometric_(input, p: float, *, generator: any = None)", "Fill with the number of trials until the first success.",
          function=False, samples="none")
factory("rand(size: shape, *, generator: any = None)", "Numbers uniform in [0, 1).", samples="none")
factory("randn(size: shape, *, generator: any = None)", "Standard normal numbers.", samples="none")
factory("randint(low: any = None, high: any = None, size: any = None, *, generator: any = None)",
        "Integers drawn uniformly from [low, high); `randint(high, size)` starts at 0.", samples="none")
factory("randperm(n: any, *, generator: any = None)", "The integers 0 to n-1 in random order.", samples="none")
factory("rand_like(input, *, generator: any = None, memory_format: any = None)", "Numbers uniform in [0, 1), in a tensor's shape.",
        samples="none", out="NONE")
factory("randn_like(input, *, generator: any = None, memory_format: any = None)", "Standard normal numbers in a tensor's shape.", samples="none",
        out="NONE")
factory("randint_like(input, low: any = None, high: any = None, *, generator: any = None, memory_format: any = None)",
        "As randint, in the shape and dtype of a tensor.", samples="none", out="NONE")
composite("bernoulli(input, p: any = None, *, generator: any = None)", "Ones with the probabilities in `input`, and zeros.", samples="none", out="ANY")
composite("normal(mean: any = 0.0, std: any = 1.0, size: any = None, *, generator: any = None, dtype: dtype = None, layout: any = None, "
          "device: any = None, pin_memory: bool = False, requires_grad: bool = False)", "Normal numbers of given means and deviations.", method=False, samples="none")
composite("multinomial(input, num_samples: int, replacement: bool = False, *, generator: any = None)",
          "Indices drawn in proportion to the rows of `input`.", samples="none", out="EXACT")
composite("dropout(input, p: float = 0.5, training: bool = True, inplace: bool = False)",
          "Zero elements at random and scale the rest, in training.", method=False, samples="none", out="NONE")
composite("poisson(input, generator: any = None)", "Counts of events with the rates in `input`.", method=False, samples="none", out="NONE")
composite("binomial(count, prob, generator: any = None)", "Successes in `count` trials of probability `prob`.", method=False, samples="none",
          out="NONE")
composite("_gamma_draws(input, generator: any = None)", "Standard gamma numbers, without a gradient.", method=False, samples="none")
composite("_standard_gamma_grad(input, output)", "How a gamma draw moves with its concentration.", method=False, samples="none")
composite("_dirichlet_grad(x, alpha, total)", "How an element of a Dirichlet draw moves with its concentration.", method=False, samples="none")
