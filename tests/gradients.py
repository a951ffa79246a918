"""Gradients against finite differences, in float64, by one random projection.

For outputs f(x) and random v, u: d/dt <v, f(x + t u)> at t = 0 must equal <grad of <v, f(x)>, u>. One number checks every
element of every gradient, since an error survives a random direction. The second order is the same test on the gradient
as a function of (x, v). NumPy moves the inputs, so nothing here depends on the engine's own arithmetic.
Inputs come from `sample`, which keeps every element inside its domain, off kinks, and apart from every other element.
"""

from dataclasses import dataclass

import fastgrad
import numpy as np

STEP = 1e-3
MARGIN = 0.02  # how far samples keep from the ends of a domain and from kinks; must exceed 2 * STEP


@dataclass(frozen=True)
class Domain:
    """Where a function is smooth: an open interval without the points of `avoid` (and without `avoid_multiples_of`)."""

    low: float = -2.0
    high: float = 2.0
    avoid: tuple = ()
    avoid_multiples_of: float | None = None

    def holds(self, values):
        """Which values lie inside, at least MARGIN from every border."""
        inside = (values > self.low + MARGIN) & (values < self.high - MARGIN)
        for kink in self.avoid:
            inside &= np.abs(values - kink) > MARGIN
        if self.avoid_multiples_of is not None:
            period = self.avoid_multiples_of
            inside &= np.abs(values - period * np.round(values / period)) > MARGIN
        return inside


def sample(shape, domain=None, seed=0):
    """A float64 NumPy array of distinct elements of the domain.

    The elements are a shuffled grid, so that no two are close: max, sort and clamp have no ties within a step. Inputs of
    one call need different seeds; their grids are shifted against each other by the seed.
    """
    domain = domain or Domain()
    rng = np.random.default_rng(seed)
    count = int(np.prod(shape))
    points = max(64, 4 * count)
    while True:
        offset = rng.uniform(0.25, 0.75)
        grid = domain.low + (domain.high - domain.low) * (np.arange(points) + offset) / points
        grid = grid[domain.holds(grid)]
        if len(grid) >= count:
            return rng.permutation(grid)[:count].reshape(shape)
        points *= 2


def inputs_for(shapes, domains=None, seed=0):
    """Differentiable float64 tensors of the given shapes, one domain for all or one for each."""
    if domains is None or isinstance(domains, Domain):
        domains = [domains] * len(shapes)
    pairs = enumerate(zip(shapes, domains))
    return [leaf(sample(shape, domain, seed=1000 * seed + place)) for place, (shape, domain) in pairs]


def leaf(array):
    """A differentiable tensor with a copy of the array's elements and its layout."""
    return fastgrad.from_numpy(np.array(array, dtype=np.float64, order="K", copy=True)).requires_grad_(True)


def array_of(tensor):
    return np.array(tensor.detach().numpy(), order="K", copy=True)


def is_varied(value):
    return isinstance(value, fastgrad.Tensor) and value.requires_grad


def differentiable_outputs(result):
    outputs = [result] if isinstance(result, fastgrad.Tensor) else list(result)
    return [output for output in outputs if is_varied(output)]


def directions(arrays, rng):
    """Random directions whose elements lie in 0.5 to 1, either sign: a step never leaves the margin."""
    return [rng.uniform(0.5, 1.0, a.shape) * rng.choice([-1.0, 1.0], a.shape) for a in arrays]


def slope(function, step):
    """The derivative of a function of one number at 0, by a central difference of fourth order."""
    near = function(step) - function(-step)
    far = function(2 * step) - function(-2 * step)
    return (8 * near - far) / (12 * step)


def projected(arrays, weights):
    """<arrays, weights> over all arrays, and the sum of the terms' sizes, against which errors are measured."""
    terms = [array * weight for array, weight in zip(arrays, weights)]
    return sum(float(t.sum()) for t in terms), sum(float(np.abs(t).sum()) for t in terms)


def gradients(outputs, inputs, cotangents, create_graph=False):
    """Gradients of <cotangents, outputs>; zeros for an input that is not used."""
    found = fastgrad.autograd.grad(
        outputs, inputs, cotangents, create_graph=create_graph, allow_unused=True, retain_graph=create_graph
    )
    return [fastgrad.zeros_like(x) if g is None else g for g, x in zip(found, inputs)]


