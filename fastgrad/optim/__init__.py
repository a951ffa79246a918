"""fastgrad.optim: optimizers; PyTorch's torch.optim. One file each; a step is one call of the engine per parameter group."""

from . import lr_scheduler
from .adam import Adam
from .adamw import AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["Adam", "AdamW", "Optimizer", "SGD", "lr_scheduler"]
