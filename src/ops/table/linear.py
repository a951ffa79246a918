"""Products of matrices and vectors."""
from row import kernel, structured

kernel("matmul_forward", "T T", "float")
kernel("linear_forward", "T T T", "float")

structured("matmul(input, other)", "Matrix product, with PyTorch's rules for vectors and batches.", operator="@",
           grad={"input": "matmul_grad_input(grad, other, input.shape)", "other": "matmul_grad_other(grad, input, other.shape)"},
           node="Mm")
structured("linear(input, weight, bias = None)", "input @ weight.T + bias.", method=False,
           grad={"input": "matmul(grad, weight)", "weight": "linear_grad_weight(grad, input)", "bias": "linear_grad_bias(grad)"})
