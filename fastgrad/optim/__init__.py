"""fastgrad.optim: optimizers; PyTorch's torch.optim.

SGD, Adam, AdamW and those of per_parameter.py step in one call of the engine per parameter group and one fused pass per parameter.
"""

from .._lazy import submodule as _submodule
from . import lr_scheduler
from .adafactor import Adafactor
from .adam import Adam
from .adamw import AdamW
from .lbfgs import LBFGS
from .muon import Muon
from .optimizer import Optimizer
from .per_parameter import ASGD, Adadelta, Adagrad, Adamax, NAdam, RAdam, RMSprop, Rprop
from .sgd import SGD
from .sparse_adam import SparseAdam

__all__ = ["ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "Optimizer", "RAdam", "RMSprop",
           "Rprop", "SGD", "SparseAdam", "lr_scheduler", "swa_utils"]


def __getattr__(name):
    return _submodule(__name__, name, ("swa_utils",))
