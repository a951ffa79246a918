"""fastgrad.signal.windows: window functions of M points, symmetric or (sym=False) one period of a periodic window.

Each is a formula of the points' places; an empty window for M = 0, a single 1 for M = 1.
"""

import math

import fastgrad as fg

__all__ = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann", "kaiser",
           "nuttall"]


def _window(name, M, sym, dtype, requires_grad, shape, layout=None, device=None):
    """shape(places, last): the window at whole places 0 ... M - 1 of which `last` would be the last of a symmetric one."""
    if isinstance(M, float):
        raise TypeError(f"{name}: M must be int, not float")
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not None and layout != fg.strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if dtype is None:
        dtype = fg.get_default_dtype()
    if dtype not in (fg.float32, fg.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
    if M <= 1:
        return fg.ones(M, dtype=dtype, device=device, requires_grad=requires_grad)
    places = fg.arange(M, dtype=fg.float64, device=device)
    return shape(places, M - 1 if sym else M).to(dtype).requires_grad_(requires_grad)


def general_cosine(M, *, a, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """The sum of (-1)^k a[k] cos(2 pi k n / last)."""
    if not isinstance(a, (list, tuple)):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")

    def shape(n, last):
        return sum((-1) ** k * c * fg.cos(n * (2 * math.pi * k / last)) for k, c in enumerate(a))

    return _window("general_cosine", M, sym, dtype, requires_grad, shape, layout, device)


def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """alpha - (1 - alpha) cos(2 pi n / last)."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hamming(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """0.54 - 0.46 cos(2 pi n / last)."""
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hann(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """0.5 - 0.5 cos(2 pi n / last).

    Example:
        >>> hann(3)
        tensor([0., 1., 0.])
    """
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def blackman(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """0.42 - 0.5 cos(2 pi n / last) + 0.08 cos(4 pi n / last)."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def nuttall(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """The minimum four-term Blackman-Harris window of Nuttall (1981)."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)


def bartlett(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """1 - |2 n / last - 1|: a triangle."""
    return _window("bartlett", M, sym, dtype, requires_grad, lambda n, last: 1 - (n * (2 / last) - 1).abs(), layout, device)


def cosine(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """sin(pi (n + 1/2) / (last + 1))."""
    return _window("cosine", M, sym, dtype, requires_grad, lambda n, last: fg.sin((n + 0.5) * (math.pi / (last + 1))), layout, device)


def exponential(M, *, center=None, tau=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """exp(-|n - center| / tau); center only for sym=False."""
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def shape(n, last):
        return fg.exp(-(n - (last / 2 if center is None else center)).abs() / tau)

    return _window("exponential", M, sym, dtype, requires_grad, shape, layout, device)


def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """exp(-((n - last / 2) / std)^2 / 2)."""
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def shape(n, last):
        return fg.exp(-0.5 * ((n - last / 2) / std) ** 2)

    return _window("gaussian", M, sym, dtype, requires_grad, shape, layout, device)


def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """I0(beta sqrt(1 - (2 n / last - 1)^2)) / I0(beta)."""
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def shape(n, last):
        inside = (1 - (n * (2 / last) - 1) ** 2).clamp(min=0)
        return fg.i0(beta * inside.sqrt()) / fg.i0(fg.tensor(float(beta), dtype=fg.float64))

    return _window("kaiser", M, sym, dtype, requires_grad, shape, layout, device)
