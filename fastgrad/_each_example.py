"""Python functions that read their tensors' elements, which vmap can only call for one example after the other."""

import sys
from functools import wraps

__all__ = ["each_example"]


def each_example(function):
    """The function; where arguments are batched by vmap, a call of it for each example."""

    @wraps(function)
    def outer(*args, **kwargs):
        batching = sys.modules.get("fastgrad.func.batching")        # not loaded before a transform is
        if batching is None or not batching.levels:
            return function(*args, **kwargs)
        return batching.looped(function, outer, args, kwargs)

    return outer
