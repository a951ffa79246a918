"""DataLoader: batches of a dataset, in this process or from worker processes.

What is drawn from the default generator, and when, is PyTorch's: a base seed when an iterator is made, a sampler's own when it is asked
for its first index.
"""

import multiprocessing
import os
import warnings
from itertools import repeat
from typing import Generic, TypeVar

import fastgrad as fg

from ._utils import gather
from ._utils.collate import default_collate, default_convert
from ._utils.fetch import IterableFetcher, MapFetcher
from ._utils.worker import get_worker_info
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

Batch = TypeVar("Batch", covariant=True)
FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}


class _DatasetKind:
    Map, Iterable = 0, 1

    @staticmethod
    def create_fetcher(kind, dataset, auto_collation, collate_fn, drop_last):
        return (MapFetcher if kind == _DatasetKind.Map else IterableFetcher)(dataset, auto_collation, collate_fn, drop_last)


class _InfiniteConstantSampler(Sampler):
    """None without end: how a stream is asked for samples."""

    def __iter__(self):
        return repeat(None)


class DataLoader(Generic[Batch]):
    """An iterable over the batches of a dataset.

    Args:
        dataset: by index, or an IterableDataset.
        batch_size: samples a batch; None gives the samples themselves.
        shuffle: a new random order in every pass.
        sampler: iterable of indices, instead of shuffle.
        batch_sampler: iterable of lists of indices, instead of batch_size, shuffle, sampler and drop_last.
        num_workers: how many processes load; 0: this one does.
        collate_fn: from a list of samples to a batch; default: default_collate.
        pin_memory: has no effect on a CPU.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a batch from the workers; 0: for ever.
        worker_init_fn: called in each worker with its number.
        multiprocessing_context: how workers start: "fork", "spawn", "forkserver", or such a context.
        generator: draws the order, and the seeds of the workers; default: the default generator.
        prefetch_factor: batches that each worker loads ahead; default 2.
        persistent_workers: keep the workers from one pass to the next.
        in_order: give batches in the sampler's order; False: as they get ready.
    Raises:
        ValueError: arguments that exclude one another.
        RuntimeError: (in passing) a worker died, or nothing came within the timeout; what a dataset raises in a worker is raised here.
    Example:
        >>> data = fastgrad.utils.data.TensorDataset(fastgrad.arange(5))
        >>> [batch.tolist() for batch, in fastgrad.utils.data.DataLoader(data, batch_size=2)]
        [[0, 1], [2, 3], [4]]
    """

    _initialized = False
    _multiprocessing_context = None

    def __init__(self, dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, num_workers=0, collate_fn=None,
                 pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None, multiprocessing_context=None, generator=None, *,
                 prefetch_factor=None, persistent_workers=False, pin_memory_device="", in_order=True):
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError("prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
                             "multiprocessing, otherwise set prefetch_factor to None.")
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self.dataset, self.num_workers, self.timeout, self.worker_init_fn = dataset, num_workers, timeout, worker_init_fn
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory, self.pin_memory_device, self.in_order = pin_memory, pin_memory_device, in_order
        self.multiprocessing_context = multiprocessing_context

        iterable = isinstance(dataset, IterableDataset)
        self._dataset_kind = _DatasetKind.Iterable if iterable else _DatasetKind.Map
        if iterable:
            if shuffle not in (False, None):
                raise ValueError(f"DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle={shuffle}")
            for name, given in (("sampler", sampler), ("batch_sampler", batch_sampler)):
                if given is not None:
                    raise ValueError(f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={given}")
        shuffle = bool(shuffle)
        if shuffle and sampler is not None:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if shuffle or drop_last or sampler is not None or batch_size != 1:
                raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            sampler = _InfiniteConstantSampler() if iterable else \
                RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.drop_last, self.sampler, self.batch_sampler = batch_size, drop_last, sampler, batch_sampler
        self.generator, self.persistent_workers = generator, persistent_workers
        self.collate_fn = collate_fn if collate_fn is not None else default_collate if self._auto_collation else default_convert
        self._initialized = True
        self._IterableDataset_len_called = None
        self._iterator = None
        self.check_worker_number_rationality()

    def __setattr__(self, name, value):
        if self._initialized and name in FIXED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self):
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context):
        if context is not None:
            if self.num_workers == 0:
                raise ValueError("multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                                 f"num_workers={self.num_workers}")
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(f"multiprocessing_context option should specify a valid start method in {methods!r}, but got "
                                     f"multiprocessing_context={context!r}")
                context = multiprocessing.get_context(context)
            if not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError("multiprocessing_context option should be a valid context object or a string specifying the start method, "
                                f"but got multiprocessing_context={context}")
        self._multiprocessing_context = context

    @property
    def _auto_collation(self):
        return self.batch_sampler is not None

    @property
    def _index_sampler(self):
        return self.batch_sampler if self._auto_collation else self.sampler

    def _get_iterator(self):
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        from ._utils.multiprocess import MultiProcessingIter

        return MultiProcessingIter(self)

    def __iter__(self):
        if self._iterator is not None:                      # of persistent workers
            self._iterator._reset(self)
            return self._iterator
        iterator = self._get_iterator()
        if self.persistent_workers:
            self._iterator = iterator
        return iterator

    def __len__(self):
        if self._dataset_kind == _DatasetKind.Map:
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def check_worker_number_rationality(self):
        """Warn about more workers than there are processors for this process."""
        if not self.num_workers:
            return
        affinity = hasattr(os, "sched_getaffinity")
        most = len(os.sched_getaffinity(0)) if affinity else os.cpu_count()
        if most is not None and self.num_workers <= most:
            return
        if most is None:
            text = "DataLoader is not able to compute a suggested max number of worker in current system."
        else:
            text = (f"Our suggested max number of worker in current system is {most}"
                    f"{'' if affinity else ' (`cpuset` is not taken into account)'}, which is smaller than what this DataLoader is going "
                    "to create.")
        warnings.warn(f"This DataLoader will create {self.num_workers} worker processes in total. {text} Please be aware that excessive "
                      "worker creation might get DataLoader running slow or even freeze, lower the worker number to avoid potential "
                      "slowness/freeze if necessary.", stacklevel=3)


class _BaseDataLoaderIter:
    """One pass over a DataLoader; a subclass says where the next data come from."""

    def __init__(self, loader):
        self._dataset, self._dataset_kind, self._num_workers = loader.dataset, loader._dataset_kind, loader.num_workers
        self._auto_collation, self._drop_last, self._collate_fn = loader._auto_collation, loader.drop_last, loader.collate_fn
        self._index_sampler, self._timeout, self._persistent_workers = loader._index_sampler, loader.timeout, loader.persistent_workers
        if loader.pin_memory:
            if loader.pin_memory_device:
                warnings.warn("pin_memory_device is deprecated, the current accelerator will be used as the device,ignore "
                              f"pin_memory_device='{loader.pin_memory_device}'.", stacklevel=4)
            warnings.warn("'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be used.",
                          stacklevel=4)
        self._start(loader)
        self._base_seed = fg.empty((), dtype=fg.int64).random_(generator=loader.generator).item()

    def _start(self, loader):
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def __iter__(self):
        return self

    def __next__(self):
        data = self._next_data()
        if self._dataset_kind == _DatasetKind.Iterable:
            self._count()
        return data

    def _count(self):
        """Warn where a stream gives more than it said."""
        self._num_yielded += 1
        expected = self._IterableDataset_len_called
        if expected is not None and self._num_yielded > expected:
            text = (f"Length of IterableDataset {self._dataset} was reported to be {expected}(when accessing len(dataloader)), but "
                    f"{self._num_yielded} samples have been fetched. ")
            if self._num_workers > 0:
                text += ("For multiprocessing data-loading, this could be caused by not properly configuring the IterableDataset replica "
                         "at each worker. Please see https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for "
                         "examples.")
            warnings.warn(text, stacklevel=3)

    def _next_data(self):
        raise NotImplementedError

    def __len__(self):
        return len(self._index_sampler)

    def __getstate__(self):
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """A pass in this process."""

    def __init__(self, loader):
        super().__init__(loader)
        if loader.timeout:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        rows = gather.batches(loader) if self._dataset_kind == _DatasetKind.Map and self._auto_collation else None
        if rows is not None:
            self._next_data = rows.__next__
        else:
            self._fetcher = _DatasetKind.create_fetcher(self._dataset_kind, self._dataset, self._auto_collation, self._collate_fn,
                                                        self._drop_last)

    def _next_data(self):
        return self._fetcher.fetch(next(self._sampler_iter))


def __getattr__(name):
    if name == "_MultiProcessingDataLoaderIter":
        from ._utils.multiprocess import MultiProcessingIter

        return MultiProcessingIter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
