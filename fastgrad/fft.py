"""fastgrad.fft: discrete Fourier transforms under the names of torch.fft, computed by NumPy.

Three Functions are the only doors to NumPy: complex to complex, real to the half of a complex spectrum that is not its mirror, and back.
Each one's backward is made of the others, so that gradients of any order are there; everything else combines them.

The adjoint of a transform runs in the other direction with the factor of the same size, which that direction calls by the other name.
"""

import math

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor
from fastgrad.autograd.function import Function

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "ihfft2",
           "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn"]

ADJOINT = {"backward": "forward", "ortho": "ortho", "forward": "backward"}      # norm, as the other direction names the same factor


def transform(name, x, dtype, **kwargs):
    """A function of numpy.fft as a tensor without a graph; NumPy before 2 computes in double precision."""
    import numpy

    result = getattr(numpy.fft, name)(x.detach().numpy(), **kwargs)
    return _ops.from_numpy(numpy.ascontiguousarray(result)).to(dtype)


class Complex(Function):
    """The transform over dimensions, forward or inverse."""

    @staticmethod
    def forward(ctx, x, dims, norm, inverse):
        ctx.how = dims, norm, inverse
        if not dims:
            return x.clone()
        return transform("ifftn" if inverse else "fftn", x, x.dtype, axes=dims, norm=norm)

    @staticmethod
    def backward(ctx, grad):
        dims, norm, inverse = ctx.how
        return Complex.apply(grad, dims, ADJOINT[norm], not inverse), None, None, None

    @staticmethod
    def vmap(info, in_dims, x, dims, norm, inverse):
        return Complex.apply(x.movedim(in_dims[0], 0), tuple(d + 1 for d in dims), norm, inverse), 0


class Half(Function):
    """The first half of the spectrum of a real tensor."""

    @staticmethod
    def forward(ctx, x, dim, norm):
        ctx.how = dim, norm, x.shape[dim]
        return transform("rfft", x, x.dtype.to_complex(), axis=dim, norm=norm)

    @staticmethod
    def backward(ctx, grad):
        dim, norm, n = ctx.how
        return Complex.apply(sized(grad, dim, n), (dim,), ADJOINT[norm], True).real, None, None

    @staticmethod
    def vmap(info, in_dims, x, dim, norm):
        return Half.apply(x.movedim(in_dims[0], 0), dim + 1, norm), 0


class Whole(Function):
    """The real tensor of n elements along dim whose spectrum has this first half."""

    @staticmethod
    def forward(ctx, x, dim, n, norm):
        ctx.how = dim, n, norm
        return transform("irfft", x, x.dtype.to_real(), n=n, axis=dim, norm=norm)

    @staticmethod
    def backward(ctx, grad):
        dim, n, norm = ctx.how
        half = Half.apply(grad, dim, ADJOINT[norm])
        weights = _ops.full((half.shape[dim],), 2, dtype=grad.dtype)        # what is in the middle stands for its mirror too
        weights[0] = 1
        if n % 2 == 0:
            weights[-1] = 1
        return half * weights.reshape(-1, *[1] * (grad.ndim - 1 - dim)), None, None, None

    @staticmethod
    def vmap(info, in_dims, x, dim, n, norm):
        return Whole.apply(x.movedim(in_dims[0], 0), dim + 1, n, norm), 0


# ---- arguments ----------------------------------------------------------------------------------------------------------


def norm_of(name, norm):
    norm = "backward" if norm is None else norm
    if norm not in ADJOINT:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return norm


def floating(name, x, to_complex):
    """x in a dtype that transforms take: integers in the default one."""
    if x.dtype in (fastgrad.float16, fastgrad.bfloat16):
        raise RuntimeError(f"fft_{name}: Unsupported dtype {x.type()[6:-6]}")
    if not x.dtype.is_floating_point and not x.dtype.is_complex:
        x = x.to(fastgrad.get_default_dtype())
    return x.to(x.dtype.to_complex()) if to_complex else x


def real(name, x):
    if x.dtype.is_complex:
        raise RuntimeError(f"fft_{name} expects a real input tensor, but got {x.type()[6:-6]}")
    return floating(name, x, False)


