# Optimizer steps that a StepRule (../ops/step_rules.pxi) sets up: parameter, gradient, then the state, elementwise in one pass.
# Core dimensions: (elements), all operands contiguous.
# attrs: weight decay (1 - rate * decay if DECOUPLED), flags, then the rule's own numbers.  They come as doubles and are rounded once.


cdef inline real step_gradient(real p, real g, real sign, real decay) noexcept nogil:
    """The gradient to go by: turned around to maximize, with weight decay in it."""
    return vfma(decay, p, sign * g) if decay != 0 else sign * g


cdef inline double step_sign(const Launch* l) noexcept nogil:
    return -1 if l.attr[1].i & MAXIMIZE else 1


cdef inline double step_decay(const Launch* l) noexcept nogil:
    return 0 if l.attr[1].i & DECOUPLED else l.attr[0].f


cdef inline double step_shrink(const Launch* l) noexcept nogil:
    return l.attr[0].f if l.attr[1].i & DECOUPLED else 1


cdef inline real step_toward(real mean, real g, real take) noexcept nogil:
    """`take` of the way from mean to g, from the end that is near."""
    return mean + take * (g - mean) if take < <real>0.5 else g - (g - mean) * (1 - take)


cdef inline void rmsprop_loop(real* param, real* grad, real* square, real* momentum, real* mean, const Launch* l) noexcept nogil:
    """numbers: -rate, alpha, eps, momentum.  momentum, mean: NULL where the step has none."""
    cdef i64 i, n = extent(l, 0)
    cdef real sign = <real>step_sign(l), decay = <real>step_decay(l), rate = <real>l.attr[2].f, alpha = <real>l.attr[3].f
    cdef real take = <real>(1 - l.attr[3].f), eps = <real>l.attr[4].f, keep = <real>l.attr[5].f, g, s
    for i in range(n):
        g = step_gradient(param[i], grad[i], sign, decay)
        s = square[i] * alpha + take * g * g
        square[i] = s
        if mean != NULL:
            mean[i] = step_toward(mean[i], g, take)
            s = s - mean[i] * mean[i]
        s = vsqrt(s) + eps
        if momentum != NULL:
            momentum[i] = momentum[i] * keep + g / s
            param[i] = vfma(rate, momentum[i], param[i])
        else:
            param[i] = param[i] + rate * g / s


cdef void rmsprop_step(real* param, real* grad, real* square, const Launch* l, void* scratch) noexcept nogil:
    rmsprop_loop(param, grad, square, <real*>NULL, <real*>NULL, l)


cdef void rmsprop_momentum_step(real* param, real* grad, real* square, real* momentum, const Launch* l, void* scratch) noexcept nogil:
    rmsprop_loop(param, grad, square, momentum, <real*>NULL, l)


cdef void rmsprop_centered_step(real* param, real* grad, real* square, real* mean, const Launch* l, void* scratch) noexcept nogil:
    rmsprop_loop(param, grad, square, <real*>NULL, mean, l)


cdef void rmsprop_centered_momentum_step(real* param, real* grad, real* square, real* momentum, real* mean, const Launch* l,
                                         void* scratch) noexcept nogil:
    rmsprop_loop(param, grad, square, momentum, mean, l)


cdef void adagrad_step(real* param, real* grad, real* total, const Launch* l, void* scratch) noexcept nogil:
    """numbers: -rate, eps."""
    cdef i64 i, n = extent(l, 0)
    cdef real sign = <real>step_sign(l), decay = <real>step_decay(l), rate = <real>l.attr[2].f, eps = <real>l.attr[3].f, g
    for i in range(n):
        g = step_gradient(param[i], grad[i], sign, decay)
        total[i] = total[i] + g * g
        param[i] = param[i] + rate * g / (vsqrt(total[i]) + eps)


cdef void adadelta_step(real* param, real* grad, real* square, real* moved, const Launch* l, void* scratch) noexcept nogil:
    """numbers: -rate, rho, eps."""
    cdef i64 i, n = extent(l, 0)
    cdef real sign = <real>step_sign(l), decay = <real>step_decay(l), rate = <real>l.attr[2].f, rho = <real>l.attr[3].f
    cdef real take = <real>(1 - l.attr[3].f), eps = <real>l.attr[4].f, g, change
    for i in range(n):
        g = step_gradient(param[i], grad[i], sign, decay)
        square[i] = square[i] * rho + take * g * g
        change = vsqrt(moved[i] + eps) / vsqrt(square[i] + eps) * g
        moved[i] = moved[i] * rho + take * change * change
        param[i] = vfma(rate, change, param[i])


