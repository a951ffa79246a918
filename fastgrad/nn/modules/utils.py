"""Small helpers that PyTorch's layers, and programs with layers of their own, import: sizes for each dimension, prefixes of state dicts."""

from collections.abc import Iterable

__all__ = ["consume_prefix_in_state_dict_if_present"]


def _ntuple(n, name="parse"):
    """A function that gives one value n times, and a sequence as a tuple."""

    def parse(x):
        return tuple(x) if isinstance(x, Iterable) else (x,) * n

    parse.__name__ = name
    return parse


_single, _pair, _triple, _quadruple = (_ntuple(n, name) for n, name in enumerate(("_single", "_pair", "_triple", "_quadruple"), 1))


def _reverse_repeat_tuple(t, n):
    """The elements from the last to the first, each n times: paddings for F.pad."""
    return tuple(x for x in reversed(t) for _ in range(n))


def _list_with_default(out_size, defaults):
    """out_size with the last of `defaults` where it has None.

    Raises: ValueError: there are not more defaults than sizes.
    """
    if isinstance(out_size, int):
        return out_size
    if len(defaults) <= len(out_size):
        raise ValueError(f"Input dimension should be at least {len(out_size) + 1}")
    return [default if size is None else size for size, default in zip(out_size, defaults[-len(out_size):])]


def consume_prefix_in_state_dict_if_present(state_dict, prefix):
    """Take a prefix off the names in a state dict, such as the "module." of DataParallel, in place.

    Example:
        >>> state = {"module.weight": 1}
        >>> fastgrad.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        >>> state
        {'weight': 1}
    """
    for mapping in (state_dict, getattr(state_dict, "_metadata", None) or {}):
        for name in list(mapping):
            if name.startswith(prefix) or mapping is not state_dict and name and name == prefix.replace(".", ""):
                mapping[name[len(prefix):]] = mapping.pop(name)
