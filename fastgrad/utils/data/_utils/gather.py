"""The short cut for tensors in memory: a batch of a TensorDataset is one gather per tensor, without a Python loop over samples.

`batches` gives exactly what collating the samples one by one gives; the random numbers are drawn in the same order and as lazily.
It is taken where nothing can tell the difference: no method of the dataset or of the samplers is overridden, and collation is the default.
"""

import fastgrad as fg

from ..dataset import Subset, TensorDataset
from ..sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, WeightedRandomSampler
from . import collate

WITH_CHUNKS = (SequentialSampler, RandomSampler, WeightedRandomSampler)


def plain(dataset, kind, *methods):
    """Whether a dataset is a `kind` that overrides none of the methods."""
    cls = type(dataset)
    return isinstance(dataset, kind) and all(getattr(cls, m, None) is getattr(kind, m, None) for m in methods) and not (
        {*methods} & dataset.__dict__.keys())


def batches(loader):
    """An iterator over the loader's batches; None if the short cut does not apply."""
    dataset, subsets = loader.dataset, []
    while plain(dataset, Subset, "__getitem__", "__getitems__", "__len__"):
        subsets.append(dataset)
        dataset = dataset.dataset
    sampler = loader.batch_sampler
    if not (plain(dataset, TensorDataset, "__getitem__", "__getitems__", "__len__")
            and loader.collate_fn is collate.default_collate
            and collate.default_collate_fn_map.get(fg.Tensor) is collate.collate_tensor_fn
            and all(type(t) in (fg.Tensor, fg.nn.Parameter) and t.ndim for t in dataset.tensors)
            and fg.Tensor not in collate.default_collate_fn_map.keys() - {fg.Tensor}
            and type(sampler) is BatchSampler and type(sampler.sampler) in WITH_CHUNKS and dataset.tensors):
        return None
    if type(sampler.sampler) is not WeightedRandomSampler and sampler.sampler.data_source is not loader.dataset:
        return None  # its indices may not be the dataset's
    maps = [index_tensor(subset.indices, len(subset.dataset)) for subset in subsets]
    if any(m is None for m in maps):
        return None
    return gathered(dataset.tensors, chosen(sampler.sampler._chunks(), maps), sampler.batch_size, sampler.drop_last)


def index_tensor(indices, n):
    """A sequence of indices into n samples as a tensor without negative ones; None if it holds anything else."""
    if isinstance(indices, range):
        indices = list(indices)
    if isinstance(indices, (list, tuple)):
        if not all(type(i) is int for i in indices):
            return None
        indices = fg.tensor(indices, dtype=fg.int64)
    elif not (type(indices) is fg.Tensor and indices.dtype is fg.int64 and indices.ndim == 1):
        return None
    if indices.numel() and not -n <= int(indices.min()) <= int(indices.max()) < n:
        return None  # the slow path raises the dataset's own error, when it gets there
    return fg.where(indices < 0, indices + n, indices)


def chosen(chunks, maps):
    """Tensors of indices into subsets, as indices into what they are subsets of."""
    for chunk in chunks:
        for m in maps:
            chunk = m[chunk]
        yield chunk


def gathered(tensors, chunks, batch_size, drop_last):
    """Batches of rows at the indices that the chunks hold, cut into batch_size; a chunk is asked for when a batch needs it."""
    parts, count = [], 0  # the beginning of a batch
    for chunk in chunks:
        parts.append(chunk)
        count += chunk.numel()
        if count < batch_size:
            continue
        pieces = (chunk if len(parts) == 1 else fg.cat(parts)).split(batch_size)
        parts, count = [], count % batch_size
        if count:
            *pieces, rest = pieces
            parts.append(rest)
        for indices in pieces:
            yield [t.index_select(0, indices) for t in tensors]
    if count and not drop_last:
        yield [t.index_select(0, fg.cat(parts)) for t in tensors]