def dimension(name, x, dim):
    """A dimension counted from the first."""
    if not -x.ndim <= dim < x.ndim or x.ndim == 0:
        n = max(x.ndim, 1)
        raise IndexError(f"fft_{name}: Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % x.ndim


def sized(x, dim, n):
    """The first n elements along dim, with zeros after the last."""
    have = x.shape[dim]
    if n < have:
        return x.narrow(dim, 0, n)
    if n == have:
        return x
    shape = list(x.shape)
    shape[dim] = n - have
    return _ops.cat([x, x.new_zeros(shape)], dim)


def points(name, n):
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def listed(x):
    return None if x is None else (x,) if isinstance(x, int) else tuple(x)


def shape_and_dims(name, x, s, dim):
    """The sizes and the dimensions of an n-dimensional transform, both of them given or worked out."""
    s, dim = listed(s), listed(dim)
    if dim is None:
        if s is not None and len(s) > x.ndim:
            raise RuntimeError(f"fft_{name}: Got shape with {len(s)} values but input tensor only has {x.ndim} dimensions.")
        dims = tuple(range(x.ndim - len(s), x.ndim)) if s is not None else tuple(range(x.ndim))
    else:
        dims = tuple(dimension(name, x, d) for d in dim)
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError(f"fft_{name}: When given, dim and shape arguments must have the same length")
    sizes = [x.shape[d] if s is None or s[i] == -1 else s[i] for i, d in enumerate(dims)]
    for n in sizes:
        points(name, n)
    return sizes, dims


def resized(x, sizes, dims):
    for n, d in zip(sizes, dims):
        x = sized(x, d, n)
    return x


def last_size(name, x, s, dim, sizes, dims):
    """The size of the real side along the last dimension, and that of the half that stands for it."""
    s = listed(s)
    n = 2 * (x.shape[dims[-1]] - 1) if s is None or s[-1] == -1 else sizes[-1]
    return points(name, n), n // 2 + 1


def need_dims(name, dims):
    if not dims:
        raise RuntimeError(f"fft_{name} must transform at least one axis")


# ---- along one dimension --------------------------------------------------------------------------------------------------


def operation(body):
    """An operation of fastgrad.fft."""
    return composite("fft_" + body.__name__.rstrip("_"), function=False)(body)


def along(name, x, n, dim, norm, inverse):
    x = floating(name, x, True)
    dim = dimension(name, x, dim)
    return Complex.apply(sized(x, dim, points(name, x.shape[dim] if n is None else n)), (dim,), norm_of(name, norm), inverse)


@operation
def fft(input: Tensor, n: int = None, dim: int = -1, norm=None):
    """The discrete Fourier transform along a dimension, of n elements."""
    return along("fft", input, n, dim, norm, False)


@operation
def ifft(input: Tensor, n: int = None, dim: int = -1, norm=None):
    """The inverse of fft."""
    return along("ifft", input, n, dim, norm, True)


def half(name, x, n, dim, norm):
    x = real(name, x)
    dim = dimension(name, x, dim)
    return Half.apply(sized(x, dim, points(name, x.shape[dim] if n is None else n)), dim, norm)


def whole(name, x, n, dim, norm):
    x = floating(name, x, True)
    dim = dimension(name, x, dim)
    n = points(name, 2 * (x.shape[dim] - 1) if n is None else n)
    return Whole.apply(sized(x, dim, n // 2 + 1), dim, n, norm)


@operation
def rfft(input: Tensor, n: int = None, dim: int = -1, norm=None):
    """The first half of the transform of a real tensor; the rest mirrors it."""
    return half("rfft", input, n, dim, norm_of("rfft", norm))


@operation
def irfft(input: Tensor, n: int = None, dim: int = -1, norm=None):
    """The inverse of rfft: n real elements (default: an even number)."""
    return whole("irfft", input, n, dim, norm_of("irfft", norm))


@operation
def hfft(input: Tensor, n: int = None, dim: int = -1, norm=None):
    """The real transform of a Hermitian signal, of which input is the first half."""
    return whole("hfft", floating("hfft", input, True).conj(), n, dim, ADJOINT[norm_of("hfft", norm)])


@operation
def ihfft(input: Tensor, n: int = None, dim: int = -1, norm=None):
    """The inverse of hfft."""
    return half("ihfft", input, n, dim, ADJOINT[norm_of("ihfft", norm)]).conj()


# ---- along several ----------------------------------------------------------------------------------------------------------


def several(name, x, s, dim, norm, inverse):
    x = floating(name, x, True)
    sizes, dims = shape_and_dims(name, x, s, dim)
    return Complex.apply(resized(x, sizes, dims), dims, norm_of(name, norm), inverse)


def several_half(name, x, s, dim, norm, inverse):
    """The last dimension by half, the others whole; as the inverse of a Hermitian transform, conjugated."""
    norm = norm_of(name, norm)
    x = real(name, x)
    sizes, dims = shape_and_dims(name, x, s, dim)
    need_dims(name, dims)
    x = Half.apply(resized(x, sizes, dims), dims[-1], ADJOINT[norm] if inverse else norm)
    return Complex.apply(x.conj() if inverse else x, dims[:-1], norm, inverse)


def several_whole(name, x, s, dim, norm, inverse):
    norm = norm_of(name, norm)
    x = floating(name, x, True)
    sizes, dims = shape_and_dims(name, x, s, dim)
    need_dims(name, dims)
    n, half_n = last_size(name, x, s, dim, sizes, dims)
    x = Complex.apply(resized(x, [*sizes[:-1], half_n], dims), dims[:-1], norm, inverse)
    return Whole.apply(x if inverse else x.conj(), dims[-1], n, norm if inverse else ADJOINT[norm])


@operation
def fftn(input: Tensor, s=None, dim=None, norm=None):
    """The transform over dimensions, of sizes s."""
    return several("fftn", input, s, dim, norm, False)


@operation
def ifftn(input: Tensor, s=None, dim=None, norm=None):
    """The inverse of fftn."""
    return several("ifftn", input, s, dim, norm, True)


@operation
def rfftn(input: Tensor, s=None, dim=None, norm=None):
    """The first half (along the last dimension) of the transform of a real tensor."""
    return several_half("rfftn", input, s, dim, norm, False)


@operation
def irfftn(input: Tensor, s=None, dim=None, norm=None):
    """The inverse of rfftn."""
    return several_whole("irfftn", input, s, dim, norm, True)


@operation
def hfftn(input: Tensor, s=None, dim=None, norm=None):
    """The real transform of a Hermitian signal over dimensions."""
    return several_whole("hfftn", input, s, dim, norm, False)


@operation
def ihfftn(input: Tensor, s=None, dim=None, norm=None):
    """The inverse of hfftn."""
    return several_half("ihfftn", input, s, dim, norm, True)


@operation
def fft2(input: Tensor, s=None, dim=(-2, -1), norm=None):
    """fftn over two dimensions."""
    return several("fft2", input, s, dim, norm, False)


@operation
def ifft2(input: Tensor, s=None, dim=(-2, -1), norm=None):
    """ifftn over two dimensions."""
    return several("ifft2", input, s, dim, norm, True)


@operation
def rfft2(input: Tensor, s=None, dim=(-2, -1), norm=None):
    """rfftn over two dimensions."""
    return several_half("rfft2", input, s, dim, norm, False)


@operation
def irfft2(input: Tensor, s=None, dim=(-2, -1), norm=None):
    """irfftn over two dimensions."""
    return several_whole("irfft2", input, s, dim, norm, True)


@operation
def hfft2(input: Tensor, s=None, dim=(-2, -1), norm=None):
    """hfftn over two dimensions."""
    return several_whole("hfft2", input, s, dim, norm, False)


@operation
def ihfft2(input: Tensor, s=None, dim=(-2, -1), norm=None):
    """ihfftn over two dimensions."""
    return several_half("ihfft2", input, s, dim, norm, True)


# ---- frequencies and their order --------------------------------------------------------------------------------------------


def shifted(name, x, dim, by):
    dims = tuple(range(x.ndim)) if dim is None else tuple(dimension(name, x, d) for d in listed(dim))
    return _ops.roll(x, [by(x.shape[d]) for d in dims], dims) if dims else x.clone()


@composite("fft_fftshift", function=False, out=False)
def fftshift(input: Tensor, dim=None):
    """The frequency 0 in the middle."""
    return shifted("fftshift", input, dim, lambda n: n // 2)


@composite("fft_ifftshift", function=False, out=False)
def ifftshift(input: Tensor, dim=None):
    """The inverse of fftshift."""
    return shifted("ifftshift", input, dim, lambda n: (n + 1) // 2)


def frequencies(ranges, n, d, dtype, requires_grad, **options):
    """The numbers of some ranges, for samples d apart."""
    dtype = dtype or fastgrad.get_default_dtype()
    if not dtype.is_floating_point and not dtype.is_complex:
        raise RuntimeError(f"fftfreq requires a floating point or complex dtype, got {dtype}")
    if n < 0:
        raise RuntimeError(f"fftfreq: n must not be negative, got {n}")
    x = _ops.cat([_ops.arange(first, end, dtype=dtype, **options) for first, end in ranges])
    return (x * (1.0 / (n * d) if n * d else math.inf)).requires_grad_(requires_grad)


@operation
def fftfreq(n: int, d: float = 1.0, *, dtype=None, layout=None, device=None, pin_memory: bool = False, requires_grad=False):
    """The frequencies of fft's elements: 0 and the positive ones, then the negative ones."""
    return frequencies([(0, (n + 1) // 2), (-(n // 2), 0)], n, d, dtype, requires_grad, layout=layout, device=device, pin_memory=pin_memory)


@operation
def rfftfreq(n: int, d: float = 1.0, *, dtype=None, layout=None, device=None, pin_memory: bool = False, requires_grad=False):
    """The frequencies of rfft's elements."""
    return frequencies([(0, n // 2 + 1)], n, d, dtype, requires_grad, layout=layout, device=device, pin_memory=pin_memory)
