"""Window functions under their old names, hann_window and its like: one period of a periodic window, unless it shall be symmetric."""

import fastgrad as fg
from fastgrad.signal import windows

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def made(name, window, length, periodic, dtype, layout, device, pin_memory, requires_grad):
    """A window of signal.windows, computed in double."""
    dtype = fg.get_default_dtype() if dtype is None else dtype
    if not isinstance(length, int) or isinstance(length, bool):
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {type(length).__name__}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if layout not in (None, fg.strided):
        raise RuntimeError(f"{name} is not implemented for sparse types, got: {layout}")
    x = window(length, sym=not periodic, dtype=fg.float64, device=device).to(dtype)
    return (x.pin_memory() if pin_memory else x).requires_grad_(requires_grad)


def hann_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """0.5 - 0.5 cos(2 pi n / N), N the length; one less where it is symmetric.

    Raises:
        RuntimeError: a negative length, or a dtype that is not floating.
    Example:
        >>> hann_window(4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return made("hann_window", windows.hann, window_length, periodic, dtype, layout, device, pin_memory, requires_grad)


def hamming_window(window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None, layout=None, device=None, pin_memory=False,
                   requires_grad=False):
    """alpha - beta cos(2 pi n / N); arguments as for hann_window."""
    def window(length, **options):
        return windows.general_cosine(length, a=[alpha, beta], **options)

    return made("hamming_window", window, window_length, periodic, dtype, layout, device, pin_memory, requires_grad)


def blackman_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N); arguments as for hann_window."""
    return made("blackman_window", windows.blackman, window_length, periodic, dtype, layout, device, pin_memory, requires_grad)


def bartlett_window(window_length, periodic=True, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """1 - |2 n / N - 1|; arguments as for hann_window."""
    return made("bartlett_window", windows.bartlett, window_length, periodic, dtype, layout, device, pin_memory, requires_grad)


def kaiser_window(window_length, periodic=True, beta=12.0, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """Bessel's I0 of beta sqrt(1 - (2 n / N - 1)^2), over I0(beta); arguments as for hann_window."""
    def window(length, **options):
        return windows.kaiser(length, beta=beta, **options)

    return made("kaiser_window", window, window_length, periodic, dtype, layout, device, pin_memory, requires_grad)
