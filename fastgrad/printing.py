"""How a Tensor prints: repr, str, format specifiers and set_printoptions.

Text only: no arithmetic on tensors. Values are read once through NumPy; the caller's Tensor is never changed.
Invariants: every element of one tensor gets the same notation and is right-aligned to one width; the notation is decided
by the elements that are shown, finite and not zero; lines break at `linewidth`; the output equals PyTorch's to the character.
"""

import math
from dataclasses import dataclass

import numpy as np

from fastgrad._engine import Tensor

__all__ = ["set_printoptions", "tensor_format", "tensor_repr", "tensor_str"]


@dataclass
class PrintOptions:
    precision: int
    threshold: float
    edgeitems: int
    linewidth: int
    sci_mode: bool | None = None


PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

options = PrintOptions(**PROFILES["default"])


def set_printoptions(
    precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None
):
    """Set how tensors print, for the whole process.

    Args:
        precision: digits after the point of a floating-point element (default 4).
        threshold: number of elements above which a tensor is summarized with `...` (default 1000).
        edgeitems: how many elements a summary shows at each end of a dimension (default 3).
        linewidth: characters a line holds before it is broken (default 80).
        profile: "default", "short" or "full"; sets the four above, each of which then overrides it.
        sci_mode: True or False forces scientific notation on or off; None lets each tensor decide.

    Example:
        >>> fastgrad.set_printoptions(precision=2)
        >>> fastgrad.tensor([1.12345])
        tensor([1.12])

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
    """
    chosen = dict(PROFILES.get(profile, {}))
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen.update((name, value) for name, value in given.items() if value is not None)
    for name, value in chosen.items():
        setattr(options, name, value)
    options.sci_mode = sci_mode


# --- the notation of one element -------------------------------------------------------------------------------------


class IntegerFormat:
    """Notation of integers and booleans: `str`, aligned to the widest shown."""

    def __init__(self, shown):
        if shown.size == 0:
            self.width = 1
        elif shown.dtype == np.bool_:
            self.width = 4 if shown.all() else 5
        else:
            self.width = max(len(str(shown.min())), len(str(shown.max())))

    def __call__(self, value):
        return str(value).rjust(self.width)


class FloatFormat:
    """Notation of floating-point elements: `1.`, `1.0000` or `1.0000e+00`, aligned to the widest finite non-zero one."""

    def __init__(self, shown):
        shown = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
        self.whole = True
        self.scientific = False
        self.width = 1
        if shown.size:
            size = np.abs(shown)
            largest, smallest = float(size.max()), float(size.min())
            self.whole = bool((shown == np.ceil(shown)).all())
            with np.errstate(over="ignore"):
                self.scientific = (
                    bool(np.float64(largest) / smallest > 1000.0)
                    or largest > 1.0e8
                    or (not self.whole and smallest < 1.0e-4)
                )
            if options.sci_mode is not None:
                self.scientific = options.sci_mode
            self.width = max(len(self.text(value)) for value in shown.tolist())

    def text(self, value):
        if self.scientific:
            return f"{value:.{options.precision}e}"
        if not self.whole:
            return f"{value:.{options.precision}f}"
        return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"

    def __call__(self, value):
        return self.text(value).rjust(self.width)


class ComplexFormat:
    """Notation of complex elements: real parts aligned as floats are, imaginary ones behind their signs."""

    def __init__(self, shown):
        self.real, self.imag = FloatFormat(shown.real), FloatFormat(shown.imag)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value):
        imag = self.imag(value.imag).lstrip()
        return f"{self.real(value.real)}{'' if imag[0] in '+-' else '+'}{imag}j"


# --- nesting, summary and line breaks --------------------------------------------------------------------------------


def edges(array):
    """The elements a summary shows: up to `edgeitems` at each end of every dimension, as a smaller array."""
    for dim, size in enumerate(array.shape):
        if size > 2 * options.edgeitems:
            ends = [*range(options.edgeitems), *range(size - options.edgeitems, size)]
            array = array.take(ends, axis=dim)
    return array


