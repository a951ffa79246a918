"""Layers that change the shape only: Flatten, Unflatten."""

from .configured import Configured

__all__ = ["Flatten", "Unflatten"]


class Flatten(Configured):
    """Makes the dimensions start_dim to end_dim, inclusive, into one.

    Example:
        >>> fastgrad.nn.Flatten()(fastgrad.zeros(5, 2, 3)).shape
        torch.Size([5, 6])
    """

    _settings = lambda start_dim=1, end_dim=-1: locals()
    _shown = ("start_dim", "end_dim")

    def forward(self, input):
        return input.flatten(self.start_dim, self.end_dim)


class Unflatten(Configured):
    """Makes dimension dim into several, of the sizes unflattened_size.

    Example:
        >>> fastgrad.nn.Unflatten(1, (2, 3))(fastgrad.zeros(5, 6)).shape
        torch.Size([5, 2, 3])
    """

    _settings = lambda dim, unflattened_size: locals()
    _shown = ("dim", "unflattened_size")

    def _configure(self, dim, unflattened_size):
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {type(unflattened_size).__name__}")
        kinds = [type(size).__name__ for size in unflattened_size if not isinstance(size, int)]
        if kinds:
            at = [isinstance(size, int) for size in unflattened_size].index(False)
            raise TypeError(f"unflattened_size must be tuple of ints, but found element of type {kinds[0]} at pos {at}")
        super()._configure(dim=dim, unflattened_size=unflattened_size)

    def forward(self, input):
        return input.unflatten(self.dim, self.unflattened_size)
