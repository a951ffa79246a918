"""fastgrad: a small, fast reverse-mode autograd engine for the CPU, with PyTorch's API.

The names of `torch` are here: tensors, dtypes, operations, grad modes.  Subpackages (`nn`, `optim`, `autograd`, `utils`, ...) load at
the first use, so that importing fastgrad costs little, starts no thread and loads no NumPy.
"""

import math as _math
import os as _os

from . import _engine

_engine.load_kernels(_os.environ.get("FASTGRAD_CPU"))

from . import _ops  # noqa: E402  (it runs kernels already)
from ._engine import (  # noqa: E402
    Size, Tensor, dtype, enable_grad, get_default_dtype, inference_mode, is_anomaly_check_nan_enabled, is_anomaly_enabled,
    is_grad_enabled, is_inference_mode_enabled, no_grad, set_default_dtype, set_grad_enabled)
from ._lazy import submodule as _submodule  # noqa: E402
from ._limits import finfo, iinfo  # noqa: E402
from ._places import (  # noqa: E402
    channels_last, channels_last_3d, contiguous_format, device, layout, memory_format, preserve_format, sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr,
    strided)
from ._settings import *  # noqa: E402, F403
from ._ops import (  # noqa: E402
    BFloat16Tensor, BoolTensor, ByteTensor, CharTensor, DoubleTensor, FloatTensor, Generator, HalfTensor, IntTensor, LongTensor,
    ShortTensor, TypedStorage, UntypedStorage, default_generator)
from .version import release as __version__  # noqa: E402

# dtypes, by both of their names
_DTYPES = {d.name: d for d in _engine.dtypes()}
float16 = half = _DTYPES["float16"]
bfloat16 = _DTYPES["bfloat16"]
float32 = float = _DTYPES["float32"]
float64 = double = _DTYPES["float64"]
complex64 = cfloat = _DTYPES["complex64"]
complex128 = cdouble = _DTYPES["complex128"]
uint8 = _DTYPES["uint8"]
int8 = _DTYPES["int8"]
int16 = short = _DTYPES["int16"]
int32 = int = _DTYPES["int32"]
int64 = long = _DTYPES["int64"]
bool = _DTYPES["bool"]

pi, e, inf, nan, newaxis = _math.pi, _math.e, _math.inf, _math.nan, None

# the table's functions that PyTorch has at this level, and what _ops makes or sets; its other names serve nn, optim and Tensor
_NOT_HERE = (
    "names", "alias", "absolute_", "sgn_", "sign_", "logical_not_", "bitwise_not_",
    "erfinv_", "lgamma_", "digamma_", "optimizer_step", "step_groups", "sgd_step", "adam_step", "rule_step", "step_rule", "with_grads", "zero_grad", "zero_grads", "use_hooked_steps",
    "use_hooked_calls", "use_plain_attributes")
_TABLE = {*_ops.names()}
globals().update({name: value for name, value in vars(_ops).items()
                  if callable(value) and not isinstance(value, type) and not name.startswith("_") and name not in _NOT_HERE
                  and (name in _TABLE if isinstance(value, _engine.Operation) else not name.startswith("tensor_"))})

from . import _methods  # noqa: E402, F401  (gives Tensor the methods that are not operations)
from . import composites as _composites  # noqa: E402, F401
from ._composite import FUNCTIONS as _FUNCTIONS  # noqa: E402

globals().update(_FUNCTIONS)
# in-place forms of other operations that PyTorch has as functions too
globals().update({name + "_": getattr(Tensor, name + "_") for name in (
    "addmv", "as_strided", "clamp", "clamp_max", "clamp_min", "clip", "conj_physical", "detach", "fill", "gcd", "index_put", "lcm", "ldexp",
    "resize_as", "xlogy", "zero")})

# modules of the package that are loaded when somebody asks for them
_LAZY = ("_C", "_dynamo", "accelerator", "amp", "autograd", "backends", "compiler", "cpu", "cuda", "demo", "distributed", "distributions",
         "fft", "func", "functional", "futures", "hub", "jit", "linalg", "masked", "memory", "mps", "multiprocessing", "nn", "optim", "overrides",
         "profiler", "random", "serialization", "signal", "special", "testing", "torch_version", "types", "utils", "version", "vision", "xpu")
# names that live in such a module
_FROM = {"load": "serialization", "save": "serialization", "vmap": "func", "set_printoptions": "printing", "torch_compat": "redirect",
         "compile": "compiler", "autocast": "amp", "get_autocast_dtype": "amp", "is_autocast_enabled": "amp", "set_autocast_dtype": "amp",
         "set_autocast_enabled": "amp"}
_FROM |= dict.fromkeys((
    "adaptive_max_pool1d", "affine_grid_generator", "alpha_dropout_", "cosine_embedding_loss", "ctc_loss", "dropout_",
    "feature_alpha_dropout_", "feature_dropout_", "frobenius_norm", "gru", "gru_cell", "hinge_embedding_loss", "kl_div", "lstm", "lstm_cell",
    "margin_ranking_loss", "native_dropout", "nuclear_norm", "poisson_nll_loss",
    "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell", "triplet_margin_loss"), "_functions")
_FROM |= dict.fromkeys(("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"), "_windows")
_FROM |= dict.fromkeys(("adaptive_avg_pool1d", "avg_pool1d", "celu_", "conv_tbc", "cosine_similarity", "max_pool1d", "max_pool1d_with_indices", "native_channel_shuffle", "max_pool2d", "max_pool3d",
                        "pairwise_distance", "rrelu_", "selu_", "threshold_"), "nn.functional")


def __getattr__(name):
    """Load a subpackage, or the module that a name lives in, at the first use."""
    if name in _FROM:
        value = globals()[name] = getattr(_submodule(__name__, _FROM[name], (_FROM[name],)), name)
        return value
    if name in ("uint16", "uint32", "uint64"):
        raise AttributeError(f"fastgrad has no {name}: its unsigned integers have 8 bits. int32 and int64 hold the values of wider ones.", name=name)
    return _submodule(__name__, name, _LAZY)


def __dir__():
    return sorted({*globals(), *_FROM, "autograd", "backends", "cuda", "nn", "optim", "utils", "version"})


def set_default_device(device):
    """Set where new tensors go: only the CPU can be chosen."""
    if device is not None:
        _places.check_cpu(device)


def get_default_device():
    """Where new tensors go."""
    return _places.CPU
