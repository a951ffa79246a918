"""biject_to and transform_to: a transform from all real numbers onto a constraint's region, by the constraint's type."""

from . import constraints as regions
from . import transforms as maps

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Functions from a constraint to a transform, by the constraint's type."""

    def __init__(self):
        self._registry = {}

    def register(self, constraint, factory=None):
        """Sets the factory of this constraint's type; without a factory, a decorator that does."""
        kind = type(constraint) if isinstance(constraint, regions.Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, regions.Constraint)):
            raise TypeError(f"register: expected a constraint or a type of constraints, got {constraint!r}")

        def enter(factory):
            self._registry[kind] = factory
            return factory

        return enter if factory is None else enter(factory)

    def __call__(self, constraint):
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


def _scaled(unit, loc, scale):
    return maps.ComposeTransform([unit, maps.AffineTransform(loc, scale)])


def _between(region):
    low, high = region.lower_bound, region.upper_bound
    unit = maps.SigmoidTransform()
    numbers = isinstance(low, (int, float)) and isinstance(high, (int, float))
    return unit if numbers and (low, high) == (0, 1) else _scaled(unit, low, high - low)


def _registry(ways):
    """The registry of these functions of a region; those of regions made of others ask it for the others' transforms."""
    registry = ConstraintRegistry()
    ways = {
        regions.real: lambda region: maps.identity_transform,
        regions.greater_than: lambda region: _scaled(maps.ExpTransform(), region.lower_bound, 1),
        regions.greater_than_eq: lambda region: _scaled(maps.ExpTransform(), region.lower_bound, 1),
        regions.less_than: lambda region: _scaled(maps.ExpTransform(), region.upper_bound, -1),
        regions.interval: _between,
        regions.half_open_interval: _between,
        regions.corr_cholesky: lambda region: maps.CorrCholeskyTransform(),
        regions.independent: lambda region: maps.IndependentTransform(registry(region.base_constraint), region.reinterpreted_batch_ndims),
        regions.cat: lambda region: maps.CatTransform(map(registry, region.cseq), region.dim, region.lengths),
        regions.stack: lambda region: maps.StackTransform(map(registry, region.cseq), region.dim),
        **ways,
    }
    for region, way in ways.items():
        registry.register(region, way)
    return registry


biject_to = _registry({regions.simplex: lambda region: maps.StickBreakingTransform()})
transform_to = _registry({
    regions.simplex: lambda region: maps.SoftmaxTransform(),
    regions.lower_cholesky: lambda region: maps.LowerCholeskyTransform(),
    regions.positive_definite: lambda region: maps.PositiveDefiniteTransform(),
    regions.positive_semidefinite: lambda region: maps.PositiveDefiniteTransform(),
})
