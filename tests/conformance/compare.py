"""Whether two results agree, and if not, in what: structure, dtype, shape, stride or value.

The tolerance of floating-point values follows the kind of operation: none where IEEE arithmetic or copying fixes every
bit, PyTorch's own for float32 and below otherwise, and a tighter one than PyTorch's for float64 (its default of 1e-7
would hide a float32 computation).
"""

import cmath
import math

import torch

from tests.conformance.convert import short_name, to_torch

# Operations whose result is fixed to the bit: one correctly rounded operation per element, a choice, or a copy.
EXACT = set(
    """
    add sub mul div true_divide floor_divide neg abs sign reciprocal square sqrt eq ne lt le gt ge logical_and logical_or
    logical_not logical_xor bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift
    floor ceil round trunc frac fmod remainder clamp clamp_min clamp_max minimum maximum where isnan isinf isfinite isclose
    nn.functional.relu relu nn.functional.relu6 nn.functional.hardtanh nn.functional.one_hot
    min max amin amax argmin argmax any all cat stack hstack vstack dstack column_stack split split_with_sizes chunk
    unbind tensor_split gather scatter index_select index_fill index_copy masked_fill masked_select take_along_dim take
    tril triu eye full zeros ones full_like zeros_like ones_like new_full new_zeros new_ones flip fliplr flipud
    roll repeat repeat_interleave tile sort argsort topk nonzero msort view view_as reshape reshape_as transpose permute
    T mT t movedim moveaxis swapaxes expand expand_as squeeze unsqueeze flatten unflatten narrow select unfold diagonal
    diag diag_embed as_strided detach clone contiguous to type_as __getitem__ __radd__ __rsub__ __rmul__ __rdiv__ __rmod__
    __rand__ __ror__ __rxor__ item tolist fill zero zero_ broadcast_to broadcast_tensors meshgrid atleast_1d atleast_2d
    atleast_3d ravel tril_indices triu_indices count_nonzero
    """.split()
)

# The result's elements are whatever memory held, so only dtype, shape and strides are compared.
UNINITIALIZED = {"empty", "empty_like", "new_empty", "empty_strided", "empty_permuted", "new_empty_strided"}

# Views: their strides and where they point are part of the promise, contiguous or not.
VIEWS = set(
    """
    view view_as reshape reshape_as transpose permute T mT t movedim moveaxis swapaxes expand expand_as squeeze unsqueeze
    flatten unflatten narrow select unfold diagonal as_strided detach split split_with_sizes chunk unbind tensor_split
    broadcast_to broadcast_tensors atleast_1d atleast_2d atleast_3d ravel contiguous to __getitem__ swapdims
    """.split()
)

# Which of two zeros an extremum is, 0.0 or -0.0, is not promised.
SIGNLESS_ZERO = {"min", "max", "amin", "amax", "minimum", "maximum", "clamp", "clamp_min", "clamp_max"}

# Order among equal elements is not promised, so indices may differ where the elements they pick are equal.  Name -> where its `dim` stands.
UNSTABLE = {"topk": 1, "kthvalue": 1, "mode": 0}

# rtol, atol. float32 and narrower: the defaults of torch.testing.assert_close.
VALUE_TOLERANCE = {
    "float64": (1e-12, 1e-12),
    "float32": (1.3e-6, 1e-5),
    "complex128": (1e-12, 1e-12),
    "complex64": (1.3e-6, 1e-5),
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
}
GRADIENT_TOLERANCE = {**VALUE_TOLERANCE, "float64": (1e-10, 1e-10), "complex128": (1e-10, 1e-10)}


