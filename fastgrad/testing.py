"""fastgrad.testing: assert_close and make_tensor, as in torch.testing."""

from collections.abc import Mapping, Sequence
from math import isclose, prod

import fastgrad
from fastgrad._engine import Tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]

TOLERANCES = {"float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}
TOLERANCES |= {"complex64": TOLERANCES["float32"], "complex128": TOLERANCES["float64"]}


def tolerance(*kinds):
    """The larger of the defaults, (relative, absolute), of dtypes."""
    pairs = [TOLERANCES.get(str(kind).rpartition(".")[2], (0.0, 0.0)) for kind in kinds]
    return tuple(max(pair) for pair in zip(*pairs))


class Comparison:
    def __init__(self, rtol, atol, equal_nan, check_dtype, check_stride, allow_subclasses, msg):
        self.rtol, self.atol, self.equal_nan, self.check_dtype = rtol, atol, equal_nan, check_dtype
        self.check_stride, self.allow_subclasses, self.msg = check_stride, allow_subclasses, msg

    def fail(self, message, path):
        if path:
            message += f"\n\nThe failure occurred for item {''.join(f'[{p!r}]' for p in path)}"
        if self.msg is not None:
            message = self.msg(message) if callable(self.msg) else self.msg
        raise AssertionError(message)

    def tolerances(self, *kinds):
        return tolerance(*kinds) if self.rtol is None else (self.rtol, self.atol)

    def related(self, a, b):
        return type(a) is type(b) or self.allow_subclasses and (isinstance(a, type(b)) or isinstance(b, type(a)))

    def compare(self, actual, expected, path):
        if actual is None or expected is None:
            if actual is not expected:
                self.fail(f"None mismatch: {actual} is not {expected}", path)
        elif isinstance(actual, bool) and isinstance(expected, bool):
            if actual is not expected:
                self.fail(f"Booleans mismatch: {actual} is not {expected}", path)
        elif isinstance(actual, (bool, int, float, complex)) and isinstance(expected, (bool, int, float, complex)):
            self.numbers(actual, expected, path)
        elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
            self.mappings(actual, expected, path)
        elif isinstance(actual, Sequence) and isinstance(expected, Sequence) and not isinstance(actual, str) and not isinstance(expected, str):
            if len(actual) != len(expected):
                self.fail(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path)
            for i, (a, e) in enumerate(zip(actual, expected)):
                self.compare(a, e, (*path, i))
        elif self.related(actual, expected) and hasattr(actual, "__array__"):
            self.tensors(*(t if isinstance(t, Tensor) else fastgrad.as_tensor(t) for t in (actual, expected)), path)
        else:
            raise TypeError(f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
                            + (f"\n\nThe failure occurred for item {''.join(f'[{p!r}]' for p in path)}" if path else ""))

    def mappings(self, actual, expected, path):
        missing, additional = [k for k in expected if k not in actual], [k for k in actual if k not in expected]
        if missing or additional:
            self.fail("The keys of the mappings do not match:\n" f"Missing keys in the actual mapping: {sorted(missing)}\n"
                      f"Additional keys in the actual mapping: {sorted(additional)}", path)
        for key in expected:
            self.compare(actual[key], expected[key], (*path, key))

    def numbers(self, actual, expected, path):
        if self.check_dtype and type(actual) is not type(expected):
            self.fail(f"The (d)types do not match: {type(actual)} != {type(expected)}.", path)
        rtol, atol = self.tolerances(*["float64" if isinstance(x, (float, complex)) else "int" for x in (actual, expected)])
        difference = abs(actual - expected)
        if not (actual == expected or difference <= atol + rtol * abs(expected) and difference != float("inf")
                or self.equal_nan and actual != actual and expected != expected):
            self.fail(scalar_message(actual, expected, rtol, atol), path)

    def tensors(self, actual, expected, path):
        if actual.shape != expected.shape:
            self.fail(f"The values for attribute 'shape' do not match: torch.{actual.shape!r} != torch.{expected.shape!r}.".replace("torch.torch", "torch"),
                      path)
        if self.check_stride and actual.stride() != expected.stride():
            self.fail(f"The values for attribute 'stride()' do not match: {actual.stride()} != {expected.stride()}.", path)
        if self.check_dtype and actual.dtype != expected.dtype:
            self.fail(f"The values for attribute 'dtype' do not match: {actual.dtype} != {expected.dtype}.", path)
        rtol, atol = self.tolerances(actual.dtype, expected.dtype)
        common = fastgrad.promote_types(actual.dtype, expected.dtype)
        with fastgrad.no_grad():
            actual, expected = actual.to(common), expected.to(common)
            matches = fastgrad.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=self.equal_nan)
            if bool(matches.all()):
                return
            if not actual.ndim:
                self.fail(scalar_message(actual.item(), expected.item(), rtol, atol), path)
            self.fail(tensor_message(actual, expected, matches, rtol, atol), path)


def allowed(bound):
    return f" (up to {bound} allowed)"


def scalar_message(actual, expected, rtol, atol):
    equal = rtol == atol == 0
    absolute = abs(actual - expected)
    relative = absolute / abs(expected) if expected else float("inf")
    return (f"Scalars are not {'equal' if equal else 'close'}!\n\nExpected {expected} but got {actual}.\n"
            f"Absolute difference: {absolute}{'' if equal else allowed(atol)}\n"
            f"Relative difference: {relative}{'' if equal else allowed(rtol)}")


