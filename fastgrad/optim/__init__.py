"""fastgrad.optim: optimizers; PyTorch's torch.optim.

SGD, Adam and AdamW step in one call of the engine per parameter group; those of per_parameter.py in tensor operations.
"""

from . import lr_scheduler
from .adam import Adam
from .adamw import AdamW
from .optimizer import Optimizer
from .per_parameter import Adadelta, Adagrad, Adamax, RAdam, RMSprop
from .sgd import SGD

__all__ = ["Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Optimizer", "RAdam", "RMSprop", "SGD", "lr_scheduler"]
