# Optimizer steps: one call for all parameters of a group, one launch a parameter.
from libc.math cimport pow as c_pow, sqrt as c_sqrt

cdef enum:                 # as in kernels/optimizer.pxi
    NESTEROV = 1
    MAXIMIZE = 2
    FIRST_STEP = 4
    DECOUPLED = 8


cdef Tensor step_operand(str name, Tensor param, object x, str what):
    """A tensor that goes with a parameter: same shape, same dtype."""
    if not is_tensor(<PyObject*>x):
        raise TypeError(f"{name}: {what} must be Tensors, not {type(x).__name__}")
    cdef Tensor t = <Tensor>x
    if not same_shape(&t.a, &param.a) or t.a.dtype != param.a.dtype:
        raise RuntimeError(f"{name}: {what} must match their parameter {shape_tuple(&param.a)} of {dtype_object(param.a.dtype)}, "
                           f"got {shape_tuple(&t.a)} of {dtype_object(t.a.dtype)}")
    return t


cdef int launch_step(int kernel, Launch* l, Tensor param, Tensor grad, Tensor state=None, Tensor state2=None,
                     Tensor state3=None) except -1:
    """Run a step kernel over operands of one shape; those that are not contiguous go through copies."""
    cdef PyObject* given[5]
    cdef list copies = None
    cdef Tensor t
    cdef int i, n = 0, dt = param.a.dtype
    if dt != FLOAT32 and dt != FLOAT64:
        raise NotImplementedError(f"optimizer step: parameters must be float32 or float64, got {dtype_object(dt)}")
    given[0], given[1], given[2] = <PyObject*>param, <PyObject*>grad, <PyObject*>state
    given[3], given[4] = <PyObject*>state2, <PyObject*>state3
    while n < 5 and <object>given[n] is not None:
        t = <Tensor>given[n]
        if not t.a.contiguous:
            copies = [None] * 5 if copies is None else copies
            t = copies[n] = contiguous_copy(t)
        l.ptr[n] = t.a.data
        l.stride[n][0] = itemsize(dt)
        n += 1
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, dt, 1, 1, n
    l.shape[0] = param.a.numel
    run(l)
    for i in range(n):
        if i == 1:                                # the gradient is only read
            continue
        t = <Tensor>given[i]
        if copies is not None and copies[i] is not None:
            copy_array(&t.a, &(<Tensor>copies[i]).a)
        bump(t)
    return 0


def with_grads(list params):
    """(params, grads) of those that have a gradient."""
    cdef Tensor p
    cdef list kept = [], grads = []
    for one in params:
        p = <Tensor?>one
        if p.grad_ is not None:
            kept.append(p)
            grads.append(p.grad_)
    return kept, grads


def same_objects(list a, list b):
    """Whether both lists hold the very same objects."""
    cdef Py_ssize_t i
    if len(a) != len(b):
        return False
    for i in range(len(a)):
        if a[i] is not b[i]:
            return False
    return True


cdef int require_lengths(str name, list params, list grads, list state) except -1:
    """Nothing below checks an index."""
    if len(grads) != len(params) or len(state) != len(params):
        raise ValueError(f"{name}: one gradient and one of each state for each parameter, got {len(params)} parameters, "
                         f"{len(grads)} gradients and {len(state)} states")
    return 0


def sgd_step(list params, list grads, list momentum_buffers, double lr, double momentum=0, double dampening=0,
             double weight_decay=0, bint nesterov=False, bint maximize=False):
    """One step of stochastic gradient descent over all parameters.

    Args:
        momentum_buffers: one for each parameter; None entries are filled in with new buffers.  Unused where momentum is 0.
    Raises:
        RuntimeError: a gradient or buffer does not match its parameter.
        ValueError: the lists differ in length.
    Source: Sutskever et al., On the importance of initialization and momentum in deep learning, 2013 (nesterov).
    """
    cdef Launch l
    cdef Py_ssize_t i
    cdef Tensor p, g, b
    require_lengths("sgd_step", params, grads, momentum_buffers)
    for i in range(len(params)):
        p = <Tensor?>params[i]
        g = step_operand("sgd_step", p, grads[i], "gradients")
        l.attr[0].f, l.attr[1].f = lr, weight_decay
        l.attr[2].i = (NESTEROV if nesterov else 0) | (MAXIMIZE if maximize else 0)
        if momentum == 0:
            launch_step(K_SGD_STEP, &l, p, g)
            continue
        l.attr[3].f, l.attr[4].f = momentum, 1 - dampening
        if momentum_buffers[i] is None:
            l.attr[2].i |= FIRST_STEP
            momentum_buffers[i] = empty_as(p.a.dtype, &p.a)
        b = step_operand("sgd_step", p, momentum_buffers[i], "momentum buffers")
        launch_step(K_SGD_MOMENTUM_STEP, &l, p, g, b)


