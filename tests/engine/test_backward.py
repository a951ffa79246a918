"""backward and grad: what PyTorch does with the same graph, and that a walk survives whatever happens in the middle of it."""

import gc
import threading
import warnings

import numpy as np
import pytest
import torch

import fastgrad

LIBRARIES = [fastgrad, torch]


def leaf(library, values, dtype="float64", requires_grad=True):
    return library.tensor(values, dtype=getattr(library, dtype), requires_grad=requires_grad)


def outcome(function, library):
    """What a function of the library gives: nested lists, or the class of the exception."""
    try:
        return plain(function(library))
    except Exception as error:
        return type(error)


def plain(value):
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return value.detach().tolist() if hasattr(value, "detach") else value


def same(function):
    ours, theirs = (outcome(function, library) for library in LIBRARIES)
    assert ours == theirs
    return ours


# --- programs, run in both libraries ----------------------------------------------------------------------------------


def shared_value(lib):
    x = leaf(lib, [2.0, 3.0])
    y = x * x
    (y * x + y).sum().backward()
    return x.grad


def both_sides(lib):
    a, b = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    (a + b).sum().backward()
    a.grad.mul_(2)
    return a.grad, b.grad


def broadcast(lib):
    a, b, c = leaf(lib, [[1.0], [2.0]]), leaf(lib, [3.0, 4.0, 5.0]), leaf(lib, 2.0)
    (a * b * c).sum().backward()
    return a.grad, b.grad, c.grad


def promoted(lib):
    a, b = leaf(lib, [1.0, 2.0], "float32"), leaf(lib, [3.0, 4.0], "float64")
    (a * b).sum().backward()
    return a.grad, str(a.grad.dtype), b.grad, str(b.grad.dtype)


def root_is_leaf(lib):
    x = leaf(lib, 3.0)
    x.backward()
    x.backward(lib.tensor(2.0, dtype=lib.float64))
    return x.grad


def root_given_twice(lib):
    x = leaf(lib, 3.0)
    y = x * 2
    lib.autograd.backward([y, y, x])
    return x.grad


def root_below_another(lib):
    x = leaf(lib, 3.0)
    y = x * 2
    z = y * y
    lib.autograd.backward([y, z])
    return x.grad


def accumulates(lib):
    x = leaf(lib, [1.0, 2.0])
    for _ in range(3):
        (x * x).sum().backward()
    return x.grad


