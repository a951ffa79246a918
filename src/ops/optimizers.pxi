# Optimizer steps: no Python frame between `step()` and the kernels, one launch a parameter.
#
# The functions here that take `optimizer` are methods of fastgrad.optim's classes.
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

    cdef bint holds(self, list params, object state, object key):
        """Whether params, of which some may have no gradient, the state and the key are still those of this plan."""
        cdef Py_ssize_t i, n = 0, planned = len(self.params)
        cdef PyObject* p
        if self.version is None or self.state is not state or self.count != self.version.count or self.key is not key:
            return False
        for i in range(len(params)):
            p = PyList_GET_ITEM(params, i)
            if not is_tensor(p):
                return False
            if (<Tensor>p).grad_ is None:
                continue
            if n == planned or PyList_GET_ITEM(self.params, n) != p:
                return False
            n += 1
        return n == planned


cdef StepPlan step_plan(object optimizer, object index, dict group, object key):
    """The plan of group number `index`: the last one, or a new one, to be settled, if anything has changed since.

    key: what of the group decides which state there is; compared by identity."""
    cdef dict plans = optimizer._plans
    cdef list params = group["params"]
    cdef StepPlan plan = plans.get(index)
    if plan is None or not plan.holds(params, optimizer.state, key):
        params = with_grads(params)[0]
        plan = plans[index] = StepPlan(params, optimizer._state_lists(params, group), key)
    return plan


cdef bint steps_have_hooks = False


def use_hooked_steps():
    """From now on every optimizer's step looks for hooks."""
    global steps_have_hooks
    steps_have_hooks = True


def optimizer_step(self, closure=None):
    """Change the parameters by their gradients.

    Args:
        closure: if given, called first, with gradients on: it computes the loss and its gradients again.

    Returns: what closure returned, or None.
    """
    if steps_have_hooks:
        return self._step_between_hooks(step_groups, () if closure is None else (closure,), {})
    return step_groups(self, closure)


def step_groups(self, closure=None):
    """optimizer_step without hooks."""
    cdef Py_ssize_t index = 0
    loss = None if closure is None else self._evaluate(closure)
    for group in <list?>self.param_groups:
        self._step_group(index, group)
        index += 1
    return loss


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
    cdef int i, dt = real_of(a.dtype), parts = 2 if is_complex(a.dtype) else 1       # complex numbers step part by part
    cdef bint contiguous = True
    if dt != FLOAT32 and dt != FLOAT64:
        raise NotImplementedError(f"optimizer step: parameters must be float32 or float64, got {dtype_object(dt)}")
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, dt, 1, 1, n
    l.shape[0] = parts * a.numel
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


def sgd_step(optimizer, index, dict group):
    """One step of stochastic gradient descent over the parameters of a group, by their gradients; SGD._step_group.

    Raises:
        RuntimeError: a gradient or buffer does not match its parameter.
        TypeError: a parameter, gradient or buffer is no tensor.
        ValueError: the state's lists differ in length.
    Source: Sutskever et al., On the importance of initialization and momentum in deep learning, 2013 (nesterov).
    """
    cdef Launch l
    cdef Py_ssize_t i
    cdef PyObject* operand[3]
    cdef list buffers = None
    cdef double lr = group["lr"], momentum = group["momentum"], weight_decay = group["weight_decay"]
    cdef double undamped = 1 - <double>group["dampening"]
    cdef int flags = (NESTEROV if group["nesterov"] else 0) | (MAXIMIZE if group["maximize"] else 0)
    cdef StepPlan plan = step_plan(optimizer, index, group, momentum != 0)
    if momentum != 0:
        buffers, = plan.lists
        require_length("sgd_step", plan.params, buffers)
    for i in range(len(plan.params)):
        take_param("sgd_step", plan.params, i, operand)
        l.attr[0].f, l.attr[1].f, l.attr[2].i = lr, weight_decay, flags
        if buffers is None:
            launch_step(K_SGD_STEP, &l, operand, 2)
            continue
        l.attr[3].f, l.attr[4].f = momentum, undamped
        if buffers[i] is None:
            l.attr[2].i |= FIRST_STEP
            buffers[i] = empty_as((<Tensor>operand[0]).a.dtype, &(<Tensor>operand[0]).a)
        take_state("sgd_step", buffers, i, "momentum buffers", operand, 2)
        launch_step(K_SGD_MOMENTUM_STEP, &l, operand, 3)
    if plan.version is None:
        optimizer._settle(plan)


