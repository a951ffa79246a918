# Optimizer steps: one call for all parameters of a group, one launch a parameter.
from cpython.list cimport PyList_GET_ITEM
from libc.math cimport pow as c_pow, sqrt as c_sqrt

cdef enum:                 # as in kernels/optimizer.pxi
    NESTEROV = 1
    MAXIMIZE = 2
    FIRST_STEP = 4
    DECOUPLED = 8


@cython.auto_pickle(False)
cdef class Version:
    """A number that goes up with each change of an optimizer's state; fastgrad/optim/state.py counts."""
    cdef public int64_t count


@cython.auto_pickle(False)
cdef class StepPlan:
    """What one parameter group's step works on: its parameters that have a gradient, and flat lists of what the state holds
    for them.  Once settled it is good for as long as `holds` says so."""
    cdef readonly list params
    cdef readonly tuple lists
    cdef object state, key
    cdef Version version               # None: not settled
    cdef int64_t count

    def __init__(self, list params, tuple lists, key):
        self.params, self.lists, self.key = params, lists, key

    def settle(self, state, Version version):
        """From now on the lists are what `state`, which counts its changes in `version`, holds."""
        self.state, self.version, self.count = state, version, version.count

    @property
    def is_settled(self):
        return self.version is not None

    def holds(self, list params, state, key):
        """Whether params, of which some may have no gradient, the state and the key are still those of this plan."""
        cdef Py_ssize_t i, n = 0, planned = len(self.params)
        cdef PyObject* p
        if self.version is None or self.state is not state or self.count != self.version.count or self.key != key:
            return False
        for i in range(len(params)):
            p = PyList_GET_ITEM(params, i)
            if not is_tensor(p) or (<Tensor>p).grad_ is None:
                continue
            if n == planned or PyList_GET_ITEM(self.params, n) != p:
                return False
            n += 1
        return n == planned


cdef inline int check_operand(str name, Tensor param, PyObject* x, str what) except -1:
    """A tensor that goes with a parameter has its shape and dtype."""
    if is_tensor(x) and (<Tensor>x).a.dtype == param.a.dtype and same_shape(&(<Tensor>x).a, &param.a):
        return 0
    return refuse_operand(name, param, <object>x, what)


cdef int refuse_operand(str name, Tensor param, object x, str what) except -1:
    cdef Tensor t
    if not is_tensor(<PyObject*>x):
        raise TypeError(f"{name}: {what} must be Tensors, not {type(x).__name__}")
    t = <Tensor>x
    raise RuntimeError(f"{name}: {what} must match their parameter {shape_tuple(&param.a)} of {dtype_object(param.a.dtype)}, "
                       f"got {shape_tuple(&t.a)} of {dtype_object(t.a.dtype)}")


cdef int launch_step(int kernel, Launch* l, PyObject** operand, int n) except -1:
    """Run a step kernel over n tensors of one shape and dtype: parameter, gradient, then its state."""
    cdef Tensor grad = <Tensor>operand[1]         # the lists own the others; it could be dropped meanwhile
    cdef Array* a = &(<Tensor>operand[0]).a
    cdef int i, dt = a.dtype
    cdef bint contiguous = True
    if dt != FLOAT32 and dt != FLOAT64:
        raise NotImplementedError(f"optimizer step: parameters must be float32 or float64, got {dtype_object(dt)}")
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, dt, 1, 1, n
    l.shape[0] = a.numel
    for i in range(n):
        contiguous = contiguous and (<Tensor>operand[i]).a.contiguous
        l.ptr[i] = (<Tensor>operand[i]).a.data
        l.stride[i][0] = itemsize(dt)
    if contiguous:
        run(l)
    else:
        step_through_copies(l, operand, n)
    for i in range(n):
        if i != 1:                                # the gradient is only read
            bump(<Tensor>operand[i])
    return 0


cdef int step_through_copies(Launch* l, PyObject** operand, int n) except -1:
    """As run(l), where some operand is not contiguous."""
    cdef list copies = []
    cdef Tensor t
    cdef int i
    for i in range(n):
        t = <Tensor>operand[i]
        copies.append(t if t.a.contiguous else contiguous_copy(t))
        l.ptr[i] = (<Tensor>copies[i]).a.data
    run(l)
    for i in range(n):
        t = <Tensor>operand[i]
        if i != 1 and not t.a.contiguous:
            copy_array(&t.a, &(<Tensor>copies[i]).a)
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


cdef int require_length(str name, list params, object state) except -1:
    """Nothing below checks an index."""
    if not isinstance(state, list) or len(<list>state) != len(params):
        raise ValueError(f"{name}: a list with one of each state for each parameter, got {len(params)} parameters and "
                         f"{len(state) if isinstance(state, list) else state} states")
    return 0


