"""A line search for L-BFGS: a step length that meets the strong Wolfe conditions.

Source: Nocedal and Wright 2006, Numerical Optimization, algorithms 3.5 (bracketing) and 3.6 (zoom), with the safeguards of
Schmidt's minFunc.
"""

from typing import Any, NamedTuple

DECREASE = 1e-4        # c1: how much of the predicted decrease there must be
CURVATURE = 0.9        # c2: how much of the first slope may be left
MIN_CHANGE = 1e-9


class Point(NamedTuple):
    """A step length with the loss, the gradient and the slope along the direction there."""

    t: Any
    loss: float
    grad: Any
    slope: Any


def cubic_minimum(a, b, bounds=None):
    """The minimum of the cubic through two Points, held inside bounds, which are the points by default."""
    low, high = bounds or (min(a.t, b.t), max(a.t, b.t))
    if a.t > b.t:
        a, b = b, a
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = mean**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    root = square**0.5
    minimum = b.t - (b.t - a.t) * ((b.slope + root - mean) / (b.slope - a.slope + 2 * root))
    return min(max(minimum, low), high)


class _Search:
    """at(t) gives (loss, gradient) at step length t; counts what it evaluates."""

    def __init__(self, at, direction, start):
        self.at, self.direction, self.start = at, direction, start
        self.evaluations = 0

    def point(self, t):
        loss, grad = self.at(t)
        self.evaluations += 1
        return Point(t, loss, grad, grad.dot(self.direction))

    def too_high(self, point):
        return point.loss > self.start.loss + DECREASE * point.t * self.start.slope

    def flat(self, point):
        return abs(point.slope) <= -CURVATURE * self.start.slope


def strong_wolfe(at, length, direction, loss, grad, slope, most):
    """A step length at which the loss has decreased enough and the slope is nearly flat.

    Args:
        at: function from a step length to (loss, gradient) there.
        length: the first one to try. direction: where to go. loss, grad, slope: at step length 0.
        most: how many step lengths may be tried after the first.

    Returns: (loss, gradient, step length, evaluations).
    """
    search = _Search(at, direction, Point(0, loss, grad, slope))
    bracket, tried = _bracket(search, length, most)
    if len(bracket) == 2:
        bracket = _zoom(search, bracket, most - tried)
    best = min(bracket, key=lambda point: point.loss)
    return best.loss, best.grad, best.t, search.evaluations


def _bracket(search, length, most):
    """([the point looked for] or two points around one, how many were tried after the first)."""
    before, point = search.start, search.point(length)
    for tried in range(most):
        if search.too_high(point) or (tried > 1 and point.loss >= before.loss):
            return [before, point], tried
        if search.flat(point):
            return [point], tried
        if point.slope >= 0:
            return [before, point], tried
        bounds = point.t + 0.01 * (point.t - before.t), point.t * 10
        t = cubic_minimum(before, point, bounds)
        before, point = point, search.point(t)
    return [search.start, point], most


def _zoom(search, bracket, tries):
    """Two points, the lower one of which meets the conditions, or is as good as can be found."""
    low, high = sorted(range(2), key=lambda i: bracket[i].loss)
    reach = search.direction.abs().max()
    stuck = False
    for _ in range(tries):
        least, most = min(p.t for p in bracket), max(p.t for p in bracket)
        if (most - least) * reach < MIN_CHANGE:
            break
        t, stuck = _inside(cubic_minimum(*bracket), least, most, stuck)
        point = search.point(t)
        if search.too_high(point) or point.loss >= bracket[low].loss:
            bracket[high] = point
            low, high = sorted(range(2), key=lambda i: bracket[i].loss)
            continue
        done = search.flat(point)
        if not done and point.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = point
        if done:
            return [point]
    return [bracket[low]]


def _inside(t, least, most, stuck):
    """t, kept off the bracket's ends where it was near one of them twice; and whether it is near one now."""
    margin = 0.1 * (most - least)
    if min(most - t, t - least) >= margin:
        return t, False
    if not stuck and least < t < most:
        return t, True
    return (most - margin if abs(t - most) < abs(t - least) else least + margin), False