def retained_twice(lib):
    x = leaf(lib, [1.0, 2.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def released(lib):
    x = leaf(lib, [1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    y.backward()


def nothing_saved(lib):
    x = leaf(lib, [1.0, 2.0])
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


def second_order(lib):
    x = leaf(lib, [0.5, 2.0])
    g, = lib.autograd.grad((x * x * x).sum(), x, create_graph=True)
    (g * g).sum().backward()
    return x.grad


def create_graph_accumulates(lib):
    x = leaf(lib, [0.5, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x * x * x).sum().backward(create_graph=True)
        (x * x).sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    first.sum().backward()
    return first, x.grad


def create_graph_shares(lib):
    a, b = leaf(lib, [0.5, 2.0]), leaf(lib, [1.5, 3.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ((a + b) * (a + b)).sum().backward(create_graph=True)
    ga, gb = a.grad, b.grad
    a.grad = b.grad = None
    (ga * gb).sum().backward()
    return ga.requires_grad, gb.requires_grad, a.grad, b.grad


def grad_of_inner(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * x
    z = (y * y).sum()
    gy, = lib.autograd.grad(z, y)
    y.sum().backward()  # what made y was not walked, so it is still there
    return gy, x.grad


def grad_of_both(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * x
    return lib.autograd.grad((y * y).sum(), [x, y])


def grad_unused(lib):
    x, z = leaf(lib, 1.0), leaf(lib, 1.0)
    return lib.autograd.grad(x * 2, [x, z], allow_unused=True)


def grad_unused_refused(lib):
    x, z = leaf(lib, 1.0), leaf(lib, 1.0)
    return lib.autograd.grad(x * 2, [x, z])


def grad_materialized(lib):
    x, z = leaf(lib, 1.0), leaf(lib, [1.0, 2.0])
    return lib.autograd.grad(x * 2, [x, z], materialize_grads=True)


def grad_materialized_refused(lib):
    x = leaf(lib, 1.0)
    return lib.autograd.grad(x * 2, x, allow_unused=False, materialize_grads=True)


def grad_leaves_grad_alone(lib):
    x = leaf(lib, [1.0, 2.0])
    lib.autograd.grad((x * x).sum(), x)
    return x.grad


def inputs_leaf(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    (x * w).sum().backward(inputs=[w])
    return x.grad, w.grad


def inputs_inner(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    y = x * w
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (y * y).sum().backward(inputs=[y, w])
        return x.grad, w.grad, y.grad


def inputs_empty(lib):
    leaf(lib, 1.0).backward(inputs=[])


def not_a_scalar(lib):
    (leaf(lib, [1.0, 2.0]) * 2).backward()


def wrong_shape(lib):
    (leaf(lib, [1.0, 2.0]) * 2).backward(lib.tensor([1.0], dtype=lib.float64))


def no_graph(lib):
    lib.tensor([1.0]).sum().backward()


def other_dtype_of_cotangent(lib):
    x = leaf(lib, [1.0, 2.0], "float32")
    (x * 3).backward(lib.tensor([1.0, 2.0], dtype=lib.float64))
    return x.grad, str(x.grad.dtype)


def changed_in_place(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 1
    z = y * y
    y.add_(1)
    z.sum().backward()


def result_changed_in_place(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x.exp()
    y.mul_(2)
    y.sum().backward()


def unharmful_change(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 1
    z = y + y
    y.add_(1)
    z.sum().backward()
    return x.grad


def in_place_chain(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    y.add_(1).mul_(3)
    y.mul_(x)
    y.sum().backward()
    return x.grad


def leaf_in_place(lib):
    leaf(lib, [1.0]).add_(1)


def retain_grad(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    (y * y).sum().backward()
    return y.grad, y.retains_grad, x.retains_grad


def retain_grad_in_place(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    return y.grad, x.grad


def flags(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    return x.is_leaf, y.is_leaf, y.requires_grad, x.grad_fn is None, y.output_nr, y.grad_fn.name()


def next_functions(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [1.0, 2.0], requires_grad=False)
    y = (x * 2).exp() * w
    return [[None if n is None else n.name() for n, _ in y.grad_fn.next_functions],
            y.grad_fn.next_functions[0][0].next_functions[0][0].next_functions[0][0].variable is x]


def requires_grad_of_result(lib):
    leaf(lib, [1.0]).mul(2).requires_grad_(False)


def requires_grad_of_integers(lib):
    lib.tensor([1, 2]).requires_grad_()


def grad_of_other_shape(lib):
    leaf(lib, [1.0, 2.0]).grad = lib.tensor([1.0], dtype=lib.float64)


def grad_of_other_dtype(lib):
    leaf(lib, [1.0, 2.0]).grad = lib.tensor([1.0, 2.0], dtype=lib.float32)


def grad_of_other_class(lib):
    leaf(lib, [1.0, 2.0]).grad = 3.0


def its_own_grad(lib):
    x = leaf(lib, [1.0, 2.0])
    x.grad = x


def data_of_other_shape(lib):
    x = leaf(lib, [1.0, 2.0])
    x.sum().backward()
    x.data = lib.tensor([1.0, 2.0, 3.0], dtype=lib.float64)
    x.sum().backward()


def half(lib):
    x = leaf(lib, [1.0, 2.0], "float16")
    y = x * x
    (y + y * x + y).sum().backward()
    return x.grad, str(x.grad.dtype)


PROGRAMS = [shared_value, both_sides, broadcast, promoted, root_is_leaf, root_given_twice, root_below_another, accumulates,
            retained_twice, released, nothing_saved, second_order, create_graph_accumulates, create_graph_shares, grad_of_inner,
            grad_of_both, grad_unused, grad_unused_refused, grad_materialized, grad_materialized_refused, grad_leaves_grad_alone,
            inputs_leaf, inputs_inner, inputs_empty, not_a_scalar, wrong_shape, no_graph, other_dtype_of_cotangent,
            changed_in_place, result_changed_in_place, unharmful_change, in_place_chain, leaf_in_place, retain_grad,
            retain_grad_in_place, flags, next_functions, requires_grad_of_result, requires_grad_of_integers, grad_of_other_shape,
            grad_of_other_dtype, grad_of_other_class, its_own_grad, data_of_other_shape, half]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_as_in_pytorch(program):
    same(program)


# --- random graphs ----------------------------------------------------------------------------------------------------


def random_graph(lib, seed):
    """The gradients of a random graph of 30 operations over three leaves, two of them through `grad` with inner tensors."""
    rng = np.random.default_rng(seed)
    leaves = [leaf(lib, rng.uniform(0.5, 1.5, shape).tolist()) for shape in [(3, 4), (4,), (3, 1)]]
    values = list(leaves)
    for _ in range(30):
        a, b = (values[i] for i in rng.integers(len(values), size=2))
        kind = rng.integers(6)
        values.append([lambda: a + b, lambda: a * b * 0.3, lambda: a - b, lambda: a.tanh(), lambda: a.sigmoid() * b,
                       lambda: a / (b * b + 1)][kind]())
    last = values[-1] + values[-2]
    inner = values[10]
    first = lib.autograd.grad(last.sum(), [inner, *leaves], retain_graph=True, allow_unused=True)
    last.sum().backward()
    return [first, [x.grad for x in leaves]]


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs(seed):
    ours, theirs = (plain(random_graph(lib, seed)) for lib in LIBRARIES)
    flat = [[g for part in result for g in part] for result in (ours, theirs)]
    for mine, other in zip(*flat):
        assert (mine is None) == (other is None)
        if mine is not None:
            np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-13)


# --- while a walk is going on -------------------------------------------------------------------------------------------


def test_backward_inside_a_hook():
    x = leaf(fastgrad, [1.0, 2.0])
    seen = []

    def hook(grad):
        assert not fastgrad.is_grad_enabled()  # no graph of the gradient was asked for
        with fastgrad.enable_grad():
            z = leaf(fastgrad, [3.0])
            (z * z).sum().backward()
            (x * 1).sum().backward()  # into the very leaf that the outer walk is about
        seen.append(z.grad.tolist())

    y = x * 2
    y.register_hook(hook)
    (y * y).sum().backward()
    assert seen == [[6.0]]
    assert x.grad.tolist() == [9.0, 17.0]
    assert fastgrad.is_grad_enabled()


def test_walk_of_the_same_graph_inside_a_hook():
    x = leaf(fastgrad, [1.0, 2.0])
    y = x * x
    z = (y * y).sum()
    inner = []

    def hook(grad):
        if not inner:
            inner.append(None)
            inner[0] = fastgrad.autograd.grad(z, x, retain_graph=True)[0].tolist()

    y.register_hook(hook)
    z.backward(retain_graph=True)
    assert inner[0] == x.grad.tolist() == [4.0, 32.0]


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_hook_that_raises_ends_the_walk(create_graph):
    x = leaf(fastgrad, [1.0, 2.0])
    y = x * x
    handle = y.register_hook(lambda g: 1 / 0)
    z = (y * y).sum()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            z.backward(retain_graph=True, create_graph=create_graph)
    assert x.grad is None and fastgrad.is_grad_enabled()
    handle.remove()
    z.backward()
    assert x.grad.tolist() == [4.0, 32.0]


def test_collection_inside_a_walk():
    x = leaf(fastgrad, [1.0, 2.0])
    y = x
    for _ in range(50):
        y = y * 1.01
        y.register_hook(lambda g: (gc.collect(), None)[1])
    y.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), 1.01**50, rtol=1e-12)


def test_everything_is_dropped_inside_a_hook():
    x = leaf(fastgrad, [1.0, 2.0])
    box = [x * 2]
    box.append(box[0] * box[0])
    box[0].register_hook(lambda g: box.clear())
    box[1].sum().backward()
    assert x.grad.tolist() == [8.0, 16.0]


def test_threads_keep_the_callers_mode_only():
    modes = []

    def other():
        modes.append(fastgrad.is_grad_enabled())

    with fastgrad.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert modes == [True]


def test_a_view_renewed_while_its_node_is_made():
    """A view whose base was written gets a node younger than the operation that reads it; `grad` must still find its way."""
    results = []
    for lib in LIBRARIES:
        x = leaf(lib, [1.0, 2.0, 3.0])
        base = x * 1
        view = base[0:2]
        base.mul_(2)
        y = (view * 3).sum()
        results.append(plain(lib.autograd.grad(y, x)))
    assert results[0] == results[1]


def test_a_gradient_of_another_shape_is_refused():
    x = leaf(fastgrad, [1.0, 2.0])
    y = x * 2
    y.grad_fn.register_prehook(lambda grads: (leaf(fastgrad, [1.0, 2.0, 3.0]),))
    with pytest.raises(RuntimeError):
        y.sum().backward()
    assert x.grad is None


def test_a_gradient_is_not_added_to_shared_elements():
    errors = []
    for lib in LIBRARIES:
        x = leaf(lib, [1.0, 2.0, 3.0])
        x.grad = lib.ones(1, dtype=lib.float64).expand(3)
        with pytest.raises(RuntimeError, match="single memory location") as caught:
            (x * 2).sum().backward()
        errors.append((str(caught.value), plain(x.grad)))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("operation", [lambda w: w * 0.5, lambda w: w / 2, lambda w: w ** 2, lambda w: w + 2, lambda w: w - 1],
                         ids=["mul", "div", "pow", "add", "sub"])
def test_second_backward_through_numbers(operation):
    """A number that a gradient reads is let go of like a tensor: PyTorch's rule of which graphs run twice."""
    def twice(lib):
        w = lib.ones(2, requires_grad=True)
        total = operation(w).sum()
        total.backward()
        try:
            total.backward()
        except RuntimeError as error:
            return str(error)[:60]
        return w.grad.tolist()
    assert twice(fastgrad) == twice(torch)


def test_inputs_that_are_no_leaves_retain_their_gradient():
    def program(lib):
        w = lib.tensor([1.0, 2.0], requires_grad=True)
        y, z = w * 3, w * 4
        y.retain_grad()
        (y + z).sum().backward(inputs=[y, z])
        return y.grad.tolist(), z.grad.tolist(), y.retains_grad, z.retains_grad, w.grad
    assert program(fastgrad) == program(torch)


def test_a_long_chain_of_gradients_is_freed():
    """Each tensor owned by the next one's .grad: freeing them takes no C stack."""
    first = fastgrad.zeros(1)
    for _ in range(300_000):
        following = fastgrad.zeros(1)
        following.grad = first
        first = following
    del first, following
    assert fastgrad.zeros(1).tolist() == [0.0]


def test_equality_with_arrays():
    t = fastgrad.tensor([1.0, 2.0])
    assert (t == np.array([1.0, 3.0])).tolist() == [True, False]
    assert (np.array([1.0, 3.0]) != t).tolist() == [False, True]


@pytest.mark.parametrize("n", [65_535, 65_536, 66_000])
def test_nodes_of_many_inputs_and_outputs(n):
    x = fastgrad.ones(1, requires_grad=True)
    fastgrad.cat([x] * n).sum().backward()
    assert x.grad.item() == n
    y = fastgrad.arange(float(n), requires_grad=True)
    parts = y.unbind(0)
    (parts[0] * 2 + parts[n - 1] * 5).backward()
    assert y.grad[0] == 2 and y.grad[n - 1] == 5 and y.grad.sum() == 7

    class Many(fastgrad.autograd.Function):
        @staticmethod
        def forward(ctx, *given):
            return tuple([one * 2 for one in given])

        @staticmethod
        def backward(ctx, *grads):
            return tuple([g * 2 for g in grads])

    x.grad = None
    out = Many.apply(*[x] * n)
    (out[0] + out[n - 1]).sum().backward()
    assert x.grad.item() == 4


@pytest.mark.parametrize("lib", [fastgrad, torch])
def test_grad_wants_inputs(lib):
    with pytest.raises(RuntimeError, match="cannot be empty"):
        lib.autograd.grad(lib.ones(2, requires_grad=True).sum(), [])


@pytest.mark.parametrize("power", [lambda x: x**1, lambda x: x**2, lambda x: x**3.0, lambda x: x**4, lambda x: x.square(), lambda x: x * x])
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_the_constant_derivative_of_a_power_has_derivatives(power, dtype):
    """The n-th derivative of x ** n is a constant that belongs to the graph, so one more can be asked for: zeros, not an error."""
    def derivatives(lib):
        x = lib.tensor([0.5, 2.0], dtype=getattr(lib, dtype), requires_grad=True)
        found = [power(x)]
        while found[-1].requires_grad and len(found) < 8:
            found += lib.autograd.grad(found[-1], x, lib.ones_like(x), create_graph=True)
        return [[complex(number) for number in one.tolist()] for one in found]

    assert derivatives(fastgrad) == derivatives(torch)
