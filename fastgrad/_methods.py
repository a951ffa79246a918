"""Methods and properties of Tensor that are no operations, installed when fastgrad is imported: hooks, text, where a tensor is."""

from fastgrad import _engine, _places
from fastgrad._ops import _install_method


def text(function):
    """A function that calls a function of printing.py, which is loaded (with NumPy) when the first tensor is printed."""

    def of(tensor, *spec):
        from fastgrad import printing

        return getattr(printing, function)(tensor, *spec)

    return of


def dim_order(self):
    """The dimensions from the slowest-moving in memory to the fastest."""
    return tuple(sorted(range(self.ndim), key=lambda d: (-self.stride(d), d)))


def constant(value):
    return property(lambda self: value)


def install(**members):
    for name, value in members.items():
        _install_method(name, value)


_engine._set_type_name("fastgrad.Tensor")
_engine._set_texts(text("tensor_repr"), text("tensor_str"), text("tensor_format"))
install(
    register_hook=_engine.tensor_register_hook,
    register_post_accumulate_grad_hook=_engine.tensor_register_accumulated_hook,
    retain_grad=_engine.tensor_retain_grad,
    retains_grad=property(_engine.tensor_retains_grad),
    device=constant(_places.CPU), layout=constant(_places.strided), get_device=lambda self: -1,
    is_cpu=constant(True), is_cuda=constant(False), is_mps=constant(False), is_xpu=constant(False), is_meta=constant(False),
    is_sparse=constant(False), is_quantized=constant(False), is_nested=constant(False), is_mkldnn=constant(False),
    is_complex=lambda self: False,
    is_floating_point=lambda self: self.dtype.is_floating_point,
    is_signed=lambda self: self.dtype.is_signed,
    is_pinned=lambda self: False, is_shared=lambda self: False,
    dim_order=dim_order,
    names=property(lambda self: (None,) * self.ndim),
)