cdef void adamax_step(real* param, real* grad, real* mean, real* largest, const Launch* l, void* scratch) noexcept nogil:
    """numbers: -rate, beta1, beta2, eps."""
    cdef i64 i, n = extent(l, 0)
    cdef real sign = <real>step_sign(l), decay = <real>step_decay(l), rate = <real>l.attr[2].f, beta2 = <real>l.attr[4].f
    cdef real eps = <real>l.attr[5].f, take1 = <real>(1 - l.attr[3].f), g
    for i in range(n):
        g = step_gradient(param[i], grad[i], sign, decay)
        mean[i] = step_toward(mean[i], g, take1)
        largest[i] = vmaximum(largest[i] * beta2, vabs(g) + eps)
        param[i] = param[i] + rate * mean[i] / largest[i]


cdef void radam_step(real* param, real* grad, real* mean, real* square, const Launch* l, void* scratch) noexcept nogil:
    """numbers: rate with its rectification, beta1, beta2, eps, bias correction 1, sqrt(bias correction 2) or 0 without second moment."""
    cdef i64 i, n = extent(l, 0)
    cdef real sign = <real>step_sign(l), decay = <real>step_decay(l), shrink = <real>step_shrink(l), rate = <real>l.attr[2].f
    cdef real beta2 = <real>l.attr[4].f, take2 = <real>(1 - l.attr[4].f), eps = <real>l.attr[5].f
    cdef real correction = <real>l.attr[6].f, root = <real>l.attr[7].f, take1 = <real>(1 - l.attr[3].f), p, g, change
    for i in range(n):
        p = param[i] * shrink
        g = step_gradient(p, grad[i], sign, decay)
        mean[i] = step_toward(mean[i], g, take1)
        square[i] = square[i] * beta2 + take2 * g * g
        change = mean[i] / correction * rate
        if root != 0:
            change = change * (root / (vsqrt(square[i]) + eps))
        param[i] = p - change


cdef void nadam_step(real* param, real* grad, real* mean, real* square, const Launch* l, void* scratch) noexcept nogil:
    """numbers: -rates of the gradient and of the mean, beta1, beta2, eps, bias correction 2."""
    cdef i64 i, n = extent(l, 0)
    cdef real sign = <real>step_sign(l), decay = <real>step_decay(l), shrink = <real>step_shrink(l), rate = <real>l.attr[2].f, mean_rate = <real>l.attr[3].f
    cdef real beta2 = <real>l.attr[5].f, take2 = <real>(1 - l.attr[5].f), eps = <real>l.attr[6].f, correction = <real>l.attr[7].f
    cdef real take1 = <real>(1 - l.attr[4].f), p, g, s
    for i in range(n):
        p = param[i] * shrink
        g = step_gradient(p, grad[i], sign, decay)
        mean[i] = step_toward(mean[i], g, take1)
        square[i] = square[i] * beta2 + take2 * g * g
        s = vsqrt(square[i] / correction) + eps
        param[i] = p + rate * g / s + mean_rate * mean[i] / s


cdef void rprop_step(real* param, real* grad, real* before, real* size, const Launch* l, void* scratch) noexcept nogil:
    """numbers: what a step size shrinks and grows by, the smallest and the largest."""
    cdef i64 i, n = extent(l, 0)
    cdef real sign = <real>step_sign(l), decay = <real>step_decay(l), shrink = <real>l.attr[2].f, grow = <real>l.attr[3].f
    cdef real smallest = <real>l.attr[4].f, largest = <real>l.attr[5].f, g, agreement, s
    for i in range(n):
        g = step_gradient(param[i], grad[i], sign, decay)
        agreement = g * before[i]
        s = size[i] * (grow if agreement > 0 else shrink if agreement < 0 else 1 if agreement == 0 else agreement)
        s = smallest if s < smallest else s
        size[i] = largest if s > largest else s
        if agreement < 0:
            g = 0
        param[i] = param[i] - vsign(g) * size[i]
        before[i] = g


cdef void asgd_step(real* param, real* grad, real* average, const Launch* l, void* scratch) noexcept nogil:
    """numbers: what the parameter shrinks by, -rate, how far the average follows it."""
    cdef i64 i, n = extent(l, 0)
    cdef real sign = <real>step_sign(l), decay = <real>step_decay(l), shrink = <real>l.attr[2].f, rate = <real>l.attr[3].f
    cdef real follow = <real>l.attr[4].f, g, p
    cdef bint at_once = l.attr[4].f == 1
    for i in range(n):
        g = step_gradient(param[i], grad[i], sign, decay)
        p = vfma(rate, g, param[i] * shrink)
        param[i] = p
        average[i] = p if at_once else average[i] + (p - average[i]) * follow
