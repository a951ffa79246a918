"""Scans: cumulative sums and their like."""
from row import composite, kernel, structured

kernel("cumulate_forward", "T", "sums", cut="first", complex=True)
kernel("recurrence_forward", "T T", "float", cut="first", complex=True)
kernel("logcumsumexp_forward", "T", "float", cut="first")
kernel("cumulative_extreme", "i64 T", "all", cut="first")
kernel("shift_forward", "T", "width", cut="first")

structured("_cumulate(input, dim: dim, product: bool, reverse: bool, exclusive: bool)", "Running sums or products along a dimension.",
           grad="cumulate_backward(grad, input, dim, product, reverse, exclusive)", function=False, method=False, node="Cumsum")
structured("_recurrence(input, factor, dim: dim, reverse: bool)", "out[i] = input[i] + factor[i] * out[i - 1]; reverse: out[i + 1].",
           function=False, method=False,
           grad={"input": "recurrence_backward(grad, factor, dim, reverse)",
                 "factor": "_shift(result, dim, -1 if reverse else 1) * recurrence_backward(grad, factor, dim, reverse)"})
structured("_shift(input, dim: dim, by: int)", "out[i] = input[i - by], 0 at the ends.", grad="_shift(grad, dim, -by)",
           function=False, method=False)

structured("cumsum(input, dim: dim, *, dtype: dtype = None)", "Sums of the elements so far.", overlap="WHOLE", out="ANY",
           grad="_cumulate(grad, dim, False, True, False)")
structured("cumprod(input, dim: dim, *, dtype: dtype = None)", "Products of the elements so far.", overlap="WHOLE", out="ANY",
           grad="cumulate_backward(grad, input, dim, True, False, False)")
structured("logcumsumexp(input, dim: dim)", "log of the sum of exp of the elements so far.",
           grad="logcumsumexp_backward_of(grad, input, result, dim)", overlap="WHOLE", out="EXACT")
for name in ("cummax", "cummin"):
    structured(f"{name}(input, dim: dim)", f"The {name[3:]} so far, and where it is.", outputs=("values", "indices"),
               grad="_spread(grad, indices, dim, size_along(input.shape, dim))", expanded=True, out="EXACT")
for name, doc in (("cumsum", "cumsum"), ("cumprod", "cumprod")):
    composite(f"{name}_(input, dim: dim, *, dtype: dtype = None)", f"In-place version of {doc}.", function=False)