def adam_step(list params, list grads, list exp_avgs, list exp_avg_sqs, max_exp_avg_sqs, list steps, double lr, double beta1,
              double beta2, double eps, double weight_decay=0, bint amsgrad=False, bint maximize=False, bint decoupled=False):
    """One step of Adam (AdamW where decoupled) over all parameters.

    Args:
        steps: 0-d float32 tensors, one for each parameter; each is counted up by one.
        max_exp_avg_sqs: a list where amsgrad, otherwise None.
    Raises:
        RuntimeError: a gradient or state tensor does not match its parameter.
        ValueError: the lists differ in length.
    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015; Loshchilov and Hutter, Decoupled Weight Decay
        Regularization, 2019; Reddi et al., On the Convergence of Adam and Beyond, 2018 (amsgrad).
    """
    cdef Launch l
    cdef Py_ssize_t i
    cdef Tensor p, g, m, v, largest
    cdef double step
    require_lengths("adam_step", params, grads, exp_avgs)
    require_lengths("adam_step", params, grads, exp_avg_sqs)
    require_lengths("adam_step", params, grads, steps)
    if amsgrad:
        require_lengths("adam_step", params, grads, max_exp_avg_sqs)
    for i in range(len(params)):
        p = <Tensor?>params[i]
        g = step_operand("adam_step", p, grads[i], "gradients")
        m = step_operand("adam_step", p, exp_avgs[i], "first moments")
        v = step_operand("adam_step", p, exp_avg_sqs[i], "second moments")
        step = step_count(<Tensor?>steps[i])
        l.attr[0].f = -(lr / (1 - c_pow(beta1, step)))
        l.attr[1].i = (MAXIMIZE if maximize else 0) | (DECOUPLED if decoupled else 0)
        l.attr[2].f = 1 - lr * weight_decay if decoupled else weight_decay
        l.attr[3].f, l.attr[4].f, l.attr[5].f = 1 - beta1, beta2, 1 - beta2
        l.attr[6].f, l.attr[7].f = c_sqrt(1 - c_pow(beta2, step)), eps
        if amsgrad:
            largest = step_operand("adam_step", p, max_exp_avg_sqs[i], "largest second moments")
            launch_step(K_ADAM_AMSGRAD_STEP, &l, p, g, m, v, largest)
        else:
            launch_step(K_ADAM_STEP, &l, p, g, m, v)


cdef double step_count(Tensor step) except -1:
    """Count a 0-d step tensor up by one and return it."""
    if step.a.ndim != 0 or not (step.a.dtype == FLOAT32 or step.a.dtype == FLOAT64):
        raise RuntimeError(f"adam_step: steps must be 0-d float tensors, got {shape_tuple(&step.a)} of {dtype_object(step.a.dtype)}")
    if step.a.dtype == FLOAT32:
        (<f32*>step.a.data)[0] += 1
    else:
        (<f64*>step.a.data)[0] += 1
    bump(step)
    return load_number(step.a.dtype, step.a.data)


def zero_grad(params, bint set_to_none=True):
    """Forget the gradients of all parameters, or fill them with zeros."""
    cdef Tensor p, g
    for one in params:
        p = <Tensor?>one
        if p.grad_ is None:
            continue
        if set_to_none:
            p.grad_ = None
            continue
        g = <Tensor>p.grad_
        if g.node is not None:
            g = alias(g)
            p.grad_ = g
        fill_array(&g.a, 0)
        bump(g)
