# fastgrad for Cython projects: `from fastgrad.api cimport Tensor, add, backward`.  See examples/embedding.
#
# Every function is a C call: no attribute is looked up, no argument becomes a Python object.  All need the GIL.  Errors are the
# Python API's exceptions.  A Tensor counts references as any Python object, and may be handed to Python code.
from libc.stdint cimport int64_t
from fastgrad._engine cimport Tensor, backward_of, grad_of, set_grad_mode
from fastgrad._ops cimport (api_add, api_sub, api_mul, api_div, api_matmul, api_tanh, api_relu, api_sigmoid, api_exp, api_sum,
                            api_from_f32, api_data_f32)


cdef inline Tensor from_f32(const float* data, int ndim, const int64_t* shape, bint requires_grad):
    """A new tensor with a copy of data; NULL: uninitialised."""
    return api_from_f32(data, ndim, shape, requires_grad)


cdef inline float* data_f32(Tensor t) except NULL:
    """The elements of a contiguous float32 tensor, valid while it lives.  Writing them is unseen by autograd."""
    return api_data_f32(t)


cdef inline int64_t numel(Tensor t) noexcept:
    return t.a.numel


cdef inline int64_t size(Tensor t, int dim) noexcept:
    """The size of a dimension from 0 to ndim - 1; not checked."""
    return t.a.shape[dim]


cdef inline Tensor add(Tensor a, Tensor b):
    return api_add(a, b)


cdef inline Tensor sub(Tensor a, Tensor b):
    return api_sub(a, b)


cdef inline Tensor mul(Tensor a, Tensor b):
    return api_mul(a, b)


cdef inline Tensor div(Tensor a, Tensor b):
    return api_div(a, b)


cdef inline Tensor matmul(Tensor a, Tensor b):
    return api_matmul(a, b)


cdef inline Tensor tanh(Tensor a):
    return api_tanh(a)


cdef inline Tensor relu(Tensor a):
    return api_relu(a)


cdef inline Tensor sigmoid(Tensor a):
    return api_sigmoid(a)


cdef inline Tensor exp(Tensor a):
    return api_exp(a)


cdef inline Tensor sum_all(Tensor a):
    """The sum of all elements, a 0-d tensor."""
    return api_sum(a)


cdef inline int backward(Tensor root) except -1:
    """Add the gradient of a one-element tensor into the leaves below it."""
    return backward_of(root)


cdef inline Tensor grad(Tensor leaf):
    """leaf.grad, or None."""
    return grad_of(leaf)


cdef inline void clear_grad(Tensor leaf) noexcept:
    leaf.grad_ = None


cdef inline bint enable_grad(bint mode) noexcept:
    """Set this thread's grad mode; returns the one it replaces."""
    return set_grad_mode(mode)
