# Grad modes: context managers that are decorators too.
#
# Compiled, because a step of a small network enters several.  The mode is two ints of the thread (port.h).  An instance keeps
# the modes it replaced as bits, the last entered lowest, so that it may be entered again inside itself.
# Inference mode records nothing, whatever the grad mode: in it fg_grad_enabled is 0, and fg_inference keeps the grad mode that was asked
# for, for is_grad_enabled to tell.

from functools import wraps as copy_metadata

cdef enum:
    GENERATOR_FLAG = 0x20                 # in a code object's co_flags
    ASKED = 2                             # in fg_inference beside 1: grad mode was switched on


@cython.freelist(8)
cdef class _Mode:
    """What the modes share.  `replaced`: three bits, grad mode and those of inference mode, for each entry that was not left yet."""
    cdef uint64_t replaced

    cdef void push(self, int grad, int inference) noexcept:
        global fg_grad_enabled, fg_inference
        self.replaced = self.replaced << 3 | <uint64_t>(fg_grad_enabled | fg_inference << 1)
        fg_grad_enabled = grad
        fg_inference = inference

    cdef void pop(self) noexcept:
        global fg_grad_enabled, fg_inference
        fg_grad_enabled = self.replaced & 1
        fg_inference = self.replaced >> 1 & 3
        self.replaced >>= 3

    def __exit__(self, *exc):
        self.pop()

    def clone(self):
        """A fresh instance: each call of a decorated function has one of its own."""
        return type(self)()

    def __call__(self, function):
        return decorated(self, function)


cdef class no_grad(_Mode):
    """In the block, or in the decorated function, no operation leaves anything in the graph.

    Thread-safety: the mode is the calling thread's own.
    Example:
        >>> with fastgrad.no_grad():
        ...     w -= 0.1 * w.grad
    """

    def __enter__(self):
        self.push(0, fg_inference & 1)


cdef class enable_grad(_Mode):
    """In the block, or in the decorated function, operations are recorded, also inside a no_grad block."""

    def __enter__(self):
        self.push(not fg_inference, 1 | ASKED if fg_inference else 0)


cdef class set_grad_enabled(_Mode):
    """Sets grad mode at once, and until the end of the block where it is used with `with`.

    Args:
        mode: whether operations are recorded.
    """
    cdef readonly bint mode
    cdef readonly bint prev

    def __init__(self, mode):
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}")
        self.mode, self.prev = mode, is_grad_enabled()
        switch_grad(self.mode)

    def __call__(self, function):
        switch_grad(self.prev)            # it was set for the function's calls, not for what follows its definition
        return decorated(self, function)

    def __enter__(self):
        switch_grad(self.mode)

    def __exit__(self, *exc):
        switch_grad(self.prev)

    def clone(self):
        return type(self)(self.mode)

    def __repr__(self):
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"


cdef class inference_mode(_Mode):
    """As no_grad; moreover tensors made in it never take part in a graph later.

    Args:
        mode: False switches it off inside an outer inference_mode.
    """
    cdef readonly bint mode

    def __init__(self, mode=True):
        self.mode = mode

    def __enter__(self):
        self.push(not self.mode, self.mode)

    def clone(self):
        return type(self)(self.mode)


cdef object decorated(_Mode mode, object function):
    """`function`, every call of which runs in a fresh copy of the mode; a generator, whenever it runs."""
    if isinstance(function, type):
        import warnings
        warnings.warn("Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                      "functions or methods. To keep what decorating a class does, decorate its `__init__` method and "
                      "nothing else.", FutureWarning)
        return called_in(mode, function)
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & GENERATOR_FLAG:
        return copy_metadata(function)(generated_in(mode, function))
    return copy_metadata(function)(called_in(mode, function))


cdef object called_in(_Mode mode, object function):
    def decorated_call(*args, **kwargs):
        with mode.clone():
            return function(*args, **kwargs)
    return decorated_call


cdef object generated_in(_Mode mode, object function):
    def decorated_generator(*args, **kwargs):
        generator = function(*args, **kwargs)
        try:
            with mode.clone():
                value = next(generator)
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    with mode.clone():
                        generator.close()
                    raise
                except BaseException as thrown:
                    with mode.clone():
                        value = generator.throw(thrown)
                else:
                    with mode.clone():
                        value = generator.send(sent)
        except StopIteration as end:
            return end.value
    return decorated_generator


ctypedef PyObject* (*make_t)(PyObject*, PyObject**, size_t, PyObject*) noexcept

cdef make_t make_no_grad, make_enable_grad, make_inference


cdef PyObject* made_or_decorated(make_t make, PyObject* kind, PyObject** args, size_t nargsf, PyObject* kwnames) except NULL:
    """`@no_grad` without parentheses: making an instance from a function gives the decorated function."""
    cdef object first
    if PyVectorcall_NARGS(nargsf) == 0:
        return make(kind, args, nargsf, kwnames)
    first = <object>args[0]
    if callable(first):
        first = (<object>kind)()(first)
        Py_INCREF(first)
        return <PyObject*>first
    if make != make_inference and first is not None:
        raise TypeError(f"{(<object>kind).__name__}: takes a function to decorate or nothing, got {type(first).__name__}")
    return make(kind, args, nargsf, kwnames)


cdef PyObject* vectorcall_no_grad(PyObject* kind, PyObject** args, size_t nargsf, PyObject* kwnames) except NULL:
    return made_or_decorated(make_no_grad, kind, args, nargsf, kwnames)


cdef PyObject* vectorcall_enable_grad(PyObject* kind, PyObject** args, size_t nargsf, PyObject* kwnames) except NULL:
    return made_or_decorated(make_enable_grad, kind, args, nargsf, kwnames)


cdef PyObject* vectorcall_inference(PyObject* kind, PyObject** args, size_t nargsf, PyObject* kwnames) except NULL:
    return made_or_decorated(make_inference, kind, args, nargsf, kwnames)


cdef int install_modes() except -1:
    global make_no_grad, make_enable_grad, make_inference
    make_no_grad = <make_t>(<PyTypeObject*>no_grad).tp_vectorcall
    make_enable_grad = <make_t>(<PyTypeObject*>enable_grad).tp_vectorcall
    make_inference = <make_t>(<PyTypeObject*>inference_mode).tp_vectorcall
    (<PyTypeObject*>no_grad).tp_vectorcall = <void*>vectorcall_no_grad
    (<PyTypeObject*>enable_grad).tp_vectorcall = <void*>vectorcall_enable_grad
    (<PyTypeObject*>inference_mode).tp_vectorcall = <void*>vectorcall_inference
    return 0

install_modes()


def is_grad_enabled():
    """Whether grad mode is on; operations of this thread are recorded in the graph then, unless it is in inference mode."""
    return bool(fg_grad_enabled or fg_inference & ASKED)


def is_inference_mode_enabled():
    """Whether this thread is in inference_mode."""
    return bool(fg_inference)


cdef void switch_grad(bint mode) noexcept:
    global fg_grad_enabled, fg_inference
    fg_grad_enabled = mode and not fg_inference
    if fg_inference:
        fg_inference = 1 | (ASKED if mode else 0)


def _set_grad_enabled(bint mode):
    switch_grad(mode)


def _set_anomaly(bint mode, bint check_nan=True):
    global anomaly_mode, anomaly_check_nan
    anomaly_mode, anomaly_check_nan = mode, check_nan


def is_anomaly_enabled():
    return anomaly_mode


def is_anomaly_check_nan_enabled():
    return anomaly_check_nan