def join_row(array, indent, notation, summarize):
    """One innermost row, `[1., 2., 3.]`, broken into lines of as many elements as fit."""
    count, ends = array.shape[0], options.edgeitems
    if summarize and not ends:
        words = ["..."]
    elif summarize and count > 2 * ends:
        words = [notation(v) for v in array[:ends].tolist()]
        words += [" ..."]
        words += [notation(v) for v in array[count - ends :].tolist()]
    else:
        words = [notation(v) for v in array.tolist()]
    per_line = max(1, (options.linewidth - indent) // (notation.width + 2))
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def nest(array, indent, notation, summarize):
    """The elements with their brackets; every dimension indents by one and adds a line break between its slices."""
    if array.ndim == 0:
        return notation(array.item())
    if array.ndim == 1:
        return join_row(array, indent, notation, summarize)
    count, ends = array.shape[0], options.edgeitems

    def parts(begin, end):
        return [nest(array[i], indent + 1, notation, summarize) for i in range(begin, end)]

    if summarize and count > 2 * ends:
        slices = [*parts(0, ends), "...", *parts(count - ends, count)]
    else:
        slices = parts(0, count)
    separator = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + separator.join(slices) + "]"


# --- the whole text --------------------------------------------------------------------------------------------------


def default_dtype():
    import fastgrad  # at call time: the package imports this module

    return fastgrad.get_default_dtype()


def as_array(tensor):
    """The elements as NumPy sees them; half-width floats are widened (bfloat16 has no NumPy dtype)."""
    tensor = tensor.detach()
    if str(tensor.dtype).rpartition(".")[2] in ("bfloat16", "float16"):
        tensor = tensor.float()
    return tensor.numpy()


def implied_dtype(tensor, is_float):
    """Whether the reader can tell the dtype from the elements alone, so that no `dtype=` is needed."""
    if tensor.numel() == 0:
        return tensor.dtype == default_dtype()
    if is_float:
        return tensor.dtype == default_dtype()
    if tensor.dtype.is_complex:
        return tensor.dtype == default_dtype().to_complex()
    return str(tensor.dtype).rpartition(".")[2] in ("int64", "bool")


def node_text(tensor):
    """The name of the tensor's node; "Invalid" where it has none any more (see Note [Views that history cannot follow])."""
    try:
        node = tensor.grad_fn
    except RuntimeError:
        return "Invalid"
    return None if node is None else node.name().rpartition("::")[2]


def suffixes(tensor, array, summarize):
    """What follows the elements: size, dtype, and the tensor's place in the graph."""
    words = []
    hidden = options.edgeitems == 0 and tensor.numel() > 0
    if (tensor.numel() == 0 and tensor.dim() != 1) or hidden:
        words.append(f"size={tuple(tensor.shape)}")
    if not implied_dtype(tensor, array.dtype.kind == "f"):
        words.append(f"dtype={tensor.dtype}")
    node = node_text(tensor)
    if node is not None:
        words.append(f"grad_fn=<{node}>")
    elif tensor.requires_grad:
        words.append("requires_grad=True")
    if getattr(tensor, "_tangent", None) is not None:
        words.append(f"tangent={tensor._tangent}")
    return words


def tensor_repr(tensor):
    """The text of `repr(tensor)`.

    Example:
        >>> fastgrad.tensor([1.0, 2.5], requires_grad=True)
        tensor([1.0000, 2.5000], requires_grad=True)
    """
    name = type(tensor).__name__
    prefix = ("tensor" if name in ("Tensor", "Parameter") else name) + "("
    indent = len(prefix)
    array = as_array(tensor)
    summarize = tensor.numel() > options.threshold
    if tensor.numel() == 0:
        text = "[]"
    else:
        notation_type = {"f": FloatFormat, "c": ComplexFormat}.get(array.dtype.kind, IntegerFormat)
        notation = notation_type(edges(array) if summarize else array)
        text = nest(array, indent, notation, summarize)
    text = prefix + text
    # Two more than the last line holds: PyTorch leaves room for what closes the text.
    used = len(text) - text.rfind("\n") + 1
    for word in suffixes(tensor, array, summarize):
        if used + len(word) + 2 > options.linewidth:
            text += ",\n" + " " * indent + word
            used = indent + len(word)
        else:
            text += ", " + word
            used += len(word) + 2
    return text + ")"


def tensor_str(tensor):
    """The text of `str(tensor)`: its repr, also where a subclass such as Parameter writes its own."""
    return repr(tensor)


def tensor_format(tensor, spec):
    """The text of `format(tensor, spec)`: a 0-d Tensor formats as the number it holds; a Parameter does not, as in PyTorch.

    Raises:
        TypeError: a specifier for a tensor of one or more dimensions, or of a subclass.

    Example:
        >>> f"{fastgrad.tensor(0.12345):.3f}"
        '0.123'
    """
    if tensor.dim() == 0 and type(tensor) is Tensor:
        return format(tensor.item(), spec)
    if spec:
        raise TypeError(f"unsupported format string passed to {type(tensor).__name__}.__format__")
    return str(tensor)
