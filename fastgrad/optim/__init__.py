"""fastgrad.optim: optimizers; PyTorch's torch.optim.

SGD, Adam and AdamW step in one call of the engine per parameter group; those of per_parameter.py in tensor operations.
"""

from . import lr_scheduler
from .adam import Adam
from .adamw import AdamW
from .lbfgs import LBFGS
from .optimizer import Optimizer
from .per_parameter import ASGD, Adadelta, Adagrad, Adamax, RAdam, RMSprop, Rprop
from .sgd import SGD

__all__ = ["ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Optimizer", "RAdam", "RMSprop", "Rprop", "SGD", "lr_scheduler"]