cdef int take_param(str name, list params, Py_ssize_t i, PyObject** operand) except -1:
    """Operands 0 and 1 of a step: parameter i and its gradient.  Borrowed: no Python code runs before they are used."""
    cdef PyObject* p = PyList_GET_ITEM(params, i)
    if not is_tensor(p):
        raise TypeError(f"{name}: parameters must be Tensors, not {type(<object>p).__name__}")
    operand[0], operand[1] = p, <PyObject*>(<Tensor>p).grad_
    return check_operand(name, <Tensor>p, operand[1], "gradients")


cdef inline int take_state(str name, list state, Py_ssize_t i, str what, PyObject** operand, int k) except -1:
    operand[k] = PyList_GET_ITEM(state, i)
    return check_operand(name, <Tensor>operand[0], operand[k], what)


def sgd_step(list params, momentum_buffers, double lr, double momentum=0, double dampening=0, double weight_decay=0,
             bint nesterov=False, bint maximize=False):
    """One step of stochastic gradient descent over all parameters, by their gradients.

    Args:
        momentum_buffers: list of one for each parameter; None entries are filled in with new buffers.  Unused where momentum is 0.
    Raises:
        RuntimeError: a gradient or buffer does not match its parameter.
        TypeError: a parameter is no tensor or has no gradient.
        ValueError: the lists differ in length.
    Source: Sutskever et al., On the importance of initialization and momentum in deep learning, 2013 (nesterov).
    """
    cdef Launch l
    cdef Py_ssize_t i
    cdef PyObject* operand[3]
    cdef list buffers = None
    if momentum != 0:
        require_length("sgd_step", params, momentum_buffers)
        buffers = momentum_buffers
    for i in range(len(params)):
        take_param("sgd_step", params, i, operand)
        l.attr[0].f, l.attr[1].f = lr, weight_decay
        l.attr[2].i = (NESTEROV if nesterov else 0) | (MAXIMIZE if maximize else 0)
        if buffers is None:
            launch_step(K_SGD_STEP, &l, operand, 2)
            continue
        l.attr[3].f, l.attr[4].f = momentum, 1 - dampening
        if buffers[i] is None:
            l.attr[2].i |= FIRST_STEP
            buffers[i] = empty_as((<Tensor>operand[0]).a.dtype, &(<Tensor>operand[0]).a)
        take_state("sgd_step", buffers, i, "momentum buffers", operand, 2)
        launch_step(K_SGD_MOMENTUM_STEP, &l, operand, 3)


def adam_step(list params, list exp_avgs, list exp_avg_sqs, max_exp_avg_sqs, list steps, double lr, double beta1, double beta2,
              double eps, double weight_decay=0, bint amsgrad=False, bint maximize=False, bint decoupled=False):
    """One step of Adam (AdamW where decoupled) over all parameters, by their gradients.

    Args:
        steps: 0-d float32 tensors, one for each parameter; each is counted up by one.
        max_exp_avg_sqs: a list where amsgrad, otherwise None.
    Raises: as sgd_step.
    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015; Loshchilov and Hutter, Decoupled Weight Decay
        Regularization, 2019; Reddi et al., On the Convergence of Adam and Beyond, 2018 (amsgrad).
    """
    cdef Launch l
    cdef Py_ssize_t i
    cdef PyObject* operand[5]
    cdef double step
    require_length("adam_step", params, exp_avgs)
    require_length("adam_step", params, exp_avg_sqs)
    require_length("adam_step", params, steps)
    if amsgrad:
        require_length("adam_step", params, max_exp_avg_sqs)
    for i in range(len(params)):
        take_param("adam_step", params, i, operand)
        take_state("adam_step", exp_avgs, i, "first moments", operand, 2)
        take_state("adam_step", exp_avg_sqs, i, "second moments", operand, 3)
        if amsgrad:
            take_state("adam_step", <list>max_exp_avg_sqs, i, "largest second moments", operand, 4)
        step = step_count(<Tensor?>steps[i])
        l.attr[0].f = -(lr / (1 - c_pow(beta1, step)))
        l.attr[1].i = (MAXIMIZE if maximize else 0) | (DECOUPLED if decoupled else 0)
        l.attr[2].f = 1 - lr * weight_decay if decoupled else weight_decay
        l.attr[3].f, l.attr[4].f, l.attr[5].f = 1 - beta1, beta2, 1 - beta2
        l.attr[6].f, l.attr[7].f = c_sqrt(1 - c_pow(beta2, step)), eps
        if amsgrad:
            launch_step(K_ADAM_AMSGRAD_STEP, &l, operand, 5)
        else:
            launch_step(K_ADAM_STEP, &l, operand, 4)


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
