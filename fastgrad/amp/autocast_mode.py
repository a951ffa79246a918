"""autocast: a block in which products are computed in bfloat16 and losses in float32, as PyTorch does on a CPU."""

import functools
import warnings

import fastgrad as fg
from fastgrad._engine import Tensor
from fastgrad.overrides import TorchFunctionMode

__all__ = ["autocast", "custom_bwd", "custom_fwd", "get_autocast_dtype", "is_autocast_available", "is_autocast_enabled",
           "set_autocast_dtype", "set_autocast_enabled"]

# operations by name: those that take the lower precision, float32, and the widest of their arguments
LOWER = {"matmul", "__matmul__", "mm", "bmm", "linear", "_product", "addmm", "addbmm", "baddbmm", "einsum", "tensordot", "conv1d", "conv2d",
         "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "_attention", "linalg_multi_dot", "chain_matmul", "prelu"}
WIDER = {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "nll_loss", "cross_entropy", "binary_cross_entropy", "ctc_loss", "kl_div",
         "binary_cross_entropy_with_logits", "poisson_nll_loss", "hinge_embedding_loss", "margin_ranking_loss", "soft_margin_loss",
         "triplet_margin_loss", "multi_margin_loss", "multilabel_margin_loss", "cosine_embedding_loss", "prod", "quantile", "nanquantile",
         "trace", "cdist", "inverse", "pinverse", "cholesky", "qr", "svd", "avg_pool3d", "max_pool3d", "adaptive_avg_pool3d",
         "grid_sampler", "linalg_svdvals"}
WIDEST = {"cat", "stack", "concat", "concatenate", "index_copy"}
DEVICES = ("cpu", "cuda", "xpu", "mps", "hpu", "mtia", "xla", "ipu", "meta", "maia", "privateuseone")
_state = {"dtype": fg.bfloat16, "blocks": []}


def is_autocast_available(device_type):
    """Whether autocast can be had on a device: on the CPU."""
    return device_type == "cpu"


def is_autocast_enabled(device_type="cuda"):
    """Whether a block of autocast for the device is active."""
    return device_type == "cpu" and bool(_state["blocks"]) and _state["blocks"][-1].enabled


def get_autocast_dtype(device_type):
    """The lower precision of blocks that do not say which."""
    return _state["blocks"][-1].dtype if is_autocast_enabled(device_type) else _state["dtype"]


def set_autocast_dtype(device_type, dtype):
    """Set what get_autocast_dtype gives."""
    if device_type == "cpu":
        _state["dtype"] = dtype


def set_autocast_enabled(device_type, enabled):
    """Enter, or leave, a block of autocast that has no end in the text."""
    if device_type != "cpu" or enabled == is_autocast_enabled("cpu"):
        return
    if enabled:
        autocast("cpu").__enter__()
    else:
        _state["blocks"][-1].__exit__(None, None, None)


def _cast(value, dtype):
    """The value with its float tensors, in lists and dicts too, in a dtype; float64 is left alone."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() and value.dtype is not fg.float64 else value
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(one, dtype) for one in value)
    if isinstance(value, dict):
        return {key: _cast(one, dtype) for key, one in value.items()}
    return value


def _widest(values):
    for value in values:
        if isinstance(value, (list, tuple)) and any(isinstance(t, Tensor) and t.dtype is fg.float32 for t in value):
            return fg.float32
    return None


class _Casting(TorchFunctionMode):
    """Casts the arguments of operations."""

    def __init__(self, dtype):
        self.dtype = dtype

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        target = self.dtype if name in LOWER else fg.float32 if name in WIDER else _widest(args) if name in WIDEST else None
        if target is not None:
            args, kwargs = _cast(args, target), _cast(kwargs, target)
        return func(*args, **kwargs)


class autocast:
    """A block, or a decorator, in which products are computed in a lower precision.

    Args:
        device_type: "cpu"; other devices are not there, so nothing is cast.
        dtype: bfloat16, the default, or float16.
        enabled: False for a block without casts inside a block with them.
        cache_enabled: a hint about speed.

    Example:
        >>> with fastgrad.autocast("cpu"):
        ...     (fastgrad.ones(1, 2) @ fastgrad.ones(2, 1)).dtype
        torch.bfloat16
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if device_type not in DEVICES:
            raise RuntimeError(f"Expected one of {', '.join(DEVICES)} device type at start of device string: {device_type}")
        self.device = device_type
        self.dtype = dtype or _state["dtype"]
        if enabled and device_type == "cuda":
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)
        elif enabled and device_type == "cpu" and self.dtype not in (fg.bfloat16, fg.float16):
            warnings.warn("In CPU autocast, but the target dtype is not supported. Disabling autocast.\nCPU Autocast only supports dtypes of "
                          "torch.bfloat16, torch.float16 currently.", stacklevel=2)
            enabled = False
        self.enabled = enabled and device_type == "cpu"
        self._modes = []

    def __enter__(self):
        if self.device == "cpu":
            _state["blocks"].append(self)
            # a block inside another replaces it: func then sees plain operations again
            self._modes.append(_Casting(self.dtype).__enter__() if self.enabled else _Plain().__enter__())
        return self

    def __exit__(self, *exception):
        if self.device == "cpu":
            self._modes.pop().__exit__(*exception)
            _state["blocks"].pop()
        return False

    def __call__(self, function):
        @functools.wraps(function)
        def in_block(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return in_block


class _Plain(TorchFunctionMode):
    """Hides the casting blocks around."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        from fastgrad.overrides import modes

        hidden, outer = [], modes()
        while outer and isinstance(outer[-1], (_Casting, _Plain)):
            hidden.append(outer.pop())
        try:
            return func(*args, **(kwargs or {}))
        finally:
            outer.extend(reversed(hidden))


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """For a Function's forward: with cast_inputs, float tensors come in that dtype and autocast is off inside."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(*args, **kwargs):
        if cast_inputs is None or not is_autocast_enabled(device_type):
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, cast_inputs), **_cast(kwargs, cast_inputs))

    return forward


def custom_bwd(bwd=None, *, device_type):
    """For a Function's backward: it runs as its forward did."""
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd
