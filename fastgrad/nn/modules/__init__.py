"""The modules of fastgrad.nn, one family a file."""

from . import utils  # noqa: F401
from .activation import *
from .activation import __all__ as _activation
from .attention import MultiheadAttention
from .container import *
from .container import __all__ as _container
from .conv import *
from .conv import __all__ as _conv
from .dropout import *
from .dropout import __all__ as _dropout
from .flatten import *
from .flatten import __all__ as _flatten
from .linear import *
from .linear import __all__ as _linear
from .loss import *
from .loss import __all__ as _loss
from .module import Module
from .more_activations import *
from .more_activations import __all__ as _more_activations
from .more_losses import *
from .more_losses import __all__ as _more_losses
from .normalization import *
from .normalization import __all__ as _normalization
from .padding import *
from .padding import __all__ as _padding
from .parameter_container import *
from .parameter_container import __all__ as _parameter_container
from .pooling import *
from .pooling import __all__ as _pooling
from .rnn import *
from .rnn import __all__ as _rnn
from .sparse import *
from .sparse import __all__ as _sparse
from .transformer import *
from .transformer import __all__ as _transformer
from .adaptive_softmax import *
from .adaptive_softmax import __all__ as _adaptive_softmax
from .lazy import *
from .lazy import __all__ as _lazy
from .more_pooling import *
from .more_pooling import __all__ as _more_pooling
from .resampling import *
from .resampling import __all__ as _resampling

__all__ = [
    "Module",
    "MultiheadAttention",
    *_activation,
    *_container,
    *_conv,
    *_dropout,
    *_flatten,
    *_linear,
    *_loss,
    *_more_activations,
    *_more_losses,
    *_normalization,
    *_padding,
    *_parameter_container,
    *_pooling,
    *_rnn,
    *_sparse,
    *_transformer,
    *_adaptive_softmax,
    *_lazy,
    *_more_pooling,
    *_resampling,
]
