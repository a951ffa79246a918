"""What arguments and values of distributions may be: `check` gives a bool for each element, or each event."""

import operator

import fastgrad as fg

__all__ = ["Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property", "greater_than",
           "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval", "is_dependent", "less_than", "lower_cholesky",
           "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive", "positive_definite", "positive_integer",
           "positive_semidefinite", "real", "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval"]


def absent(name):
    """What subclasses that have it define."""

    def refuse(self, *arguments, **named):
        raise NotImplementedError(f"{type(self).__name__} does not implement {name}")

    return refuse


class Constraint:
    """A region; `event_dim` dimensions of a value are judged as one."""

    is_discrete, event_dim = False, 0
    check = absent("check")

    def __repr__(self):
        name = type(self).__name__.lstrip("_")
        return name[0].upper() + name[1:] + "()"


def all_of(judged, dims):
    """Whether the last `dims` dimensions are true throughout."""
    return judged.flatten(judged.dim() - dims).all(-1) if dims else judged


def _need_dims(value, dims):
    if value.dim() < dims:
        raise ValueError(f"Expected value.dim() >= {dims} but got {value.dim()}")


# ---- regions that depend on a distribution's arguments

class _Dependent(Constraint):
    """Which region it is only an instance of the distribution knows; of the class, what `known` says."""

    def __init__(self, **known):
        self._known = known

    def _asked(self, what):
        answer = self._known.get(what, NotImplemented)
        if answer is NotImplemented:
            raise NotImplementedError(f".{what} cannot be determined statically")
        return answer

    is_discrete = property(lambda self: self._asked("is_discrete"))
    event_dim = property(lambda self: self._asked("event_dim"))

    def __call__(self, **known):
        """The same with more of it known."""
        return _Dependent(**{**self._known, **known})

    def check(self, value):
        raise ValueError("Cannot determine validity of dependent constraint")


class dependent_property(property, _Dependent):
    """A property that gives a constraint; asked of the class it is a dependent constraint itself."""

    def __init__(self, function=None, **known):
        property.__init__(self, function)
        _Dependent.__init__(self, **known)

    def __call__(self, function):       # used as @dependent_property(is_discrete=..., event_dim=...)
        return dependent_property(function, **self._known)


def is_dependent(constraint):
    """Whether the constraint depends on arguments of the distribution."""
    return isinstance(constraint, _Dependent)


# ---- regions of numbers, told by their ends

class _Bounded(Constraint):
    """Numbers between the ends that `bounds` names, each with the comparison that a number must pass; whole numbers if discrete."""

    bounds = {}

    def __init__(self, *ends, **named):
        ends = {**dict(zip(self.bounds, ends)), **named}
        if ends.keys() != self.bounds.keys():
            raise TypeError(f"{type(self).__name__}: expected {', '.join(self.bounds)}, got {', '.join(ends) or 'nothing'}")
        vars(self).update(ends)

    def check(self, value):
        tests = [passes(value, getattr(self, end)) for end, passes in self.bounds.items()]
        if self.is_discrete:
            tests.append(value % 1 == 0)
        inside = tests[0]
        for test in tests[1:]:
            inside = inside & test
        return inside

    def __repr__(self):
        ends = ", ".join(f"{end}={getattr(self, end)}" for end in self.bounds)
        return f"{type(self).__name__[1:]}({ends})"


class _GreaterThan(_Bounded):
    bounds = {"lower_bound": operator.gt}


class _GreaterThanEq(_Bounded):
    bounds = {"lower_bound": operator.ge}


class _LessThan(_Bounded):
    bounds = {"upper_bound": operator.lt}


class _Interval(_Bounded):
    bounds = {"lower_bound": operator.ge, "upper_bound": operator.le}


class _HalfOpenInterval(_Bounded):
    bounds = {"lower_bound": operator.ge, "upper_bound": operator.lt}


class _IntegerGreaterThan(_GreaterThanEq):          # the name is PyTorch's: the end itself belongs to it
    is_discrete = True


class _IntegerInterval(_Interval):
    is_discrete = True


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value):
        return (value == 1) | (value == 0)


class _Real(Constraint):
    def check(self, value):
        return value == value           # all but NaN


# ---- regions of vectors

class _Simplex(Constraint):
    event_dim = 1

    def check(self, value):
        return all_of(value >= 0, 1) & ((1 - value.sum(-1)).abs() < 1e-6)


class _OneHot(_Boolean):
    event_dim = 1

    def check(self, value):
        return all_of(super().check(value), 1) & (value.sum(-1) == 1)


class _Multinomial(Constraint):
    """Counts of at most `upper_bound` together."""

    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound):
        self.upper_bound = upper_bound

    def check(self, value):
        return all_of(value >= 0, 1) & (value.sum(-1) <= self.upper_bound)


# ---- regions of matrices

def _diagonal(matrix):
    return matrix.diagonal(dim1=-2, dim2=-1)


class _LowerTriangular(Constraint):
    event_dim = 2

    def check(self, value):
        return all_of(value == value.tril(), 2)


class _LowerCholesky(_LowerTriangular):
    def check(self, value):
        return super().check(value) & all_of(_diagonal(value) > 0, 1)


class _CorrCholesky(_LowerCholesky):
    def check(self, value):
        tolerance = fg.finfo(value.dtype).eps * value.size(-1) * 10       # the sum of a row's squares rounds
        unit_rows = (value.square().sum(-1) - 1).abs() <= tolerance
        return super().check(value) & all_of(unit_rows, 1)


