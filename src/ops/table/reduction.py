"""Reductions: sums, means, norms, extremes, counts."""
from row import composite, kernel, structured

kernel("sum_forward", "T", "float", cut="first")
kernel("sum_narrow", "T", "float", cut="outer")
kernel("sum_integer", "T", "integral", out="i64", cut="first")
kernel("prod_forward", "T", "number", cut="first", complex=True)
kernel("count_forward", "T", "all", out="i64", cut="first", complex=True)
kernel("truth_forward", "T", "all", out="b8", cut="first", complex=True)
kernel("extreme_forward", "T", "all", cut="first")
kernel("extreme_place", "i64 T", "all", cut="first")
kernel("variance_forward", "T T", "float", cut="first")
kernel("logsumexp_forward", "T", "float", cut="first")

REDUCED = "input, dim: dims = None, keepdim: bool = False"

# the linear pair every gradient of a sum is made of
structured("_expand_reduced(input, shape: any, dim: dims, keepdim: bool)", "The same value all along the reduced dimensions.",
           grad="sum(grad, dim, keepdim)", function=False, method=False, node="Expand")
structured("_sum_to(input, size: any)", "Sum to a shape that broadcasts to the input's.", function=False, method=False,
           grad="broadcast_to_shape(grad, input.shape)", node="SumBackward1")
structured("_broadcast_to(input, size: any)", "Broadcast to a shape.", grad="_sum_to(grad, input.shape)",
           function=False, method=False, node="Expand")
composite("sum_to_size(input, size: shape)", "Sum to a shape that broadcasts to the input's.", function=False)

structured("_reshaped(input, shape: any)", "The elements in row-major order in another shape.", function=False, method=False,
           grad="_reshaped(grad, input.shape)", node="Reshape")

structured(f"sum({REDUCED}, *, dtype: dtype = None)", "Sum over dimensions.",
           grad="expand_reduced(grad, input.shape, dim, keepdim)", second_form="dim", expanded=True, out="ANY")
structured(f"mean({REDUCED}, *, dtype: dtype = None)", "Mean over dimensions.",
           grad="mean_backward_of(grad, input.shape, dim, keepdim)", second_form="dim")
composite(f"nansum({REDUCED}, *, dtype: dtype = None)", "Sum of the elements that are not NaN.", expanded=True)
composite(f"nanmean({REDUCED}, *, dtype: dtype = None)", "Mean of the elements that are not NaN.")
structured("prod(input, dim: any = None, keepdim: bool = False, *, dtype: dtype = None)", "Product over a dimension, or of all elements.",
           grad="prod_backward_of(grad, input, dim, keepdim)", second_form="dim", expanded=True, out="ANY")

for name in ("var", "std"):
    signature = "(input, dim: any = None, unbiased: any = None, keepdim: bool = False, *, correction: any = 1)"
    composite(name + signature, "Variance over dimensions." if name == "var" else "Standard deviation over dimensions.",
              entry=f"{name}_entry", expanded=True)
    composite(f"{name}_mean{signature}", f"({name}, mean) over dimensions.", entry=f"{name}_mean_entry", method=False, out="NONE")
structured("_variance(input, dim: any, correction: any, keepdim: bool)", "Variance over dimensions.", function=False, method=False,
           grad="variance_backward(grad, input, dim, correction, keepdim)", node="Var")
structured("_deviation(input, dim: any, correction: any, keepdim: bool)", "Standard deviation over dimensions.", function=False,
           method=False, grad="deviation_backward(grad, input, result, dim, correction, keepdim)", node="Std")

structured("logsumexp(input, dim: dims, keepdim: bool = False)", "log(sum(exp(input))) over dimensions, without overflow.",
           unless="complex_logsumexp(input, dim, keepdim)",
           grad="logsumexp_backward_of(grad, input, result, dim, keepdim)")

structured("_norm(input, p: any, dim: any, keepdim: bool)", "The p-norm over dimensions, 0 < p finite.", function=False, method=False,
           grad="norm_backward_of(grad, input, result, p, dim, keepdim)", node="LinalgVectorNorm")
structured("_nuclear(input)", "Sum of the singular values of the last two dimensions.", function=False, method=False,
           grad="unsqueeze(unsqueeze(grad, -1), -1) * _polar(input)", node="LinalgSvd", conjugate=False)
structured("_polar(input)", "The factor U V^H of the singular value decomposition.", function=False, method=False,
           grad="_polar_step(grad, input)", node="LinalgSvd", conjugate=False)
structured("_polar_step(input, at)", "The derivative of at's polar factor along input.", function=False, method=False,
           grad={"input": "_polar_step(grad, at)", "at": "polar_twice(grad)"}, node="LinalgSvd", conjugate=False)
composite("norm(input, p: any = 'fro', dim: any = None, keepdim: bool = False, dtype: dtype = None)",
          "Norm of a vector, or of a matrix by its elements.", expanded=True, out="EXACT")
composite("_vector_norm(input, ord: any = 2, dim: any = None, keepdim: bool = False, *, dtype: dtype = None)",
          "The p-norm of the elements over dimensions (linalg.vector_norm).", method=False)

for name in ("amax", "amin"):
    structured(f"{name}({REDUCED})", f"The {'largest' if name == 'amax' else 'smallest'} element over dimensions.",
               grad="extreme_backward(grad, input, result, dim, keepdim)", expanded=True, out="EXACT")
for name in ("max", "min"):
    structured(f"_{name}_all(input)", f"The {name} of all elements.", grad="extreme_of_all_backward(grad, input, result)",
               function=False, method=False, node=f"{name.capitalize()}Backward1")
    structured(f"_{name}_dim(input, dim: dim, keepdim: bool = False)", f"The {name} along a dimension, and where.",
               outputs=("values", "indices"), grad="spread_kept(grad, indices, input.shape, dim, keepdim)", function=False,
               method=False, node=name.capitalize())
    composite(f"{name}(input, dim: any = None, keepdim: bool = False, *, other: any = None)",
              f"The {name} of all elements; (values, indices) along a dimension; elementwise of two tensors.", entry=f"{name}_entry", overlap="PAIRS", out="EXACT")
    structured(f"arg{name}(input, dim: any = None, keepdim: bool = False)", f"Where the {name} is.", expanded=True, out="EXACT")
composite("aminmax(input, *, dim: any = None, keepdim: bool = False)", "(min, max).", overlap="NONE", out="EXACT")

structured("any(input, dim: any = None, keepdim: bool = False)", "Whether any element is nonzero.", expanded=True)
structured("all(input, dim: any = None, keepdim: bool = False)", "Whether all elements are nonzero.", expanded=True)
structured("count_nonzero(input, dim: any = None)", "How many elements are nonzero.", out="NONE")

structured("trace(input)", "Sum of a matrix's diagonal.", grad="_diagonal_filled(grad, input.shape)", out="NONE")
structured("_diagonal_filled(input, shape: any)", "A matrix with one value on its diagonal.", grad="trace(grad)", function=False,
           method=False, node="Trace")
