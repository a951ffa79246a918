# What fastgrad._ops offers to other compiled modules; fastgrad/api.pxd gives it the names to use.
from libc.stdint cimport int64_t
from fastgrad._engine cimport Tensor

cdef Tensor api_add(Tensor a, Tensor b)
cdef Tensor api_sub(Tensor a, Tensor b)
cdef Tensor api_mul(Tensor a, Tensor b)
cdef Tensor api_div(Tensor a, Tensor b)
cdef Tensor api_matmul(Tensor a, Tensor b)
cdef Tensor api_tanh(Tensor a)
cdef Tensor api_relu(Tensor a)
cdef Tensor api_sigmoid(Tensor a)
cdef Tensor api_exp(Tensor a)
cdef Tensor api_sum(Tensor a)
cdef Tensor api_from_f32(const float* data, int ndim, const int64_t* shape, bint requires_grad)
cdef float* api_data_f32(Tensor t) except NULL
