"""Products of matrices and vectors."""
from row import composite, kernel, structured

kernel("matmul_forward", "T T", "float", cut="tiles")
kernel("matmul_int_forward", "T T", "int", cut="first")
kernel("linear_forward", "T T T", "float", cut="tiles")
kernel("cross_forward", "T T", "number", cut="first", complex=True)

structured("_product(input, other, transpose_input: bool, transpose_other: bool)",
           "op(input) @ op(other) over the last two dimensions, where op may transpose; batches broadcast.",
           function=False, method=False, node="Mm", samples="product", grad={
               "input": "_product(other, grad, transpose_other, True) if transpose_input else "
                        "_product(grad, other, False, not transpose_other)",
               "other": "_product(grad, input, True, transpose_input) if transpose_other else "
                        "_product(input, grad, not transpose_input, False)"})

composite("matmul(input, other)", "Matrix product: of vectors, matrices and batches of matrices, as PyTorch broadcasts them.",
          entry="matmul_entry", operator="@", samples="matmul", out="EXACT")
composite("mm(input, mat2)", "Product of two matrices.", samples="mm", out="EXACT")
composite("bmm(input, mat2)", "Products of two batches of matrices, one by one.", samples="bmm", out="EXACT", expanded=True)
structured("mv(input, vec)", "Product of a matrix and a vector.", samples="mv", grad={"input": "outer(grad, vec)", "vec": "mv(t(input), grad)"}, expanded=True, out="EXACT")
structured("dot(input, tensor)", "Inner product of two vectors.", samples="dot",
           grad={"input": "grad * tensor", "tensor": "grad * input"}, out="EXACT")
composite("vdot(input, other)", "Inner product of two vectors, the first of them conjugated.", out="EXACT")
composite("outer(input, vec2)", "Outer product of two vectors.", samples="outer", aliases=("ger",), overlap="WHOLE")
composite("inner(input, other)", "Inner products over the last dimensions.", samples="inner")
composite("addmm(input, mat1, mat2, *, beta: number = 1, alpha: number = 1)", "beta * input + alpha * (mat1 @ mat2).",
          samples="addmm", overlap="WHOLE", out="EXACT")
composite("addmv(input, mat, vec, *, beta: number = 1, alpha: number = 1)", "beta * input + alpha * (mat @ vec).",
          samples="addmv")
composite("addr(input, vec1, vec2, *, beta: number = 1, alpha: number = 1)", "beta * input + alpha * outer(vec1, vec2).",
          samples="addr", overlap="WHOLE")
composite("addbmm(input, batch1, batch2, *, beta: number = 1, alpha: number = 1)",
          "beta * input + alpha * the sum of batch1 @ batch2 over the batch.", samples="addbmm")
composite("baddbmm(input, batch1, batch2, *, beta: number = 1, alpha: number = 1)",
          "beta * input + alpha * (batch1 @ batch2).", samples="baddbmm")

structured("linear(input, weight, bias = None)", "input @ weight.T + bias, over the last dimension.", function="functional", method=False,
           samples="linear",
           unless="odd_linear(input, weight, bias)", node="Addmm", form="linear_form(this, input, bias)", edges="bias input weight",
           grad={"input": "linear_grad_input(grad, weight)", "weight": "linear_grad_weight(grad, input)",
                 "bias": "linear_grad_bias(grad)"})

structured("cross(input, other, dim: any = None)", "Cross product of the 3-vectors along a dimension; the first of size 3 if none is given.",
           grad={"input": "cross(other, grad, dim)", "other": "cross(grad, input, dim)"}, node="LinalgCross", out="EXACT", overlap="NONE")
