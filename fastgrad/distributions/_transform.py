"""Transform, the base of all, and the transforms made of others: compositions, independent dimensions, reshapes, parts.

A transform is a map with an inverse (or a right inverse) and the logarithm of its Jacobian's determinant. transforms.py has the rest.
"""

import math
import weakref
from copy import copy
from functools import reduce
from operator import attrgetter

from fastgrad import Size, broadcast_tensors

from .constraints import Concatenated, Stacked, absent, cat, dependent_property, independent, real, stack, widened

__all__ = ["CatTransform", "ComposeTransform", "IndependentTransform", "ReshapeTransform", "StackTransform", "Transform", "identity_transform",
           "require_dims", "sum_rightmost"]


def sum_rightmost(value, dims):
    """The sum over the last `dims` dimensions."""
    return value.sum(tuple(range(-dims, 0))) if dims else value


def require_dims(shape, n):
    if len(shape) < n:
        raise ValueError("Too few dimensions on input")


def region_of(path):
    """A domain or codomain that another object's attribute is."""
    return dependent_property(attrgetter(path), is_discrete=False)


class Transform:
    """y = transform(x); `transform.inv(y)` gives x back.

    Invariants: subclasses set `domain` and `codomain`, define `_call` and `_inverse`, and `log_abs_det_jacobian` where it exists;
    `sign` is the sign of the derivative of a monotone transform of numbers; with cache_size=1 the last pair (x, y) is kept, by identity.
    """

    bijective = False
    _members = ()           # the names of attributes that are transforms, or lists of them, whose cache is as large as this one's

    def __init__(self, cache_size=0):
        if cache_size not in (0, 1):
            raise ValueError(f"cache_size must be 0 or 1, got {cache_size}")
        self._cache_size, self._pair, self._inv = cache_size, (None, None), None
        if cache_size:
            for name in self._members:
                member = getattr(self, name)
                kept = [part.with_cache() for part in member] if isinstance(member, list) else member.with_cache()
                setattr(self, name, kept)

    def with_cache(self, cache_size=1):
        """The same transform with a cache of this size."""
        if cache_size == self._cache_size:
            return self
        other = copy(self)
        Transform.__init__(other, cache_size)
        return other

    @property
    def event_dim(self):
        taken, given = self.domain.event_dim, self.codomain.event_dim
        if taken != given:
            raise ValueError(f"event_dim: x has {taken} and y {given}, ask domain or codomain for theirs")
        return taken

    @property
    def inv(self):
        inverse = self._inv and self._inv()
        if inverse is None:
            inverse = self._make_inverse()
            self._inv = weakref.ref(inverse)
        return inverse

    def _make_inverse(self):
        return _InverseTransform(self)

    def __getstate__(self):             # a weak reference cannot be pickled
        return {**self.__dict__, "_inv": None}

    def __eq__(self, other):
        return other is self

    def _partner(self, value, side, rule):
        """The other element of the pair whose element `side` is `value`: the kept one, or worked out by `rule`."""
        if not self._cache_size:
            return rule(value)
        if self._pair[side] is not value:
            pair = value, rule(value)
            self._pair = pair[::-1] if side else pair
        return self._pair[1 - side]

    def __call__(self, x):
        return self._partner(x, 0, self._call)

    def _inv_call(self, y):
        return self._partner(y, 1, self._inverse)

    _call, _inverse, log_abs_det_jacobian = map(absent, ("_call", "_inverse", "log_abs_det_jacobian"))
    sign = property(absent("sign"))

    def forward_shape(self, shape):
        """The shape of y for this shape of x."""
        return shape

    def inverse_shape(self, shape):
        """The shape of x for this shape of y."""
        return shape

    def __repr__(self):
        return type(self).__name__ + "()"


