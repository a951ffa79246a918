"""Tables of vectors read by number: embedding and what its gradient is made of."""
from row import kernel, structured

kernel("embedding_forward", "T i64 i64", "width", cut="first")
kernel("embedding_backward", "T i64 i64", "float", cut="first")

structured("embedding(input, weight, padding_idx: any = None, max_norm: any = None, norm_type: any = 2.0, "
           "scale_grad_by_freq: any = False, sparse: any = False)", "Rows of weight by number.", function="functional", method=False,
           grad={"input": None, "weight": "_embedding_backward(grad, input, weight.shape, padding_idx, scale_grad_by_freq)"}, out="NONE")
structured("_embedding_backward(given, input, shape: any, padding_idx: any, scale: any)",
           "Rows of given added up by number: the gradient of embedding.", function=False, method=False, node="EmbeddingDenseBackward",
           grad={"given": "embedding_grad_given(grad, input, shape, padding_idx)", "input": None})
