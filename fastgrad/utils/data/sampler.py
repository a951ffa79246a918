"""Samplers: the order in which a DataLoader goes through a dataset.

Invariant: a sampler draws random numbers when its iterator reaches them and not before, in PyTorch's order, so that programs that
share a generator see PyTorch's numbers.  `_chunks` gives the same indices as `__iter__`, many at a time and as tensors, as lazily.
"""

from itertools import islice
from typing import Generic, TypeVar

import fastgrad as fg

__all__ = ["BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler"]

Index = TypeVar("Index", covariant=True)
DRAWN_AT_ONCE = 32  # with replacement


class Sampler(Generic[Index]):
    """Indices of a dataset, or lists of them, in some order: a subclass has `__iter__`, and `__len__` where it is known."""

    def __init__(self, data_source=None):
        if data_source is not None:
            import warnings

            warnings.warn("`data_source` argument is not used and will be removed in 2.2.0.You may still have custom implementation that "
                          "utilizes it.", stacklevel=2)

    def __iter__(self):
        raise NotImplementedError


def check_positive(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


def check_boolean(name, value):
    if not isinstance(value, bool):
        raise ValueError(f"{name} should be a boolean value, but got {name}={value}")


class SequentialSampler(Sampler):
    """The indices in order.

    Args:
        data_source: anything with a length.
    """

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def _chunks(self):
        yield fg.arange(len(self.data_source))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler):
    """The indices in random order, or drawn with replacement.

    Args:
        data_source: anything with a length.
        replacement: draw each index from all of them.
        num_samples: how many to draw; default: len(data_source).
        generator: what draws; default: one that the default generator seeds anew for each pass.
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source, self.replacement, self._num_samples, self.generator = data_source, replacement, num_samples, generator
        check_boolean("replacement", replacement)
        check_positive("num_samples", self.num_samples)

    @property
    def num_samples(self):
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def _chunks(self):
        n, generator = len(self.data_source), self.generator
        if generator is None:
            generator = fg.Generator()
            generator.manual_seed(int(fg.empty((), dtype=fg.int64).random_().item()))
        if self.replacement:
            for _ in range(self.num_samples // DRAWN_AT_ONCE):
                yield fg.randint(0, n, size=(DRAWN_AT_ONCE,), dtype=fg.int64, generator=generator)
            rest = self.num_samples % DRAWN_AT_ONCE
            yield fg.randint(0, n, size=(rest,), dtype=fg.int64, generator=generator)
            return
        for _ in range(self.num_samples // n):
            yield fg.randperm(n, generator=generator)
        yield fg.randperm(n, generator=generator)[: self.num_samples % n]

    def __iter__(self):
        for chunk in self._chunks():
            yield from chunk.tolist()

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """Given indices in random order.

    Args:
        indices: sequence of indices.
        generator: what draws the order; default: the default generator.
    """

    def __init__(self, indices, generator=None):
        self.indices, self.generator = indices, generator

    def __iter__(self):
        for i in fg.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Indices drawn in proportion to weights.

    Args:
        weights: a non-negative number for each index.
        num_samples: how many to draw.
        replacement: whether an index can be drawn again.
        generator: what draws; default: the default generator.
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        check_positive("num_samples", num_samples)
        check_boolean("replacement", replacement)
        weights = fg.as_tensor(weights, dtype=fg.float64)
        if weights.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(weights.shape)}")
        self.weights, self.num_samples, self.replacement, self.generator = weights, num_samples, replacement, generator

    def _chunks(self):
        yield fg.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)

    def __iter__(self):
        for chunk in self._chunks():
            yield from chunk.tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of batch_size indices from another sampler.

    Args:
        sampler: any iterable of indices.
        batch_size: how many a list holds.
        drop_last: leave out a last list that is not full.
    Example:
        >>> list(fastgrad.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler, batch_size, drop_last):
        check_positive("batch_size", batch_size)
        check_boolean("drop_last", drop_last)
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        least = self.batch_size if self.drop_last else 1
        while len(batch := list(islice(indices, self.batch_size))) >= least:
            yield batch

    def __len__(self):
        return len(self.sampler) // self.batch_size if self.drop_last else -(-len(self.sampler) // self.batch_size)
