"""Short-time Fourier transforms: frames of a signal, each times a window, transformed."""

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor


def sizes(name, n_fft, hop_length, win_length, window):
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    if hop <= 0:
        raise RuntimeError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < width <= n_fft:
        raise RuntimeError(f"{name}: expected 0 < win_length <= n_fft, but got win_length={width} and n_fft={n_fft}")
    if window is not None and (window.ndim != 1 or window.shape[0] != width):
        raise RuntimeError(f"{name}: expected a 1D window tensor of size equal to win_length={width}, but got window with size {list(window.shape)}")
    return hop, width


def whole_window(window, width, n_fft, like):
    """The window in the middle of n_fft elements."""
    if window is None:
        window = _ops.ones(width, dtype=like.dtype.to_real())
    left = (n_fft - width) // 2
    return fastgrad.nn.functional.pad(window, (left, n_fft - width - left))


@composite(method=True)
def stft(input: Tensor, n_fft: int, hop_length: int = None, win_length: int = None, window=None, center: bool = True, pad_mode="reflect", normalized: bool = False,
         onesided: bool = None, return_complex: bool = None, align_to_window: bool = None):
    """The transforms of frames of n_fft elements, hop_length apart: (..., frequencies, frames).

    Args:
        center: whether the frames lie around their times, for which the signal is padded by pad_mode.
        normalized: whether to divide by sqrt(n_fft).
        onesided: only half of the spectrum (default: where input and window are real).
        return_complex: False gives pairs of real numbers.
    """
    is_real = not input.dtype.is_complex and (window is None or not window.dtype.is_complex)
    if return_complex is None:
        if is_real:
            raise RuntimeError("stft requires the return_complex parameter be given for real inputs, and will further require that "
                               "return_complex=True in a future PyTorch release.")
        return_complex = True
    if align_to_window is not None and center:
        raise RuntimeError("stft align_to_window should only be set when center = false.")
    if align_to_window:
        raise NotImplementedError("stft: align_to_window=True is not supported")
    if not input.dtype.is_floating_point and not input.dtype.is_complex:
        raise RuntimeError("stft: expected a tensor of floating point or complex values")
    if input.ndim not in (1, 2):
        raise RuntimeError(f"stft: expected a 1D or 2D tensor, but got {input.ndim}D")
    hop, width = sizes("stft", n_fft, hop_length, win_length, window)
    x = input if input.ndim == 2 else input[None]
    if center:
        x = fastgrad.nn.functional.pad(x[:, None], (n_fft // 2, n_fft // 2), mode=pad_mode)[:, 0]
    if not 0 < n_fft <= x.shape[1]:
        raise RuntimeError(f"stft: expected 0 < n_fft < {x.shape[1]}, but got n_fft={n_fft}")
    frames = x.unfold(1, n_fft, hop) * whole_window(window, width, n_fft, input)
    if onesided is None:
        onesided = is_real
    if onesided and not is_real:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    out = (fastgrad.fft.rfft if onesided else fastgrad.fft.fft)(frames, norm="ortho" if normalized else None).mT
    out = out if input.ndim == 2 else out[0]
    return out if return_complex else _ops.view_as_real(out)


def overlapped(frames, hop):
    """(..., n, width) frames added where they lie, hop apart."""
    n, width = frames.shape[-2:]
    places = (_ops.arange(n)[:, None] * hop + _ops.arange(width)).reshape(-1)
    out = frames.new_zeros((*frames.shape[:-2], (n - 1) * hop + width))
    return out.index_add(-1, places, frames.reshape(*frames.shape[:-2], n * width))


@composite(method=True)
def istft(input: Tensor, n_fft: int, hop_length: int = None, win_length: int = None, window=None, center: bool = True, normalized: bool = False, onesided: bool = None,
          length: int = None, return_complex: bool = False):
    """The inverse of stft, by the least squares of its frames.

    Raises:
        RuntimeError: the windows leave a place of the signal out.
    """
    if not input.dtype.is_complex:
        raise RuntimeError("istft requires a complex-valued input tensor matching the output from stft with return_complex=True.")
    if input.ndim not in (2, 3) or not input.numel():
        raise RuntimeError(f"istft: expected a tensor with 2 or 3 dimensions and elements, but got {list(input.shape)}")
    hop, width = sizes("istft", n_fft, hop_length, win_length, window)
    x = (input if input.ndim == 3 else input[None]).mT
    if onesided is None:
        onesided = x.shape[-1] != n_fft
    if x.shape[-1] != (n_fft // 2 + 1 if onesided else n_fft):
        raise RuntimeError(f"istft: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft={n_fft} when "
                           f"onesided={onesided}, but got {x.shape[-1]}")
    if return_complex and onesided:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and window.dtype.is_complex:
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    window = whole_window(window, width, n_fft, input)
    norm = "ortho" if normalized else None
    if return_complex:
        frames = fastgrad.fft.ifft(x, norm=norm)
    else:               # of a whole spectrum too the first half alone counts
        frames = fastgrad.fft.irfft(x[..., :n_fft // 2 + 1], n_fft, norm=norm)
    signal = overlapped(frames * window, hop)
    envelope = overlapped((window * window).expand(x.shape[1], n_fft), hop)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else signal.shape[-1] - start
    signal, envelope = signal[:, start:end], envelope[start:end]
    if float(envelope.detach().abs().min()) < 1e-11:
        raise RuntimeError("window overlap add min: 1")
    signal = signal / envelope
    if length is not None and signal.shape[-1] < length:
        signal = fastgrad.nn.functional.pad(signal, (0, length - signal.shape[-1]))
    return signal if input.ndim == 3 else signal[0]