def adam_step(optimizer, index, dict group):
    """One step of Adam (AdamW where decoupled) over the parameters of a group, by their gradients; Adam._step_group.

    Raises: as sgd_step.
    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015; Loshchilov and Hutter, Decoupled Weight Decay
        Regularization, 2019; Reddi et al., On the Convergence of Adam and Beyond, 2018 (amsgrad).
    """
    cdef Launch l
    cdef Py_ssize_t i
    cdef PyObject* operand[5]
    cdef list means, squares, largest, steps
    cdef double step, beta1, beta2, lr = group["lr"], weight_decay = group["weight_decay"], eps = group["eps"]
    cdef bint amsgrad = group["amsgrad"], decoupled = group["decoupled_weight_decay"]
    cdef int flags = (MAXIMIZE if group["maximize"] else 0) | (DECOUPLED if decoupled else 0)
    cdef StepPlan plan = step_plan(optimizer, index, group, amsgrad)
    beta1, beta2 = group["betas"]
    means, squares, largest, steps = plan.lists
    for one in (means, squares, steps):
        require_length("adam_step", plan.params, one)
    if amsgrad:
        require_length("adam_step", plan.params, largest)
    for i in range(len(plan.params)):
        take_param("adam_step", plan.params, i, operand)
        take_state("adam_step", means, i, "first moments", operand, 2)
        take_state("adam_step", squares, i, "second moments", operand, 3)
        if amsgrad:
            take_state("adam_step", largest, i, "largest second moments", operand, 4)
        step = step_count("adam_step", <Tensor?>steps[i])
        l.attr[0].f = -(lr / (1 - c_pow(beta1, step)))
        l.attr[1].i = flags
        l.attr[2].f = 1 - lr * weight_decay if decoupled else weight_decay
        l.attr[3].f, l.attr[4].f, l.attr[5].f = 1 - beta1, beta2, 1 - beta2
        l.attr[6].f, l.attr[7].f = c_sqrt(1 - c_pow(beta2, step)), eps
        if amsgrad:
            launch_step(K_ADAM_AMSGRAD_STEP, &l, operand, 5)
        else:
            launch_step(K_ADAM_STEP, &l, operand, 4)
    if plan.version is None:
        optimizer._settle(plan)


cdef double state_number(str name, Tensor x, str what) except? -1:
    """The number in a 0-d tensor of the state."""
    if x.a.ndim != 0 or not (x.a.dtype == FLOAT32 or x.a.dtype == FLOAT64):
        raise RuntimeError(f"{name}: {what} must be 0-d float tensors, got {shape_tuple(&x.a)} of {dtype_object(x.a.dtype)}")
    return (<f32*>x.a.data)[0] if x.a.dtype == FLOAT32 else (<f64*>x.a.data)[0]


cdef int set_state_number(Tensor x, double value) except -1:
    refuse_recording("this optimizer's step depends on how many there were, and a replay would repeat one; record the gradients alone")
    if x.a.dtype == FLOAT32:
        (<f32*>x.a.data)[0] = <f32>value
    else:
        (<f64*>x.a.data)[0] = value
    bump(x)
    return 0


cdef double step_count(str name, Tensor step) except -1:
    """Count a 0-d step tensor up by one and return it."""
    set_state_number(step, state_number(name, step, "steps") + 1)
    return state_number(name, step, "steps")


def zero_grad(self, bint set_to_none=True):
    """Drop the parameters' gradients, or fill them with zeros if set_to_none is False."""
    for group in <list?>self.param_groups:
        zero_grads((<dict?>group)["params"], set_to_none)


def zero_grads(list params, bint set_to_none=True):
    """Drop the gradients of params, or fill them with zeros."""
    for param in params:
        forget_grad(<Tensor?>param, set_to_none)


cdef int forget_grad(Tensor p, bint set_to_none) except -1:
    cdef Tensor g
    if p.grad_ is None:
        return 0
    if set_to_none:
        p.grad_ = None
        return 0
    g = <Tensor>p.grad_
    if g.node is not None:
        g = alias(g)
        p.grad_ = g
    fill_array(&g.a, 0)
    bump(g)
    return 0
