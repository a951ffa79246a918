"""Methods and properties of Tensor that are no operations, installed when fastgrad is imported: hooks, text, where a tensor is."""

from fastgrad import _engine, _places
from fastgrad._ops import _install_method, is_nonzero


def text(function):
    """A function that calls a function of printing.py, which is loaded (with NumPy) when the first tensor is printed."""

    def of(tensor, *spec):
        from fastgrad import printing

        return getattr(printing, function)(tensor, *spec)

    return of


def dim_order(self, *, ambiguity_check=False):
    """The dimensions from the slowest-moving in memory to the fastest."""
    if ambiguity_check is not False:
        raise NotImplementedError(f"dim_order: ambiguity_check={ambiguity_check!r} is not supported")
    return tuple(sorted(range(self.ndim), key=lambda d: (-self.stride(d), d)))


def constant(value):
    return property(lambda self: value)


def install(**members):
    for name, value in members.items():
        _install_method(name, value)


def disabled_torch_function(func, types, args=(), kwargs=None):
    """The __torch_function__ of classes that want no say in operations."""
    return func(*args, **(kwargs or {}))


def shown_call(operation, args, kwargs):
    """Calls that operations show: see overrides.py."""
    from fastgrad.overrides import dispatch

    return dispatch(operation, args, kwargs)


def default_torch_function(cls, func, types, args=(), kwargs=None):
    from fastgrad import overrides

    return overrides.default_torch_function(cls, func, types, args, kwargs)


def subclassed(cls, **kwargs):
    """A class of tensors is defined: unless it wants no say, operations show their arguments from now on."""
    super(_engine.Tensor, cls).__init_subclass__(**kwargs)
    if cls.__torch_function__ is not disabled_torch_function:
        _engine._interpose(True)


def fill_diagonal_(self, fill_value, wrap=False):
    """Write a number along the diagonal of a tensor whose dimensions are equal, or of a matrix.

    Args:
        wrap: whether the diagonal of a tall matrix begins anew below itself, one row further.
    Raises:
        RuntimeError: fewer than 2 dimensions, or more than 2 that are not equal.
    """
    if self.ndim < 2:
        raise RuntimeError(f"fill_diagonal_: dimensions must larger than 1, got {self.ndim}")
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise RuntimeError(f"fill_diagonal_: all dimensions of input must be of equal length, got {list(self.shape)}")
    length, step = min(self.shape), sum(self.stride())
    starts = range(0, self.shape[0], self.shape[1] + 1) if wrap and self.ndim == 2 and self.shape[1] else (0,)
    for start in starts:
        count = min(length, self.shape[0] - start)
        self.as_strided((count,), (step,), self.storage_offset() + start * self.stride(0)).fill_(fill_value)
    return self


def is_shared(self):
    """Whether processes share its memory."""
    from fastgrad import _shared

    return _shared.is_shared(self)


def share_memory_(self):
    """Move its memory to where processes share it, in place."""
    from fastgrad import _shared

    return _shared.share(self)


_engine._set_override(shown_call, disabled_torch_function)
_engine._set_type_name("fastgrad.Tensor")
_engine._set_texts(text("tensor_repr"), text("tensor_str"), text("tensor_format"))
install(
    register_hook=_engine.tensor_register_hook,
    register_post_accumulate_grad_hook=_engine.tensor_register_accumulated_hook,
    retain_grad=_engine.tensor_retain_grad,
    retains_grad=property(_engine.tensor_retains_grad),
    device=constant(_places.CPU), layout=constant(_places.strided), get_device=lambda self: -1,
    is_cpu=constant(True), is_cuda=constant(False), is_mps=constant(False), is_xpu=constant(False), is_meta=constant(False),
    is_xla=constant(False), is_mtia=constant(False), is_vulkan=constant(False), is_maia=constant(False), is_ipu=constant(False),
    is_sparse_csr=constant(False), is_distributed=lambda self: False, dense_dim=lambda self: self.ndim, sparse_dim=lambda self: 0,
    is_sparse=constant(False), is_quantized=constant(False), is_nested=constant(False), is_mkldnn=constant(False),
    is_complex=lambda self: self.dtype.is_complex,
    is_floating_point=lambda self: self.dtype.is_floating_point,
    is_signed=lambda self: self.dtype.is_signed,
    is_pinned=lambda self: False, is_shared=is_shared, share_memory_=share_memory_,
    dim_order=dim_order, fill_diagonal_=fill_diagonal_, is_nonzero=lambda self: is_nonzero(self), name=constant(None),
    is_same_size=lambda self, other: self.shape == other.shape,
    __torch_function__=classmethod(default_torch_function), __init_subclass__=classmethod(subclassed),
    names=property(lambda self: (None,) * self.ndim),
)