class _InverseTransform(Transform):
    """The other direction of `inv`, which it keeps alive; `inv` refers to it weakly."""

    inv = None              # the transform itself, in each instance

    def __init__(self, transform):
        super().__init__(transform._cache_size)
        self.inv = transform

    domain, codomain = region_of("inv.codomain"), region_of("inv.domain")
    bijective, sign = property(attrgetter("inv.bijective")), property(attrgetter("inv.sign"))
    forward_shape, inverse_shape = property(attrgetter("inv.inverse_shape")), property(attrgetter("inv.forward_shape"))

    def with_cache(self, cache_size=1):
        return self.inv.with_cache(cache_size).inv

    def __eq__(self, other):
        return isinstance(other, _InverseTransform) and other.inv == self.inv

    def __call__(self, x):
        return self.inv._inv_call(x)

    def log_abs_det_jacobian(self, x, y):
        return -self.inv.log_abs_det_jacobian(y, x)

    def __repr__(self):
        return f"{type(self).__name__}({self.inv!r})"


class ComposeTransform(Transform):
    """The transforms `parts`, the first one first."""

    _members = ("parts",)

    def __init__(self, parts, cache_size=0):
        self.parts = parts
        super().__init__(cache_size)

    def __eq__(self, other):
        return isinstance(other, ComposeTransform) and other.parts == self.parts

    def event_dims(self):
        """(the event dimensions of x that are enough for every part, those of y that come of them)."""
        enough = gained = 0
        for part in self.parts:
            enough = max(enough, part.domain.event_dim - gained)
            gained += part.codomain.event_dim - part.domain.event_dim
        return enough, enough + gained

    def _region(self, part, side):
        if not self.parts:
            return real
        region = attrgetter(("domain", "codomain")[side])(self.parts[part])
        return widened(region, self.event_dims()[side] - region.event_dim)

    domain = dependent_property(lambda self: self._region(0, 0), is_discrete=False)
    codomain = dependent_property(lambda self: self._region(-1, 1), is_discrete=False)
    bijective = property(lambda self: all(part.bijective for part in self.parts))
    sign = property(lambda self: math.prod(part.sign for part in self.parts))

    def _make_inverse(self):
        inverse = ComposeTransform([part.inv for part in reversed(self.parts)])
        inverse._inv = weakref.ref(self)
        return inverse

    def __call__(self, x):
        return reduce(lambda value, part: part(value), self.parts, x)

    def values_from(self, x):
        """x, and what becomes of it after each part."""
        values = [x]
        for part in self.parts:
            values.append(part(values[-1]))
        return values

    def log_det_along(self, values):
        """log_abs_det_jacobian(values[0], values[-1]), where each part takes one of the values to the next."""
        event_dim, terms = self.event_dims()[0], []
        for part, x, y in zip(self.parts, values, values[1:]):
            taken = part.domain.event_dim
            terms.append(sum_rightmost(part.log_abs_det_jacobian(x, y), event_dim - taken))
            event_dim += part.codomain.event_dim - taken
        return sum(terms[1:], terms[0]) if terms else values[0].new_zeros(values[0].shape)

    def log_abs_det_jacobian(self, x, y):
        before_last = ComposeTransform(self.parts[:-1]).values_from(x)
        return self.log_det_along(before_last + [y] if self.parts else before_last)

    def forward_shape(self, shape):
        return reduce(lambda shape, part: part.forward_shape(shape), self.parts, shape)

    def inverse_shape(self, shape):
        return reduce(lambda shape, part: part.inverse_shape(shape), reversed(self.parts), shape)

    def __repr__(self):
        return "ComposeTransform(\n    " + ",\n    ".join(map(repr, self.parts)) + "\n)"


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """`base_transform`, with `reinterpreted_batch_ndims` more dimensions in the event."""

    _members = ("base_transform",)

    def __init__(self, base_transform, reinterpreted_batch_ndims, cache_size=0):
        self.base_transform, self.reinterpreted_batch_ndims = base_transform, reinterpreted_batch_ndims
        super().__init__(cache_size)

    def _region(self, region):
        return independent(region, self.reinterpreted_batch_ndims)

    domain = dependent_property(lambda self: self._region(self.base_transform.domain), is_discrete=False)
    codomain = dependent_property(lambda self: self._region(self.base_transform.codomain), is_discrete=False)
    bijective, sign, forward_shape, inverse_shape = (
        property(attrgetter(f"base_transform.{name}")) for name in ("bijective", "sign", "forward_shape", "inverse_shape"))

    def _checked(self, value, region):
        require_dims(value.shape, region.event_dim)
        return value

    def _call(self, x):
        return self.base_transform(self._checked(x, self.domain))

    def _inverse(self, y):
        return self.base_transform.inv(self._checked(y, self.codomain))

    def log_abs_det_jacobian(self, x, y):
        return sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class ReshapeTransform(Transform):
    """An event of shape `in_shape` as one of shape `out_shape`."""

    bijective = True

    def __init__(self, in_shape, out_shape, cache_size=0):
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError(f"in_shape and out_shape must have as many elements, got {tuple(in_shape)} and {tuple(out_shape)}")
        super().__init__(cache_size)

    domain = dependent_property(lambda self: independent(real, len(self.in_shape)))
    codomain = dependent_property(lambda self: independent(real, len(self.out_shape)))

    def forward_shape(self, shape):
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape):
        return _exchanged(shape, self.out_shape, self.in_shape)

    def _call(self, x):
        return x.reshape(self.forward_shape(x.shape))

    def _inverse(self, y):
        return y.reshape(self.inverse_shape(y.shape))

    def log_abs_det_jacobian(self, x, y):
        return x.new_zeros(_exchanged(x.shape, self.in_shape, ()))


