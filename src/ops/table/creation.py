"""Making tensors."""
from row import composite, kernel, structured

kernel("arange_forward", "", "number")
kernel("linspace_forward", "", "float")
kernel("triangle_items", "T", "width", cut="outer")

OPTIONS = "dtype: dtype = None, layout: any = None, device: any = None, pin_memory: any = False, requires_grad: bool = False"
ANSWER = "dtype, layout, device, pin_memory, requires_grad"


def factory(signature, doc, rule="", method=False, function=True, options=OPTIONS, **more):
    """A function that makes a tensor, with the keywords all of them take."""
    more = {"out": "ANY"} | more
    star = ", " if "*" in signature else ", *, "
    composite(f"{signature[:-1]}{star}{options})", doc, method=method, function=function, rule=rule, **more)


structured("from_numpy(array: any)", "A tensor that shares a NumPy array's memory.", method=False, out="NONE")
factory("zeros(size: shape)", "Zeros.", expanded=True)
factory("ones(size: shape)", "Ones.", expanded=True)
factory("empty(size: shape, *, memory_format: any = None)", "Uninitialised elements.", expanded=True)
factory("full(size: any, fill_value: any)", "One value everywhere.", expanded=True)
factory("empty_strided(size: any, stride: any)", "Uninitialised elements at given strides.", out="NONE")
factory("eye(n: int, m: any = None)", "Ones on the diagonal, zeros elsewhere.", expanded=True)
factory("arange(start: any = None, end: any = None, step: any = 1)", "From start to end (excluded) by step.")
factory("range(start: any, end: any = None, step: any = 1)", "From start to end (included) by step.")
factory("linspace(start: any, end: any, steps: any)", "`steps` values from start to end, evenly spaced.")
factory("logspace(start: any, end: any, steps: any, base: float = 10.0)", "base to the power of linspace.")
factory("zeros_like(input, *, memory_format: any = None)", "Zeros in input's shape and dtype.", out="NONE")
factory("ones_like(input, *, memory_format: any = None)", "Ones in input's shape and dtype.", out="NONE")
factory("empty_like(input, *, memory_format: any = None)", "Uninitialised elements in input's shape and dtype.", out="NONE")
factory("full_like(input, fill_value: any, *, memory_format: any = None)", "One value in input's shape and dtype.", out="NONE")
factory("new_zeros(input, size: shape)", "Zeros in input's dtype.", method=True, function=False)
factory("new_ones(input, size: shape)", "Ones in input's dtype.", method=True, function=False)
factory("new_empty(input, size: shape)", "Uninitialised elements in input's dtype.", method=True, function=False)
factory("new_full(input, size: any, fill_value: any)", "One value in input's dtype.", method=True, function=False)
factory("new_tensor(input, data: any)", "A copy of data, in input's dtype.", method=True, function=False)
factory("scalar_tensor(s: any)", "A number as a 0-d tensor.", out="NONE")
factory("tril_indices(row: int, col: int, offset: int = 0)", "Indices of a lower triangle, as two rows.", entry="tril_indices_entry",
        out="NONE")
factory("triu_indices(row: int, col: int, offset: int = 0)", "Indices of an upper triangle, as two rows.", entry="triu_indices_entry",
        out="NONE")

structured("tril(input, diagonal: int = 0)", "The lower triangle; zeros above it.", grad="tril(grad, diagonal)", inplace="tril_into", expanded=True, out="EXACT")
structured("triu(input, diagonal: int = 0)", "The upper triangle; zeros below it.", grad="triu(grad, diagonal)", inplace="triu_into", expanded=True, out="EXACT")
composite("diag(input, diagonal: int = 0)", "A vector as a diagonal matrix; the diagonal of a matrix.", out="EXACT")
structured("diag_embed(input, offset: int = 0, dim1: dim = -2, dim2: dim = -1)", "Vectors as diagonals of new matrices.",
           grad="diagonal(grad, offset, dim1, dim2)", out="NONE")
composite("diagflat(input, offset: int = 0)", "All elements as a diagonal.", out="NONE")
composite("one_hot(tensor, num_classes: int = -1)", "One in the column each number names, zeros elsewhere.", function="functional", method=False,
          out="NONE")
composite("meshgrid(tensors: shape = (), *, indexing: any = None)", "Vectors expanded to a common grid.", method=False, out="NONE")
composite("cartesian_prod(tensors: shape = ())", "All combinations of the elements of vectors, as rows.", method=False, out="NONE")
composite("broadcast_tensors(tensors: shape = ())", "Tensors expanded to their common shape.", method=False, out="NONE")
