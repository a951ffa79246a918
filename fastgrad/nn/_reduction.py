"""The losses' old `size_average` and `reduce` flags, turned into today's `reduction` string."""

import warnings


def legacy_get_string(size_average, reduce, emit_warning=True):
    """The `reduction` that the two old flags mean; None stands for True, their old default."""
    if reduce is not None and not reduce:
        reduction = "none"
    elif size_average is not None and not size_average:
        reduction = "sum"
    else:
        reduction = "mean"
    if emit_warning:
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    return reduction
