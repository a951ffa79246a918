"""Arguments that have an effect, or are refused by name: those that a reading of all functions found to be passed over in silence."""

import warnings

import pytest

import fastgrad as fg
from tests.nn.both import assert_same

WINDOWS = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "hamming", "hann", "kaiser", "nuttall"]


def outcome(function):
    """The result, or the class and the first words of the error."""
    try:
        return function()
    except Exception as error:
        return type(error).__name__, str(error)[:40]


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_made_on_a_device(name):
    with pytest.raises(AssertionError, match="CUDA"):
        getattr(fg.signal.windows, name)(3, device="cuda")


def test_deterministic_modes():
    def observe(lib):
        seen = []
        for change in (lambda: lib.use_deterministic_algorithms(True, warn_only=True), lambda: lib.set_deterministic_debug_mode("error"),
                       lambda: lib.set_deterministic_debug_mode(1), lambda: lib.use_deterministic_algorithms(True),
                       lambda: lib.set_deterministic_debug_mode(3), lambda: lib.set_deterministic_debug_mode("default")):
            seen.append((outcome(change), lib.are_deterministic_algorithms_enabled(), lib.is_deterministic_algorithms_warn_only_enabled(),
                         lib.get_deterministic_debug_mode()))
        return seen

    assert_same(observe)


def test_gumbel_softmax_warns_of_eps():
    with pytest.warns(UserWarning, match="`eps` parameter is deprecated"):
        fg.nn.functional.gumbel_softmax(fg.zeros(3), eps=1e-5)


def test_functions_of_functions():
    def observe(lib):
        x = lib.tensor([1.0, 2.0])
        square, apart = lambda t: t * t, lambda t: (t * 2, lib.ones(2))
        pull = lib.func.vjp(square, x)[1]
        one, several = lib.ones(2), (lib.ones(2), lib.ones(2))
        free = pull(one.requires_grad_(), create_graph=False)[0]
        with warnings.catch_warnings():             # PyTorch's first jvp warns of its own torch.jit
            warnings.simplefilter("ignore")
            lib.func.jvp(square, (x,), (one,))
        return [outcome(f) for f in (
            lambda: lib.func.functionalize(square, remove="else"), lambda: lib.func.jacrev(square, chunk_size=0)(x),
            lambda: lib.func.jacrev(square, chunk_size=1)(x), lambda: lib.func.jvp(apart, (x,), (one,), strict=True),
            lambda: lib.func.jvp(square, (x,), (one,), strict=True), lambda: lib.func.jvp(apart, (x,), (one,)),
            lambda: lib.func.vjp(square, x)[1](several), lambda: lib.func.vjp(apart, x)[1](list(several)))], free.requires_grad

    assert_same(observe)
    with pytest.raises(NotImplementedError, match="retain_graph"):
        fg.func.vjp(lambda t: t * t, fg.ones(2))[1](fg.ones(2), retain_graph=False)


def places(lib):
    """What Tensor.to and Module.to are given, by position and by name."""
    double, cpu, other = lib.float64, lib.device("cpu"), lib.zeros(1, dtype=lib.float64)
    return [((double,), {"dtype": double}), ((double,), {"dtype": lib.float32}), ((cpu,), {"device": cpu}), ((other,), {"tensor": other}),
            ((double,), {"tensor": other}), ((cpu, double), {"dtype": double}), ((double, True), {"non_blocking": True}),
            ((double,), {"device": cpu}), ((other,), {"dtype": double}), ((), {"other": other}), ((), {"tensor": other}),
            ((), {"tensor": other, "dtype": double}), ((double, cpu), {}), ((), {}), ((None,), {}), ((None, double), {}), ((double, 1), {}),
            ((double, None), {}), ((), {"copy": None}), ((), {"non_blocking": "x"}), ((double,), {"memory_format": lib.preserve_format}),
            ((double, True, False, lib.preserve_format), {}), ((double,), {"foo": 1}), ((), {"dtype": None, "device": None}), (("cpu", False), {}),
            (("cpu", None), {}), (("cpu", double, True), {}), ((float,), {}), ((), {"dtype": float}), ((), {"device": double}), ((), {"dtype": cpu}),
            ((double,), {"memory_format": 3}), ((double, True, True), {}), ((), {"copy": True}), ((lib.int8,), {})]


@pytest.mark.parametrize("case", range(len(places(fg))))
def test_to_takes_each_argument_once(case):
    def observe(lib):
        args, kwargs = places(lib)[case]
        found = []
        for call in (lib.zeros(2).to, lambda *a, **k: lib.nn.Linear(2, 1).to(*a, **k).weight):
            try:
                found.append(str(call(*args, **kwargs).dtype))
            except Exception as error:
                found.append(type(error).__name__)
        return found

    assert_same(observe)


