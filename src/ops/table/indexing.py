"""Reading and writing by index."""
from row import composite, kernel, structured

kernel("index_offsets", "i64 i64", "index", out="i64", cut="first")
kernel("unravel_positions", "i64", "index", out="i64", cut="first")
kernel("mask_count", "b8", "index", out="i64")
kernel("mask_positions", "b8", "index", out="i64")
kernel("check_indices", "i64", "index", out="i64")
kernel("repeated_positions", "i64", "index", out="i64")
kernel("take_items", "T i64", "width", cut="first")
kernel("put_items", "T i64", "width")
kernel("add_items", "T i64", "number", complex=True)
kernel("gather_items", "T i64 i64", "width", cut="first")
kernel("scatter_items", "T i64 i64", "width")
kernel("scatter_reduce_items", "T i64 i64", "number", complex=True)

# x[...]: views have the names PyTorch gives the last step; see ops/indexing.pxi
structured("_slice(input)", "A basic index.", rule="alias_rule", backward="picked_backward", node="Slice", method=False, function=False)

# with a plan of index tensors
structured("_index(input, plan: any)", "The items of a plan.", rule="index_rule", grad="_index_embed(grad, plan)", node="Index",
           method=False, function=False)
structured("_index_embed(input, plan: any)", "Zeros with items added at a plan.", rule="index_embed_rule", grad="_index(grad, plan)",
           method=False, function=False)
structured("_index_clear(input, plan: any)", "Zero at a plan.", rule="index_clear_rule", grad="_index_clear(grad, plan)",
           method=False, function=False)
structured("_index_put(input, values, plan: any, accumulate: bool)", "values written or added at a plan.", rule="index_put_plan",
           inplace="index_put_into", grad={"input": "index_put_grad(grad, plan, accumulate)", "values": "_index(grad, plan)"},
           node="IndexPut", method=False, function=False, overlap="NONE", expanded=True)
composite("index_put(input, indices: any, values, accumulate: bool = False)", "values at indices.", out="NONE")

structured("index_select(input, dim: dim, index)", "Rows (or columns, ...) by number.",
           grad={"input": "index_select_grad(grad, input.shape, dim, index)", "index": None}, overlap="NONE", out="EXACT")
structured("index_add(input, dim: dim, index, source, *, alpha: number = 1)", "source's rows added at index.", inplace="index_add_into",
           grad={"input": "grad", "index": None, "source": "index_add_grad(grad, dim, index, alpha)"}, overlap="NONE", out="EXACT")
structured("index_copy(input, dim: dim, index, source)", "source's rows written at index.", inplace="index_copy_into",
           grad={"input": "index_fill(grad, dim, index, 0)", "index": None, "source": "index_select(grad, dim, index)"}, overlap="NONE")
structured("index_fill(input, dim: dim, index, value: operand)", "value in the rows at index.", inplace="index_fill_into",
           grad={"input": "index_fill(grad, dim, index, 0)", "index": None, "value": "index_select(grad, dim, unique(index))"}, expanded=True,
           number_form="value")
structured("gather(input, dim: dim, index, *, sparse_grad: bool = False)", "input's elements along dim at index.",
           grad={"input": "gather_grad(grad, input.shape, dim, index)", "index": None}, overlap="NONE", out="EXACT")
structured("_scatter_tensor(input, dim: dim, index, src)", "src's elements written along dim at index.", rule="scatter_tensor_rule",
           inplace="scatter_tensor_into", node="Scatter", method=False, function=False,
           grad={"input": "_scatter_value(grad, dim, index, 0)", "index": None, "src": "gather(grad, dim, index)"}, overlap="NONE")
structured("_scatter_value(input, dim: dim, index, value: number)", "A number written along dim at index.", rule="scatter_value_rule",
           inplace="scatter_value_into", node="Scatter", method=False, function=False,
           grad={"input": "_scatter_value(grad, dim, index, 0)", "index": None})
composite("scatter(input, dim: dim, index, src: any = None, *, value: any = None, reduce: any = None)",
          "src (a tensor or a number) written along dim at index.", overlap="WHOLE", out="EXACT")
structured("scatter_add(input, dim: dim, index, src)", "src's elements added along dim at index.", inplace="scatter_add_into",
           grad={"input": "grad", "index": None, "src": "gather(grad, dim, index)"}, overlap="NONE")
structured("_scatter_reduce(input, index, src, how: any)", "src reduced into input; how: (dim, reduce, include_self).",
           rule="scatter_reduce_rule", inplace="scatter_reduce_into", node="ScatterReduce", method=False, function=False,
           grad={"input": "scatter_reduce_grad_input(grad, input, result, index, src, how)", "index": None,
                 "src": "scatter_reduce_grad_src(grad, input, result, index, src, how)"}, overlap="NONE")
composite("scatter_reduce(input, dim: dim, index, src, reduce: str, *, include_self: bool = True)",
          "src's elements reduced into input along dim at index.", rule="scatter_reduce_call")
structured("take(input, index)", "Elements by their number in row-major order.",
           grad={"input": "take_grad(grad, input.shape, index)", "index": None}, overlap="NONE", out="EXACT")
structured("put(input, index, source, accumulate: bool = False)", "source's elements at their numbers in row-major order.",
           inplace="put_into", grad={"input": "put_grad(grad, index, accumulate)", "index": None,
                                     "source": "reshape(take(grad, index), source.shape)"}, overlap="NONE", out="NONE")
composite("take_along_dim(input, indices, dim: any = None)", "gather with broadcasting; of all elements without dim.")

structured("masked_fill(input, mask, value: operand)", "value where mask holds.", inplace="masked_fill_into",
           grad={"input": "masked_fill(grad, mask, 0)", "mask": None, "value": "where(mask, grad, 0)"}, expanded=True,
           number_form="value", out="NONE")
composite("masked_select(input, mask)", "The elements where mask holds, as a vector.", overlap="NONE", out="EXACT")
composite("masked_scatter(input, mask, source)", "source's elements, in order, where mask holds.", out="NONE")
