"""Order: sort, topk, searching, counting of values."""
from row import composite, kernel, structured

kernel("sort_forward", "i64 T u64", "all")
kernel("topk_forward", "i64 T", "all", cut="outer")
kernel("choose_sorted", "i64 T i64", "all", cut="outer")
kernel("searchsorted_forward", "T T i64", "number", out="i64", cut="first")
kernel("runs_forward", "T", "all", out="i64")
kernel("pick_forward", "i64 T", "width", cut="outer")
kernel("spread_forward", "i64 T", "float", cut="outer")

# a linear pair: elements by their place along a dimension, and the transpose
structured("_pick(input, indices, dim: dim)", "input's elements at indices along a dimension.", function=False, method=False,
           grad={"input": "_spread(grad, indices, dim, size_along(input.shape, dim))", "indices": None}, node="Gather")
structured("_spread(input, indices, dim: dim, size: int)", "Zeros with input's elements added at indices along a dimension.",
           grad={"input": "_pick(grad, indices, dim)", "indices": None}, function=False, method=False, node="ScatterAdd")

SORTED = {"outputs": ("values", "indices")}
structured("sort(input, dim: dim = -1, descending: bool = False, *, stable: any = False)",
           "The elements in ascending order along a dimension, and where they were; stable.", overlap="WHOLE",
           grad="_spread(grad, indices, dim, size_along(input.shape, dim))", out="EXACT", **SORTED)
composite("argsort(input, dim: dim = -1, descending: bool = False, *, stable: any = False)", "Where sort takes its elements from.", out="NONE")
composite("msort(input)", "sort along the first dimension, values only.")
structured("topk(input, k: int, dim: dim = -1, largest: bool = True, sorted: bool = True)",
           "The k largest (or smallest) elements along a dimension, and where they are.",
           grad="_spread(grad, indices, dim, size_along(input.shape, dim))", overlap="WHOLE", out="EXACT", **SORTED)
for name, doc in (("_median_dim", "Lower median along a dimension."), ("_nanmedian_dim", "Lower median of what is not NaN."),
                  ("mode", "The smallest of the most frequent elements along a dimension.")):
    default = " = -1" if name == "mode" else ""
    structured(f"{name}(input, dim: dim{default}, keepdim: bool = False)", doc, function=name == "mode", method=name == "mode",
               grad="spread_kept(grad, indices, input.shape, dim, keepdim)", overlap="NONE", out="EXACT", **SORTED)
structured("kthvalue(input, k: int, dim: dim = -1, keepdim: bool = False)", "The k-th smallest element along a dimension.",
           grad="spread_kept(grad, indices, input.shape, dim, keepdim)", overlap="NONE", out="EXACT", **SORTED)
composite("median(input, dim: any = None, keepdim: bool = False)", "Lower median: of all elements, or along a dimension.", out="EXACT")
composite("nanmedian(input, dim: any = None, keepdim: bool = False)", "Lower median of the elements that are not NaN.", out="EXACT")

structured("searchsorted(sorted_sequence, input: any, *, out_int32: bool = False, right: bool = False, side: any = None, "
           "sorter: any = None)", "Where each value belongs in an ascending sequence.", method=False, out="EXACT")
structured("bucketize(input: any, boundaries, *, out_int32: bool = False, right: bool = False)",
           "The bucket each value falls into.", method=False, out="EXACT")
structured("unique(input, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: any = None)",
           "The different values, ascending.", out="NONE")
structured("unique_consecutive(input, return_inverse: bool = False, return_counts: bool = False, dim: any = None)",
           "The values without their immediate repetitions.", out="NONE")
structured("bincount(input, weights: any = None, minlength: int = 0)", "How often each non-negative integer occurs.", out="NONE")
structured("histc(input, bins: int = 100, min: float = 0.0, max: float = 0.0)", "Counts in equal bins.", expanded=True, out="EXACT")
structured("nonzero(input, *, as_tuple: bool = False)", "The indices of the elements that are not zero.", out="EXACT")