def tensor_message(actual, expected, matches, rtol, atol):
    equal = rtol == atol == 0
    total, wrong = matches.numel(), int((~matches).sum())
    exact = actual.dtype if actual.dtype.is_floating_point or actual.dtype.is_complex else fastgrad.int64
    actual, expected = actual.to(exact), expected.to(exact)
    absolute = fastgrad.where(matches, 0, (actual - expected).abs())
    relative = fastgrad.where(matches, 0, absolute / expected.abs())
    lines = [f"Tensor-likes are not {'equal' if equal else 'close'}!\n", f"Mismatched elements: {wrong} / {total} ({wrong / total:.1%})"]
    for name, x, bound in (("absolute", absolute, atol), ("relative", relative, rtol)):
        place = int(x.argmax())
        index, rest = [], place
        for n in reversed(x.shape):
            index.append(rest % n)
            rest //= n
        lines.append(f"Greatest {name} difference: {x.reshape(-1)[place].item()} at index {tuple(reversed(index))}{'' if equal else allowed(bound)}")
    return "\n".join(lines)


def assert_close(actual, expected, *, allow_subclasses=True, rtol=None, atol=None, equal_nan=False, check_device=True, check_dtype=True,
                 check_layout=True, check_stride=False, msg=None):
    """Raise unless |actual - expected| <= atol + rtol * |expected|, element by element.

    Args:
        actual, expected: tensors, arrays, numbers, None, or sequences and mappings of them.
        rtol, atol: both or neither; by default by the dtype: 1.3e-6 and 1e-5 for float32, 1e-7 twice for float64, 0 for integers.
        equal_nan: whether nan is close to nan.
        check_dtype, check_stride: whether these must be the same; device and layout are always.
        msg: a text in place of the message, or a function from the message to one.
    Raises:
        AssertionError: they are not close.
        TypeError: there is nothing to compare them by.
        ValueError: only one of rtol and atol is given.
    Example:
        >>> assert_close(fastgrad.tensor([1.0]), fastgrad.tensor([1.0 + 1e-7]))
    """
    if (rtol is None) != (atol is None):
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {'rtol' if rtol is None else 'atol'}.")
    Comparison(rtol, atol, equal_nan, check_dtype, check_stride, allow_subclasses, msg).compare(actual, expected, ())


def assert_allclose(actual, expected, rtol=None, atol=None, equal_nan=True, msg=""):
    """An old name: assert_close that converts to tensors, does not look at dtypes, and takes nan for nan."""
    actual, expected = fastgrad.as_tensor(actual), fastgrad.as_tensor(expected)
    if rtol is None and atol is None:
        rtol, atol = tolerance(actual.dtype, expected.dtype)
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


def uniform(x, low, high):
    """Uniform random numbers in [low, high), which may be wider than the largest number."""
    return x.uniform_(low / 2, high / 2).mul_(2) if high - low >= fastgrad.finfo(x.dtype).max else x.uniform_(low, high)


def make_tensor(*shape, dtype, device="cpu", low=None, high=None, requires_grad=False, noncontiguous=False, exclude_zero=False,
                memory_format=None):
    """A tensor of uniform random values.

    Args:
        low, high: the values lie in [low, high); [-9, 9) by default, [-9, 10) for integers, [0, 10) for uint8.
        noncontiguous: whether every second element of a larger tensor is taken.
        exclude_zero: whether zeros become the least positive number, or one.
    Raises:
        ValueError: low is not below high, or one is nan; noncontiguous with a memory_format.
    """
    if noncontiguous and memory_format is not None:
        raise ValueError(f"The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got {noncontiguous=} and {memory_format=}")
    shape = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    if str(device) != "cpu":
        raise NotImplementedError(f"make_tensor: tensors are on the CPU, got device {device}")
    if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(f"`requires_grad=True` is not supported for integral and boolean dtypes, but got dtype={dtype}")
    floating, boolean = dtype.is_floating_point or dtype.is_complex, dtype == fastgrad.bool
    default = (0, 2) if boolean else (-9, 9) if floating else (-9, 10)
    low, high = default[0] if low is None else low, default[1] if high is None else high
    if low != low or high != high:
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={low!r} and high={high!r}")
    if low > high or low == high and not (floating and isclose(low, high)):
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    size = (*shape[:-1], shape[-1] * 2) if noncontiguous and prod(shape) > 1 else shape
    if floating:
        info = fastgrad.finfo(dtype)
        low, high = max(low, info.min), min(high, info.max)
        result = fastgrad.empty(size, dtype=dtype)
        uniform(fastgrad.view_as_real(result) if dtype.is_complex else result, low, high)
    else:
        least, most = (0, 1) if boolean else (fastgrad.iinfo(dtype).min, fastgrad.iinfo(dtype).max)
        low, high = max(low, least), min(high, most + (dtype != fastgrad.int64))
        result = fastgrad.randint(int(-(-low // 1)), int(-(-high // 1)), size, dtype=dtype)
    if noncontiguous and prod(shape) > 1:
        result = result[..., 1::2]
    elif memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result = fastgrad.where(result == 0, info.tiny if floating else 1, result).to(dtype)
    return result.requires_grad_(requires_grad) if requires_grad else result