class Projection:
    """A function of some tensors, seen along one random direction of all its differentiable inputs."""

    def __init__(self, function, inputs, seed):
        self.function = function
        self.inputs = list(inputs)
        self.places = [place for place, value in enumerate(self.inputs) if is_varied(value)]
        if not self.places:
            raise ValueError("gradient check: an input must require a gradient")
        self.origin = [array_of(self.inputs[place]) for place in self.places]
        if any(array.dtype != np.float64 for array in self.origin):
            raise TypeError("gradient check: differentiable inputs must be float64")
        rng = np.random.default_rng(seed)
        self.direction = directions(self.origin, rng)
        shapes = [array_of(output) for output in self.call(self.leaves(0.0))]
        if not shapes:
            raise AssertionError("gradient check: no output requires a gradient")
        self.cotangent = [rng.standard_normal(shape.shape) for shape in shapes]
        self.cotangent_direction = directions(self.cotangent, rng)
        self.weight = [rng.standard_normal(array.shape) for array in self.origin]

    def leaves(self, t):
        return [leaf(x + t * u) for x, u in zip(self.origin, self.direction)]

    def cotangents(self, t):
        return [leaf(v + t * w) for v, w in zip(self.cotangent, self.cotangent_direction)]

    def call(self, leaves):
        arguments = list(self.inputs)
        for place, value in zip(self.places, leaves):
            arguments[place] = value
        return differentiable_outputs(self.function(*arguments))

    def value(self, t):
        """<v, f(x + t u)>"""
        return projected(map(array_of, self.call(self.leaves(t))), self.cotangent)[0]

    def first(self):
        """Gradient of <v, f(x)> along u, and its scale."""
        leaves = self.leaves(0.0)
        found = gradients(self.call(leaves), leaves, [fastgrad.from_numpy(v.copy()) for v in self.cotangent])
        for got, x in zip(found, self.origin):
            assert tuple(got.shape) == x.shape, f"a gradient has shape {tuple(got.shape)}, its input {x.shape}"
        return projected(map(array_of, found), self.direction)

    def gradient_value(self, t):
        """<w, gradient at (x + t u, v + t u')>"""
        leaves = self.leaves(t)
        found = gradients(self.call(leaves), leaves, [c.detach() for c in self.cotangents(t)])
        return projected(map(array_of, found), self.weight)[0]

    def second(self):
        """Gradient of <w, gradient> along (u, u'), and its scale; None if the gradient is constant."""
        leaves, cotangents = self.leaves(0.0), self.cotangents(0.0)
        found = gradients(self.call(leaves), leaves, cotangents, create_graph=True)
        pairs = [(g, w) for g, w in zip(found, self.weight) if is_varied(g)]
        if not pairs:
            return 0.0, 0.0
        outputs, weights = zip(*pairs)
        curvature = gradients(
            list(outputs), [*leaves, *cotangents], [fastgrad.from_numpy(w.copy()) for w in weights]
        )
        return projected(map(array_of, curvature), [*self.direction, *self.cotangent_direction])


def compare_slopes(name, order, expected, analytic, scale, rtol, atol):
    if not abs(analytic - expected) <= atol + rtol * max(scale, abs(expected)):
        raise AssertionError(
            f"{name}: the {order} gradient along a random direction is {analytic!r}, finite differences give {expected!r}"
        )


def check_gradients(function, inputs, order=2, seed=0, name="function", rtol=1e-8, atol=1e-10, step=STEP):
    """Assert that a function's gradients of first (and second) order agree with finite differences.

    Args:
        function: takes the inputs, returns a tensor or a sequence of tensors; must be deterministic.
        inputs: tensors; float64 ones that require a gradient are varied, all others are passed as they are.
        order: 1 or 2.

    Raises:
        AssertionError: a gradient is wrong, has the wrong shape, or is missing.

    Example:
        check_gradients(fastgrad.log, inputs_for([(3, 4)], Domain(0.1, 3.0)))
    """
    projection = Projection(function, inputs, seed)
    analytic, scale = projection.first()
    compare_slopes(name, "first", slope(projection.value, step), analytic, scale, rtol, atol)
    if order >= 2:
        analytic, scale = projection.second()
        compare_slopes(name, "second", slope(projection.gradient_value, step), analytic, scale, rtol, atol)


def check_jacobian(function, inputs, name="function", rtol=1e-8, atol=1e-10, step=STEP):
    """Assert the full Jacobian, element by element: slow, and tells which element is wrong."""
    projection = Projection(function, inputs, seed=0)
    leaves = projection.leaves(0.0)
    outputs = projection.call(leaves)
    for row, v in enumerate(unit_arrays([array_of(output) for output in outputs])):
        projection.cotangent = v
        analytic = gradients(outputs, leaves, [fastgrad.from_numpy(a) for a in v], create_graph=True)
        analytic = [array_of(g) for g in analytic]
        for column, u in enumerate(unit_arrays(projection.origin)):
            projection.direction = u
            got, scale = projected(analytic, u)
            label = f"{name}: output element {row}, input element {column}"
            compare_slopes(label, "first", slope(projection.value, step), got, scale, rtol, atol)


def unit_arrays(arrays):
    """For each element of the arrays: arrays of zeros with a one there."""
    for place, array in enumerate(arrays):
        for index in np.ndindex(array.shape):
            units = [np.zeros(a.shape) for a in arrays]
            units[place][index] = 1.0
            yield units
