"""Settings of the process, and small questions about objects, under PyTorch's names."""

from fastgrad._engine import Tensor, dtype, get_num_threads, set_num_threads

__all__ = [
    "are_deterministic_algorithms_enabled", "get_deterministic_debug_mode", "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "is_complex", "is_deterministic_algorithms_warn_only_enabled", "is_same_size", "is_signed", "is_warn_always_enabled", "set_deterministic_debug_mode",
    "set_float32_matmul_precision", "set_flush_denormal", "set_num_interop_threads", "set_num_threads", "set_warn_always", "typename",
    "use_deterministic_algorithms",
]

DEBUG_MODES = ("default", "warn", "error")
PRECISIONS = ("highest", "high", "medium")
state = {"deterministic": False, "warn_only": False, "precision": "highest", "interop": None, "warn_always": False}


def tensor_argument(name, value):
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(value).__name__}")
    return value


def is_complex(input):
    """Whether the tensor's dtype is complex."""
    return tensor_argument("is_complex", input).dtype.is_complex


def is_signed(input):
    """Whether the tensor's dtype has negative numbers."""
    return tensor_argument("is_signed", input).dtype.is_signed


def is_same_size(input, other):
    """Whether two tensors have one shape."""
    return tensor_argument("is_same_size", input).shape == tensor_argument("is_same_size", other).shape


def set_warn_always(mode):
    """Have warnings that are given once a process given every time."""
    if not isinstance(mode, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(mode).__name__}")
    state["warn_always"] = mode


def is_warn_always_enabled():
    """What set_warn_always was last given."""
    return state["warn_always"]


def typename(obj):
    """The name of obj's type, of a tensor the legacy one: `torch.FloatTensor`."""
    if isinstance(obj, Tensor):
        return obj.type()
    if isinstance(obj, dtype):
        return "dtype"
    name = getattr(obj, "__qualname__", None) or type(obj).__qualname__
    module = getattr(obj, "__module__", None) or ""
    return name if module in ("", "builtins", "__builtin__") else f"{module}.{name}"


def get_num_interop_threads():
    """How many threads run operations side by side, if asked to: what was set, else as get_num_threads.  None are started."""
    return state["interop"] or get_num_threads()


def set_num_interop_threads(num):
    """Set how many threads run operations side by side.  The engine runs each on its caller's thread, so any number holds."""
    if not isinstance(num, int):
        raise TypeError(f"set_num_interop_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    state["interop"] = num


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Ask for deterministic results.  All operations are deterministic, whatever the mode, so there is nothing to warn of."""
    state["deterministic"], state["warn_only"] = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled():
    """What use_deterministic_algorithms was told last."""
    return state["deterministic"]


def is_deterministic_algorithms_warn_only_enabled():
    """Whether use_deterministic_algorithms was told last to warn only."""
    return state["warn_only"]


def set_deterministic_debug_mode(debug_mode):
    """As use_deterministic_algorithms, by "default", "warn" or "error", or 0, 1, 2."""
    if isinstance(debug_mode, str) and debug_mode not in DEBUG_MODES:
        raise RuntimeError(f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}")
    if not isinstance(debug_mode, str) and debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    number = DEBUG_MODES.index(debug_mode) if isinstance(debug_mode, str) else debug_mode
    use_deterministic_algorithms(number > 0, warn_only=number == 1)


def get_deterministic_debug_mode():
    """0, 1 or 2: as set_deterministic_debug_mode names them."""
    return 0 if not state["deterministic"] else 1 if state["warn_only"] else 2


def set_float32_matmul_precision(precision):
    """Allow float32 products of less precision.  They are computed at "highest" whatever is allowed.

    Raises:
        ValueError: not one of "highest", "high", "medium".
    """
    if precision not in PRECISIONS:
        raise ValueError(f"set_float32_matmul_precision: must be one of {PRECISIONS}, got {precision!r}")
    state["precision"] = precision


def get_float32_matmul_precision():
    """The least precision that was allowed."""
    return state["precision"]


def set_flush_denormal(mode):
    """Flushing denormal numbers is not supported: False if asked to, as PyTorch says on such machines."""
    return not mode
