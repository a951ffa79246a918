"""fastgrad.utils.data: datasets, samplers and the DataLoader, under the names of PyTorch's torch.utils.data.

`dataset.py` and `sampler.py` say what there is and in which order, `_utils/collate.py` makes batches of samples, `dataloader.py`
puts them together in this process and `_utils/multiprocess.py` in worker processes.  `_utils/gather.py` is the short cut for
tensors in memory.
"""

from . import _utils
from ._utils.collate import default_collate, default_convert
from ._utils.worker import get_worker_info
from .dataloader import DataLoader, _DatasetKind
from .dataset import ChainDataset, ConcatDataset, Dataset, IterableDataset, StackDataset, Subset, TensorDataset, random_split
from .distributed import DistributedSampler
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler

__all__ = [
    "BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "Dataset", "DistributedSampler", "IterableDataset", "RandomSampler",
    "Sampler", "SequentialSampler", "StackDataset", "Subset", "SubsetRandomSampler", "TensorDataset", "WeightedRandomSampler",
    "_DatasetKind", "default_collate", "default_convert", "get_worker_info", "random_split"]
