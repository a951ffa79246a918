"""Views: other geometry over the same storage."""
from row import composite, structured

PICKED = {"backward": "picked_backward"}       # views that pick elements: see ops/strided.pxi

structured("_embed(input, shape: any, layout: any, strides: any, offset: int)", "Zeros with input's elements added at strides and offset.",
           rule="embed_rule", grad="_extract(grad, layout, input.shape, strides, offset)", method=False, function=False)
structured("_extract(input, layout: any, size: any, strides: any, offset: int)", "A copy of the elements at strides and offset.",
           rule="extract_rule", grad="_embed(grad, input.shape, layout, strides, offset)", method=False, function=False)

structured("_lay_out(input, strides: any)", "A copy with given strides.", rule="lay_out_rule", grad="grad", method=False, function=False)

structured("view(input, size: shape = (), *, dtype: option = None)", "The same elements in another shape, or the same bytes as another dtype.",
           entry="view_entry", backward="reshaped_backward", function=False)
structured("reshape(input, shape: shape)", "The elements in another shape: a view where possible, else a copy.",
           entry="reshape_entry", backward="reshaped_backward", node="View", out="NONE")
structured("alias(input)", "A view of the whole.", rule="alias_rule", grad="grad", method=False, out="NONE")
structured("detach(input)", "The same memory outside the graph.", rule="detach_rule", out="NONE")
structured("transpose(input, dim0: dim, dim1: dim)", "Two dimensions exchanged.", grad="transpose(grad, dim0, dim1)",
           aliases=("swapaxes", "swapdims"), out="NONE")
structured("t(input)", "A matrix transposed.", entry="transposed_entry", backward="transposed_backward", out="NONE")
structured("permute(input, dims: shape = ())", "The dimensions in another order.", grad="unpermute(grad, dims)", out="NONE")
structured("expand(input, size: shape = (), *, implicit: bool = False)", "Dimensions of size 1 repeated, without copying.", grad="grad",
           function=False)
structured("squeeze(input, dim: any = None)", "Without dimensions of size 1.", grad="reshape(grad, input.shape)", second_form="dim", out="NONE")
structured("unsqueeze(input, dim: dim)", "With a new dimension of size 1.", grad="reshape(grad, input.shape)", out="NONE")
structured("select(input, dim: dim, index: int)", "One index of a dimension.", entry="select_entry", **PICKED, out="NONE")
structured("narrow(input, dim: dim, start: any, length: int)", "A range of a dimension.", entry="narrow_entry", node="Slice", **PICKED, out="NONE")
structured("diagonal(input, offset: int = 0, dim1: dim = 0, dim2: dim = 1)", "The diagonal of two dimensions, as the last one.",
           entry="diagonal_entry", **PICKED, out="NONE")
structured("unfold(input, dimension: dim, size: int, step: int)", "Windows along a dimension, as a new last dimension.",
           entry="unfold_entry", function=False, **PICKED)
structured("as_strided(input, size: any, stride: any, storage_offset: any = None)", "Any strides over the storage.",
           entry="as_strided_entry", **PICKED, out="NONE")

structured("view_as_real(input)", "Complex numbers as pairs, along a new last dimension.", grad="pairs_as_complex(grad)", method=False, out="NONE")
structured("view_as_complex(input)", "Pairs along the last dimension as complex numbers.", grad="view_as_real(grad)", method=False, out="NONE")
composite("real(input)", "The real parts, as a view; a real tensor itself.", method=False, out="NONE")
composite("imag(input)", "The imaginary parts, as a view.", method=False, out="NONE")
composite("view_as(input, other)", "In other's shape.", function=False)
composite("reshape_as(input, other)", "In other's shape.", function=False)
composite("expand_as(input, other)", "Expanded to other's shape.", function=False)
composite("broadcast_to(input, size: shape)", "Expanded to a shape.", out="NONE")
composite("movedim(input, source: any, destination: any)", "Dimensions moved to other places.", aliases=("moveaxis",), out="NONE")
composite("adjoint(input)", "The last two dimensions exchanged.", out="NONE")
composite("flatten(input, start_dim: dim = 0, end_dim: dim = -1)", "A range of dimensions as one.", out="NONE")
composite("ravel(input)", "All elements in one dimension.", out="NONE")
composite("unflatten(input, dim: dim, sizes: any)", "One dimension as several.", out="NONE")
structured("unbind(input, dim: dim = 0)", "Every index of a dimension, as a tuple of views.", entry="unbind_entry",
           backward="unbind_backward", out="NONE")
structured("split(input, split_size_or_sections: any, dim: dim = 0)", "Pieces of a dimension, as a tuple of views.",
           entry="split_entry", backward="split_backward", out="NONE")
structured("split_with_sizes(input, split_sizes: any, dim: dim = 0)", "Pieces of given sizes.", entry="split_with_sizes_entry",
           backward="split_backward", out="NONE")
composite("chunk(input, chunks: int, dim: dim = 0)", "At most `chunks` pieces of equal size.", out="NONE")
composite("tensor_split(input, indices_or_sections: any, dim: dim = 0)", "Pieces that differ by at most one, or cut at indices.", out="NONE")
composite("hsplit(input, indices_or_sections: any)", "tensor_split along dimension 1 (0 of a vector).", out="NONE")
composite("vsplit(input, indices_or_sections: any)", "tensor_split along dimension 0.", out="NONE")
composite("dsplit(input, indices_or_sections: any)", "tensor_split along dimension 2.", out="NONE")

# copies, conversions and writes

structured("clone(input, *, memory_format: any = None)", "A copy.", grad="grad", out="NONE")
composite("contiguous(input, *, memory_format: any = None)", "The tensor itself if its elements lie in order, else a copy that does.",
          function=False)
structured("_cast(input, dtype: dtype, *, memory_format: any = None)", "A copy in another dtype or memory format.", rule="cast_rule",
           grad="grad", node="ToCopy", method=False, function=False)
composite("to(input, _0: any = None, _1: any = None, _2: any = None, _3: any = None, *, dtype: dtype = None, device: any = None, "
          "tensor: any = None, non_blocking: any = False, copy: any = False, memory_format: any = None)",
          "In another dtype: the tensor itself if nothing changes.", entry="to_entry", function=False)
composite("type_as(input, other)", "In other's dtype.", function=False)
for _name in ("double", "float", "half", "bfloat16", "int", "long", "short", "char", "byte", "bool", "cfloat", "cdouble", "cpu"):
    composite(f"{_name}(input, *, memory_format: any = None)", f"Converted: {_name}." if _name != "cpu" else "The tensor itself.",
              function=False)
structured("copy(input, source: operand, non_blocking: bool = False)", "source's values over input's.", inplace="copy_into", overlap="WHOLE",
           grad={"input": "zeros_as(grad)", "source": "grad"}, function=False, method=False, node="torch::autograd::CopyBackwards")
structured("fill(input, value: operand)", "Every element set to value.", inplace="fill_into", expanded=True,
           grad={"input": "zeros_as(grad)", "value": "grad"}, method=False, number_form="value", out="NONE")
structured("zero(input)", "Every element set to zero.", rule="zeros_as", inplace="zero_into", grad="zeros_as(grad)", expanded=True,
           function=False, method=False)