MAKERS = ["rand(3, **a)", "randn(3, **a)", "randint(5, (3,), **a)", "randint(2, 5, (3,), **a)", "randint(low=2, high=5, size=(3,), **a)",
          "randperm(3, **a)", "rand_like(t, **a)", "randn_like(t, **a)", "randint_like(t, 5, **a)", "randint_like(t, 2, 5, **a)",
          "randint_like(t, high=5, **a)", "tril_indices(2, 2, **a)", "triu_indices(2, 2, **a)", "arange(3, **a)", "linspace(0, 1, 3, **a)", "eye(2, **a)",
          "zeros(3, **a)", "ones_like(t, **a)", "full((2,), 3, **a)"]
OPTIONS = ["{}", "dict(layout=lib.strided)", "dict(pin_memory=False)", "dict(pin_memory=True)", "dict(generator=lib.Generator().manual_seed(3))",
           "dict(memory_format=lib.contiguous_format)", "dict(device='cpu')", "dict(requires_grad=True)", "dict(requires_grad=True, dtype=lib.float64)",
           "dict(out=lib.zeros(3, dtype=lib.float64))", "dict(out=lib.zeros(3, dtype=lib.int64))", "dict(out=lib.zeros(3), dtype=lib.float64)",
           *(f"dict(dtype=lib.{d})" for d in ("complex64", "bool", "uint8", "int32", "float16", "float64"))]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("call", MAKERS)
def test_options_of_functions_that_make_tensors(call, options):
    def observe(lib):
        lib.manual_seed(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")             # out= of another shape
                made = eval(f"lib.{call}", {"lib": lib, "t": lib.zeros(3), "a": eval(options, {"lib": lib})})
        except Exception as error:
            return type(error).__name__
        return str(made.dtype), made.requires_grad, made.detach()

    assert_same(observe)


@pytest.mark.parametrize("call", ["randperm(3000, dtype=lib.float16)", "randperm(2049, dtype=lib.float16)", "randperm(300, dtype=lib.uint8)",
                                  "randperm(-1)", "randint(3, 3, (2,))", "randint(300, (2,), dtype=lib.uint8)", "randint(3.5, (2,))",
                                  "randint(lib.tensor(3), (2,))", "zeros(2, dtype=lib.complex64).random_()", "randint_like(lib.zeros(2), lib.tensor(4))"])
def test_bounds_of_whole_numbers(call):
    def observe(lib):
        lib.manual_seed(0)
        try:
            return eval(f"lib.{call}", {"lib": lib})
        except Exception as error:
            return type(error).__name__

    assert_same(observe)


WITHOUT_OUT = ["relu(x)", "clone(x)", "det(x)", "einsum('ij->ji', x)", "cdist(x, x)", "cov(x)", "flip(x, (0,))", "roll(x, 1)", "trace(x)",
               "var_mean(x)", "isnan(x)", "masked_fill(x, x > 0, 1.0)", "layer_norm(x, (2,))", "conv1d(x[None], x[None])", "max_pool1d(x[None], 1)",
               "zeros_like(x)", "rand_like(x)", "transpose(x, 0, 1)", "select(x, 0, 0)", "unique(x)", "diag_embed(x)", "argsort(x)", "tile(x, (2,))",
               "bincount(lib.tensor([1]))", "nn.functional.mse_loss(x, x)", "nn.functional.one_hot(lib.tensor([1]))", "nn.functional.leaky_relu(x)",
               "fft.fftshift(x)", "nn.functional.pad(x, (1, 1))", "broadcast_tensors(x, x)", "nn.functional.cross_entropy(x, x)"]
WITH_OUT = ["sigmoid(x * 0)", "add(x, x)", "sum(x, 0)", "cat([x, x])", "matmul(x, x)", "nn.functional.hardshrink(x)", "cumsum(x, 0)",
            "nn.functional.linear(x, x)", "std(x, 0)", "tril(x)", "fft.fftfreq(3)", "linspace(0, 1, 3)", "nonzero_static(x, size=2)", "nanmean(x)"]


@pytest.mark.parametrize("call", WITHOUT_OUT + WITH_OUT)
def test_out_is_taken_where_pytorch_takes_it(call):
    def observe(lib):
        x = lib.tensor([[1.0, 2.0], [3.0, 4.0]])
        result = eval(f"lib.{call}", {"lib": lib, "x": x})
        out = lib.empty_like(result) if isinstance(result, lib.Tensor) else tuple(lib.empty_like(t) for t in result)
        try:
            return eval(f"lib.{call[:-1]}, out=out)", {"lib": lib, "x": x, "out": out})
        except TypeError:
            return "no out"

    assert_same(observe)


@pytest.mark.parametrize("call", ["linalg.eigh(x)", "linalg.slogdet(x)", "linalg.qr(x)", "linalg.inv_ex(x)", "frexp(x)", "sort(x)", "svd(x)"])
def test_out_of_named_results(call):
    def observe(lib):
        x = lib.tensor([[4.0, 1.0], [1.0, 3.0]])
        out = tuple(lib.empty_like(t) for t in eval(f"lib.{call}", {"lib": lib, "x": x}))
        result = eval(f"lib.{call[:-1]}, out=out)", {"lib": lib, "x": x, "out": out})
        return all(a is b or a.data_ptr() == b.data_ptr() for a, b in zip(result, out)), [t.abs() for t in out]

    assert_same(observe, rtol=1e-5, atol=1e-6)
