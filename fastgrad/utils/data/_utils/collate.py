"""Batches of samples: `default_collate` stacks the leaves of nested samples, `default_convert` makes tensors of arrays.

What becomes of a leaf is said by `default_collate_fn_map`, from type to function, which programs may add to.  NumPy's types enter it when
NumPy is loaded, which it is if there is an array anywhere.
"""

import copy
import re
import sys
from collections import abc

import fastgrad as fg

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CANNOT = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
default_collate_err_msg_format = CANNOT
np_str_obj_array_pattern = re.compile(r"[SaUO]")


def rebuilt_mapping(mapping, values):
    """`values` in a mapping of the kind of `mapping`; a mutable one is copied first, for what else it may hold."""
    try:
        if isinstance(mapping, abc.MutableMapping):
            clone = copy.copy(mapping)
            clone.update(values)
            return clone
        return type(mapping)(values)
    except TypeError:  # a kind without copy, update or such a constructor
        return values


def rebuilt_sequence(sequence, values):
    """As rebuilt_mapping; tuples become lists."""
    if isinstance(sequence, tuple):
        return type(sequence)(*values) if hasattr(sequence, "_fields") else values
    try:
        if isinstance(sequence, abc.MutableSequence):
            clone = copy.copy(sequence)
            for i, value in enumerate(values):
                clone[i] = value
            return clone
        return type(sequence)(values)
    except TypeError:
        return values


def default_convert(data):
    """NumPy arrays and scalars anywhere in nested data as tensors, everything else as it is.

    Example:
        >>> fastgrad.utils.data.default_convert([0, "a"])
        [0, 'a']
    """
    kind = type(data)
    if isinstance(data, (fg.Tensor, str, bytes)):
        return data
    if kind.__module__ == "numpy" and kind.__name__ not in ("str_", "bytes_", "string_"):
        if kind.__name__ == "ndarray" and np_str_obj_array_pattern.search(data.dtype.str):
            return data
        return fg.as_tensor(data)
    if isinstance(data, abc.Mapping):
        return rebuilt_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, abc.Sequence):
        return rebuilt_sequence(data, [default_convert(item) for item in data])
    return data


def collate(batch, *, collate_fn_map=None):
    """A batch of samples as one sample whose leaves are batches.

    Args:
        batch: list of samples of the same structure.
        collate_fn_map: from a leaf's type, or a tuple of types, to a function of (batch, collate_fn_map=...); the exact type
            first, then the first that the leaf is an instance of.
    Raises:
        RuntimeError: sequences differ in length.
        TypeError: no function for a leaf.
    """
    elem = batch[0]
    kind = type(elem)
    if collate_fn_map is not None:
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for entry, function in list(collate_fn_map.items()):
            if isinstance(elem, entry):
                return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(elem, abc.Mapping):
        return rebuilt_mapping(elem, {key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map) for key in elem})
    if isinstance(elem, tuple) and hasattr(elem, "_fields"):
        return rebuilt_sequence(elem, [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)])
    if isinstance(elem, abc.Sequence):
        if any(len(sample) != len(elem) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return rebuilt_sequence(elem, [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)])
    raise TypeError(CANNOT.format(kind))


def collate_tensor_fn(batch, *, collate_fn_map=None):
    return fg.stack(batch, 0)


def collate_numpy_array_fn(batch, *, collate_fn_map=None):
    if np_str_obj_array_pattern.search(batch[0].dtype.str):
        raise TypeError(CANNOT.format(batch[0].dtype))
    return collate([fg.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch, *, collate_fn_map=None):
    return fg.as_tensor(batch)


def collate_float_fn(batch, *, collate_fn_map=None):
    return fg.tensor(batch, dtype=fg.float64)


def collate_int_fn(batch, *, collate_fn_map=None):
    return fg.tensor(batch)


def collate_str_fn(batch, *, collate_fn_map=None):
    return batch


default_collate_fn_map = {fg.Tensor: collate_tensor_fn, float: collate_float_fn, int: collate_int_fn, str: collate_str_fn,
                          bytes: collate_str_fn}


def add_numpy():
    """Enter NumPy's types after Tensor, ahead of float, which np.float64 is a kind of."""
    numpy = sys.modules["numpy"]
    rest = [(kind, function) for kind, function in default_collate_fn_map.items() if kind is not fg.Tensor]
    for kind, _ in rest:
        del default_collate_fn_map[kind]
    default_collate_fn_map[numpy.ndarray] = collate_numpy_array_fn
    default_collate_fn_map[numpy.bool_, numpy.number, numpy.object_] = collate_numpy_scalar_fn
    default_collate_fn_map.update(rest)


numpy_is_known = False


def default_collate(batch):
    """A list of samples as a batch: tensors are stacked, arrays and numbers become tensors, strings stay lists; in mappings,
    sequences and named tuples, each by itself.

    Example:
        >>> fastgrad.utils.data.default_collate([(0, "a"), (1, "b")])
        [tensor([0, 1]), ('a', 'b')]
    """
    global numpy_is_known
    if not numpy_is_known and "numpy" in sys.modules and hasattr(sys.modules["numpy"], "object_"):
        numpy_is_known = True
        add_numpy()
    return collate(batch, collate_fn_map=default_collate_fn_map)