class Mismatch(Exception):
    """Two results differ: `status` says in what, the message how."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def strides_that_show(shape, strides):
    """Strides of dimensions with more than one element; the others never address anything."""
    if 0 in shape:
        return []
    return [stride for size, stride in zip(shape, strides) if size > 1]


def is_exact(op, kwargs):
    """Whether every bit of the result is fixed; PyTorch fuses the product with `alpha` on some elements only."""
    return op in EXACT and "alpha" not in kwargs


def complex_close(theirs, ours, rtol, atol):
    """As numbers, or part by part: infinities and NaN have no distance."""
    theirs, ours = theirs.resolve_conj(), ours.resolve_conj()
    parts = torch.isclose(torch.view_as_real(ours), torch.view_as_real(theirs), rtol=rtol, atol=atol, equal_nan=True)
    return torch.isclose(ours, theirs, rtol=rtol, atol=atol) | parts.all(-1)


def compare_values(theirs, ours, tolerance, exact, signed_zero=True):
    """Elementwise comparison of two PyTorch tensors of one dtype and shape."""
    if theirs.dtype.is_complex:
        same = complex_close(theirs, ours, *tolerance[short_name(theirs.dtype)])
    elif exact or not theirs.dtype.is_floating_point:
        same = theirs == ours
        if theirs.dtype.is_floating_point:
            same |= theirs.isnan() & ours.isnan()
            if signed_zero:
                same &= (theirs != 0) | (theirs.signbit() == ours.signbit())
    else:
        rtol, atol = tolerance[short_name(theirs.dtype)]
        same = torch.isclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True)
    if bool(same.all()):
        return
    wrong = (~same).nonzero()
    first = tuple(wrong[0].tolist())
    raise Mismatch(
        "value",
        f"{len(wrong)} of {theirs.numel()} elements differ, first at {first}: "
        f"got {ours[first].item()!r}, expected {theirs[first].item()!r}",
    )


def compare_tensor(theirs, ours, op, tolerance=VALUE_TOLERANCE, exact=False, strides=True):
    if short_name(ours.dtype) != short_name(theirs.dtype):
        raise Mismatch("dtype", f"got {short_name(ours.dtype)}, expected {short_name(theirs.dtype)}")
    if tuple(ours.shape) != tuple(theirs.shape):
        raise Mismatch("shape", f"got {tuple(ours.shape)}, expected {tuple(theirs.shape)}")
    if strides and (op in VIEWS or theirs.is_contiguous()):
        shape = tuple(theirs.shape)
        if strides_that_show(shape, ours.stride()) != strides_that_show(shape, theirs.stride()):
            raise Mismatch("stride", f"got {tuple(ours.stride())}, expected {tuple(theirs.stride())}")
    if op not in UNINITIALIZED:
        compare_values(to_torch(theirs), to_torch(ours), tolerance, exact, op not in SIGNLESS_ZERO)


def compare_number(theirs, ours):
    same = type(ours) is type(theirs) and (
        ours == theirs or (isinstance(theirs, complex) and cmath.isnan(theirs) and cmath.isnan(ours)) or (isinstance(theirs, float) and math.isnan(theirs) and math.isnan(ours))
    )
    if not same:
        raise Mismatch("value", f"got {ours!r}, expected {theirs!r}")


def field_names(result):
    """Names of a `torch.return_types` result's fields, as in `x.max(0).indices`."""
    return type(result).__match_args__ if type(result).__module__ == "torch.return_types" else ()


def compare_result(theirs, ours, op, library, exact):
    """Raise Mismatch unless `ours`, the library's result, agrees with `theirs`, PyTorch's."""
    if isinstance(theirs, torch.Tensor):
        if not isinstance(ours, library.Tensor):
            raise Mismatch("value", f"got a {type(ours).__name__}, expected a Tensor")
        compare_tensor(theirs, ours, op, exact=exact)
    elif isinstance(theirs, (list, tuple)):
        family = list if isinstance(theirs, list) else tuple
        if not isinstance(ours, family):
            raise Mismatch("value", f"got a {type(ours).__name__}, expected a {family.__name__}")
        if len(ours) != len(theirs):
            raise Mismatch("shape", f"got {len(ours)} results, expected {len(theirs)}")
        missing = [name for name in field_names(theirs) if not hasattr(ours, name)]
        if missing:
            raise Mismatch("value", f"the result has no field {missing[0]!r}")
        for one, other in zip(theirs, ours):
            compare_result(one, other, op, library, exact)
    elif isinstance(theirs, (bool, int, float, complex, str, type(None))):
        compare_number(theirs, ours)
    elif short_name(theirs) != short_name(ours):
        raise Mismatch("value", f"got {ours!r}, expected {theirs!r}")


def same_selection(source, theirs, ours, dim):
    """Whether two index tensors pick equal elements of `source`, each place at most once."""
    if source.dim() == 0:
        return True
    mine = to_torch(ours)
    if theirs.dim() < source.dim():
        mine, theirs = mine.unsqueeze(dim), theirs.unsqueeze(dim)
    if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
        return False
    repeated = (mine.sort(dim).values.diff(dim=dim) == 0).any()
    return not repeated and torch.equal(source.gather(dim, mine), source.gather(dim, theirs))
