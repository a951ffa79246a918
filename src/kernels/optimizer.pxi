# Optimizer steps: one pass over a parameter, its gradient and its state, in PyTorch's order of operations and roundings.
# Core dimensions: (elements), all operands contiguous.  Numbers come in attrs as doubles and are rounded once.

cdef enum:
    NESTEROV = 1
    MAXIMIZE = 2
    FIRST_STEP = 4         # the momentum buffer is made by this step
    DECOUPLED = 8          # weight decay shrinks the parameter instead of entering the gradient


cdef void sgd_step(real* param, real* grad, const Launch* l, void* scratch) noexcept nogil:
    """attrs: learning rate, weight decay, flags."""
    cdef i64 i, n = extent(l, 0)
    cdef real rate = <real>-l.attr[0].f, decay = <real>l.attr[1].f, sign = -1 if l.attr[2].i & MAXIMIZE else 1
    cdef real* p = param
    if decay == 0:
        rate *= sign
        for i in range(n):
            p[i] = vfma(rate, grad[i], p[i])
    else:
        for i in range(n):
            p[i] = vfma(rate, vfma(decay, p[i], sign * grad[i]), p[i])


cdef void sgd_momentum_step(real* param, real* grad, real* momentum, const Launch* l, void* scratch) noexcept nogil:
    """attrs: learning rate, weight decay, flags, momentum, 1 - dampening."""
    cdef i64 i, n = extent(l, 0), flags = l.attr[2].i
    cdef real rate = <real>-l.attr[0].f, decay = <real>l.attr[1].f, sign = -1 if flags & MAXIMIZE else 1
    cdef real keep = <real>l.attr[3].f, take = <real>l.attr[4].f, g
    cdef bint nesterov = (flags & NESTEROV) != 0
    if flags & FIRST_STEP:
        for i in range(n):
            g = vfma(decay, param[i], sign * grad[i]) if decay != 0 else sign * grad[i]
            momentum[i] = g
            param[i] = vfma(rate, vfma(keep, g, g) if nesterov else g, param[i])
    elif decay == 0 and not nesterov:
        for i in range(n):
            momentum[i] = vfma(take, sign * grad[i], keep * momentum[i])
            param[i] = vfma(rate, momentum[i], param[i])
    else:
        for i in range(n):
            g = vfma(decay, param[i], sign * grad[i]) if decay != 0 else sign * grad[i]
            momentum[i] = vfma(take, g, keep * momentum[i])
            param[i] = vfma(rate, vfma(keep, momentum[i], g) if nesterov else momentum[i], param[i])


cdef inline void adam_loop(real* param, real* grad, real* mean, real* square, real* largest, const Launch* l) noexcept nogil:
    """attrs: -step size, flags, weight decay (or 1 - rate * decay), 1 - beta1, beta2, 1 - beta2, sqrt(bias correction 2), eps.
    largest: the running maximum of amsgrad, or NULL."""
    cdef i64 i, n = extent(l, 0), flags = l.attr[1].i
    cdef real rate = <real>l.attr[0].f, decay = <real>l.attr[2].f, take1 = <real>l.attr[3].f
    cdef real beta2 = <real>l.attr[4].f, take2 = <real>l.attr[5].f, correction = <real>l.attr[6].f, eps = <real>l.attr[7].f
    cdef real sign = -1 if flags & MAXIMIZE else 1, shrink = decay if flags & DECOUPLED else 1
    cdef real add = 0 if flags & DECOUPLED else decay, keep1 = 1 - take1, g, p, s
    cdef bint near = take1 < <real>0.5
    for i in range(n):
        p = param[i] * shrink
        g = sign * grad[i]
        if add != 0:
            g = g + add * p
        mean[i] = mean[i] + take1 * (g - mean[i]) if near else g - (g - mean[i]) * keep1
        s = square[i] * beta2 + take2 * g * g
        square[i] = s
        if largest != NULL:
            s = largest[i] if largest[i] > s else s
            largest[i] = s
        param[i] = p + rate * mean[i] / (vsqrt(s) / correction + eps)


cdef void adam_step(real* param, real* grad, real* mean, real* square, const Launch* l, void* scratch) noexcept nogil:
    adam_loop(param, grad, mean, square, <real*>NULL, l)


cdef void adam_amsgrad_step(real* param, real* grad, real* mean, real* square, real* largest, const Launch* l,
                            void* scratch) noexcept nogil:
    adam_loop(param, grad, mean, square, largest, l)