def _exchanged(shape, old, new):
    """`shape` with `new` for `old` at its end."""
    require_dims(shape, len(old))
    cut = len(shape) - len(old)
    if tuple(shape[cut:]) != tuple(old):
        raise ValueError(f"Shape mismatch: expected {tuple(old)} at the end of {tuple(shape)}")
    return Size(tuple(shape[:cut]) + tuple(new))


class _PartsTransform(Transform):
    """One transform for each part of a value along `dim`; `split` and `join` are those of its region."""

    _members = ("transforms",)

    def _hold(self, tseq, cache_size):
        self.transforms = list(tseq)
        if not all(isinstance(member, Transform) for member in self.transforms):
            raise AssertionError(f"{type(self).__name__}: all elements must be transforms")
        super().__init__(cache_size)

    bijective = property(lambda self: all(member.bijective for member in self.transforms))

    def _parts(self, value):
        return list(zip(self.transforms, self.split(value)))

    def _call(self, x):
        return self.join([member(part) for member, part in self._parts(x)], self.dim)

    def _inverse(self, y):
        return self.join([member.inv(part) for member, part in self._parts(y)], self.dim)

    def _log_dets(self, x, y):
        return [member.log_abs_det_jacobian(a, b) for (member, a), b in zip(self._parts(x), self.split(y))]


class CatTransform(Concatenated, _PartsTransform):
    """The transforms `tseq` of parts of `lengths` (1 each) elements along `dim`."""

    def __init__(self, tseq, dim=0, lengths=None, cache_size=0):
        self._hold(tseq, cache_size)
        self._lay_out(len(self.transforms), dim, lengths)

    def _region(self, of):
        return cat(map(of, self.transforms), self.dim, self.lengths)

    domain = dependent_property(lambda self: self._region(attrgetter("domain")))
    codomain = dependent_property(lambda self: self._region(attrgetter("codomain")))
    event_dim = property(lambda self: max(member.event_dim for member in self.transforms))
    length = property(lambda self: sum(self.lengths))

    def log_abs_det_jacobian(self, x, y):
        terms = [sum_rightmost(term, self.event_dim - member.event_dim) for member, term in zip(self.transforms, self._log_dets(x, y))]
        dim = (self.dim if self.dim < 0 else self.dim - x.dim()) + self.event_dim          # where it is without the event's dimensions
        return self.join(terms, dim) if dim < 0 else sum(terms)


class StackTransform(Stacked, _PartsTransform):
    """The transforms `tseq` of the slices along `dim`."""

    def __init__(self, tseq, dim=0, cache_size=0):
        self._hold(tseq, cache_size)
        self._lay_out(len(self.transforms), dim)

    def _region(self, of):
        return stack(map(of, self.transforms), self.dim)

    domain = dependent_property(lambda self: self._region(attrgetter("domain")))
    codomain = dependent_property(lambda self: self._region(attrgetter("codomain")))

    def log_abs_det_jacobian(self, x, y):
        return self.join(self._log_dets(*broadcast_tensors(x, y)), self.dim)