class _Square(Constraint):
    event_dim = 2

    def check(self, value):
        *batch, rows, columns = value.shape
        return fg.full(tuple(batch), rows == columns, dtype=fg.bool)


class _Symmetric(_Square):
    def check(self, value):
        if value.shape[-1] != value.shape[-2]:
            return super().check(value)
        return all_of(fg.isclose(value, value.mT, atol=1e-6), 2)


class _PositiveSemidefinite(_Symmetric):
    def check(self, value):
        symmetric = super().check(value)
        return self._definite(value) if symmetric.all() else symmetric

    def _definite(self, value):
        return all_of(fg.linalg.eigvalsh(value) >= 0, 1)


class _PositiveDefinite(_PositiveSemidefinite):
    def _definite(self, value):
        return fg.linalg.cholesky_ex(value).info == 0


# ---- regions made of others

class independent(Constraint):
    """A constraint of which the last `reinterpreted_batch_ndims` dimensions are judged as one."""

    def __init__(self, base_constraint, reinterpreted_batch_ndims):
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims
        self.event_dim = reinterpreted_batch_ndims + base_constraint.event_dim
        self.is_discrete = base_constraint.is_discrete

    def check(self, value):
        _need_dims(value, self.event_dim)
        return all_of(self.base_constraint.check(value), self.reinterpreted_batch_ndims)

    def __repr__(self):
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


def widened(constraint, dims):
    """`constraint` with `dims` more dimensions judged as one."""
    return independent(constraint, dims) if dims > 0 else constraint


def _constraint(value):
    if isinstance(value, Constraint):
        return value
    raise AssertionError(f"expected a constraint, got {type(value).__name__}")


class Concatenated:
    """What is made of one member for each part of `lengths` (1 each) elements along `dim`."""

    join = staticmethod(fg.cat)

    def _lay_out(self, count, dim, lengths):
        self.dim, self.lengths = dim, list(lengths) if lengths is not None else [1] * count
        if len(self.lengths) != count:
            raise AssertionError(f"lengths: there must be one for each of {count} parts, got {len(self.lengths)}")

    def split(self, value):
        self._check_size(value, sum(self.lengths))
        return value.split(self.lengths, self.dim)

    def _check_size(self, value, wanted):
        if self.dim not in range(-value.dim(), value.dim()):
            raise AssertionError(f"dim: must be one of the {value.dim()} dimensions of the value, got {self.dim}")
        if value.size(self.dim) != wanted:
            raise AssertionError(f"value: size along dim {self.dim} must be {wanted}, got {value.size(self.dim)}")


class Stacked(Concatenated):
    """What is made of one member for each slice along `dim`."""

    join = staticmethod(fg.stack)

    def _lay_out(self, count, dim):
        self.dim, self._count = dim, count

    def split(self, value):
        self._check_size(value, self._count)
        return value.unbind(self.dim)


class _Parts(Constraint):
    def _hold(self, cseq):
        self.cseq = list(map(_constraint, cseq))

    is_discrete = property(lambda self: any(member.is_discrete for member in self.cseq))
    event_dim = property(lambda self: max(member.event_dim for member in self.cseq))

    def check(self, value):
        return self.join([member.check(part) for member, part in zip(self.cseq, self.split(value))], self.dim)


class cat(Concatenated, _Parts):
    """Parts of `lengths` (1 each) elements along `dim`, each with its constraint."""

    def __init__(self, cseq, dim=0, lengths=None):
        self._hold(cseq)
        self._lay_out(len(self.cseq), dim, lengths)


class stack(Stacked, _Parts):
    """The slices along `dim`, each with its constraint."""

    def __init__(self, cseq, dim=0):
        self._hold(cseq)
        self._lay_out(len(self.cseq), dim)

    @property
    def event_dim(self):
        inner = super().event_dim
        return inner + (self.dim < -inner)          # the stacked dimension belongs to the event


class MixtureSameFamilyConstraint(Constraint):
    """The component's constraint, asked of a value that has no dimension of components."""

    def __init__(self, base_constraint):
        self.base_constraint = _constraint(base_constraint)

    is_discrete = property(operator.attrgetter("base_constraint.is_discrete"))
    event_dim = property(operator.attrgetter("base_constraint.event_dim"))

    def check(self, value):
        _need_dims(value, self.event_dim)
        return all_of(self.base_constraint.check(value.unsqueeze(-1 - self.event_dim)), 1)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_constraint!r})"


dependent, boolean, real, simplex, one_hot = _Dependent(), _Boolean(), _Real(), _Simplex(), _OneHot()
positive, nonnegative, unit_interval = _GreaterThan(0.0), _GreaterThanEq(0.0), _Interval(0.0, 1.0)
nonnegative_integer, positive_integer = _IntegerGreaterThan(0), _IntegerGreaterThan(1)
real_vector = independent(real, 1)
lower_triangular, lower_cholesky, corr_cholesky = _LowerTriangular(), _LowerCholesky(), _CorrCholesky()
square, symmetric, positive_semidefinite, positive_definite = _Square(), _Symmetric(), _PositiveSemidefinite(), _PositiveDefinite()
greater_than, greater_than_eq, less_than = _GreaterThan, _GreaterThanEq, _LessThan
interval, half_open_interval, integer_interval, multinomial = _Interval, _HalfOpenInterval, _IntegerInterval, _Multinomial
