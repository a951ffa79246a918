# cython: boundscheck=False, wraparound=False
"""Gradient descent on fastgrad from Cython, without a Python call in the loop."""
from libc.stdint cimport int64_t
from fastgrad.api cimport (Tensor, backward, clear_grad, data_f32, from_f32, grad, matmul, mul, numel, sub, sum_all, tanh)


cdef float descend(Tensor x, Tensor y, Tensor w, float rate, int steps) except? -1:
    """Move w down the gradient of |tanh(x @ w) - y|^2; returns the last loss."""
    cdef Tensor error, loss, slope
    cdef float* p
    cdef float* g
    cdef float last = 0
    cdef int64_t i
    cdef int step
    for step in range(steps):
        error = sub(tanh(matmul(x, w)), y)
        loss = sum_all(mul(error, error))
        backward(loss)
        slope = grad(w)
        p = data_f32(w)
        g = data_f32(slope)
        for i in range(numel(w)):
            p[i] -= rate * g[i]
        clear_grad(w)
        last = data_f32(loss)[0]
    return last


def fit(int steps=500, float rate=0.1):
    """The loss after the last step, and the weights found as a list; the true ones are [[0.5], [-0.25]]."""
    cdef float points[8]
    cdef float targets[4]
    cdef float start[2]
    cdef int64_t points_shape[2]
    cdef int64_t targets_shape[2]
    cdef int64_t start_shape[2]
    cdef Tensor x, y, w
    points[:] = [1, 0, 0, 1, 1, 1, 2, -1]
    start[:] = [0, 0]
    points_shape[:] = [4, 2]
    targets_shape[:] = [4, 1]
    start_shape[:] = [2, 1]
    x = from_f32(points, 2, points_shape, False)
    w = from_f32(start, 2, start_shape, False)
    data_f32(w)[0], data_f32(w)[1] = 0.5, -0.25
    y = tanh(matmul(x, w))
    w = from_f32(start, 2, start_shape, True)
    loss = descend(x, y, w, rate, steps)
    return loss, w.tolist()
