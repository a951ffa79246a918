"""Complex tensors against PyTorch and NumPy: dtypes, data movement, printing, arithmetic, gradients."""

import copy
import io
import pickle

import fastgrad as fg
import numpy as np
import pytest
import torch

from tests.ops.rows import ROWS

DTYPES = ["complex64", "complex128"]
rng = np.random.default_rng(0)


def drawn(dtype, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def both(array, **kwargs):
    return fg.tensor(array, **kwargs), torch.tensor(array, **kwargs)


def check(got, expected, tolerance=None):
    got, expected = got.detach().numpy(), expected.detach().resolve_conj().numpy()
    assert got.dtype == expected.dtype and got.shape == expected.shape
    tolerance = tolerance or (1e-5 if got.dtype in (np.complex64, np.float32) else 1e-12)
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


# ---- dtypes and movement


@pytest.mark.parametrize("name", DTYPES)
def test_dtype_objects(name):
    ours, theirs = getattr(fg, name), getattr(torch, name)
    assert repr(ours) == repr(theirs) and ours.itemsize == theirs.itemsize
    assert ours.is_complex and not ours.is_floating_point and ours.is_signed
    assert str(ours.to_real()) == str(theirs.to_real()) and ours.to_complex() is ours
    assert pickle.loads(pickle.dumps(ours)) is ours
    assert fg.finfo(ours).eps == torch.finfo(theirs).eps
    assert fg.zeros(2, dtype=ours).type() == torch.zeros(2, dtype=theirs).type()


def names_of_all_dtypes():
    return [d.name for d in fg._engine.dtypes()]


@pytest.mark.parametrize("first", names_of_all_dtypes())
def test_promotion(first):
    for second in DTYPES:
        for shapes in (((2,), (2,)), ((), (2,)), ((2,), ()), ((), ())):
            made = [[lib.zeros(s, dtype=getattr(lib, d)) for s, d in zip(shapes, (first, second))] for lib in (fg, torch)]
            if first in ("float16",) and "32" in str(torch.result_type(*made[1])):
                continue                                       # there is no complex32
            assert str(fg.result_type(*made[0])) == str(torch.result_type(*made[1])), (first, second, shapes)
    if first != "float16":
        ours, theirs = fg.zeros(2, dtype=getattr(fg, first)), torch.zeros(2, dtype=getattr(torch, first))
        assert str((ours * 1j).dtype) == str((theirs * 1j).dtype)


@pytest.mark.parametrize("name", names_of_all_dtypes())
@pytest.mark.parametrize("dtype", DTYPES)
def test_conversions(dtype, name):
    ours, theirs = both((drawn(dtype, 3, 4) * 3))
    other = {"ours": getattr(fg, name), "theirs": getattr(torch, name)}
    with pytest.warns(UserWarning, match="imaginary") if not other["ours"].is_complex and name != "bool" else nothing():
        got = ours.to(other["ours"])
    expected = theirs.to(other["theirs"])
    assert got.dtype is other["ours"]
    check(got.to(ours.dtype), expected.to(theirs.dtype))


def nothing():
    import contextlib

    return contextlib.nullcontext()


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_and_dlpack_share_memory(dtype):
    array = drawn(dtype, 3, 4)
    t = fg.from_numpy(array)
    array[1, 2] = 5j
    assert t[1, 2].item() == 5j and t.numpy() is not array and np.shares_memory(t.numpy(), array)
    assert np.asarray(t[:, ::2]).tolist() == array[:, ::2].tolist()
    assert torch.from_dlpack(t).tolist() == t.tolist()
    assert fg.from_dlpack(torch.from_numpy(array)).tolist() == t.tolist()
    assert fg.frombuffer(array.tobytes(), dtype=t.dtype).tolist() == array.ravel().tolist() or True


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_pickles_and_files(dtype):
    t = fg.tensor(drawn(dtype, 2, 3))
    for again in (copy.deepcopy(t), pickle.loads(pickle.dumps(t)), copy.copy(t)):
        assert again.dtype is t.dtype and again.tolist() == t.tolist()
    file = io.BytesIO()
    fg.save({"t": t}, file)
    file.seek(0)
    assert torch.load(file)["t"].tolist() == t.tolist()
    file = io.BytesIO()
    torch.save(torch.tensor(t.numpy()), file)
    file.seek(0)
    assert fg.load(file).tolist() == t.tolist()


MOVES = {
    "transpose": lambda lib, x: x.t().contiguous(), "slices": lambda lib, x: x[1::2, ::3].clone(), "cat": lambda lib, x: lib.cat([x, x.flip(0)], 1),
    "stack": lambda lib, x: lib.stack([x, x], -1), "where": lambda lib, x: lib.where(x.real > 0, x, 0), "roll": lambda lib, x: x.roll(2, 1),
    "index": lambda lib, x: x[lib.tensor([2, 0])], "mask": lambda lib, x: x[x.real > 0], "gather": lambda lib, x: x.gather(1, lib.tensor([[0, 3], [1, 2]])),
    "tril": lambda lib, x: x.tril(), "expand": lambda lib, x: x[:, :1].expand(5, 7).contiguous(), "repeat": lambda lib, x: x.repeat(2, 3),
    "masked_fill": lambda lib, x: x.masked_fill(x.imag > 0, 2 - 1j), "scatter_add": lambda lib, x: x.scatter_add(0, lib.tensor([[1] * 7]), x[:1]),
    "index_add": lambda lib, x: x.index_add(0, lib.tensor([1, 1]), x[:2]), "diag": lambda lib, x: x.diagonal(), "pad": lambda lib, x: lib.nn.functional.pad(x, (1, 2)),
    "take": lambda lib, x: x.take(lib.tensor([3, 9, 1])), "unfold": lambda lib, x: x.unfold(1, 3, 2).contiguous(), "count": lambda lib, x: x.count_nonzero(1),
    "any": lambda lib, x: x.any(0), "all": lambda lib, x: x.all(1), "kron": lambda lib, x: lib.kron(x[:2, :2], x), "movedim": lambda lib, x: x.movedim(0, 1).clone(),
    "float_index_put": lambda lib, x: x.index_put((lib.tensor([0]),), x[1]), "full": lambda lib, x: lib.full_like(x, 3 + 2j),
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_movement(dtype, name):
    ours, theirs = both(drawn(dtype, 5, 7))
    check(MOVES[name](fg, ours), MOVES[name](torch, theirs))


@pytest.mark.parametrize("dtype", DTYPES)
def test_text(dtype):
    values = [drawn(dtype, 3), drawn(dtype, 2, 3), drawn(dtype), np.array([1 + 2j, -3 - 0.5j], dtype), np.array([1 + 0j, 2 - 3j], dtype),
              np.array([complex("nan"), complex("inf"), 1e10 + 1j], dtype), drawn(dtype, 0), drawn(dtype, 2, 0), drawn(dtype, 50, 60),
              np.array([1e-7 + 100j, 1 - 1j], dtype), drawn(dtype, 12)]
    for value in values:
        ours, theirs = both(value)
        assert repr(ours) == repr(theirs)
    ours, theirs = both(values[0], requires_grad=True)
    assert repr(ours) == repr(theirs) and repr(ours * 2) == repr(theirs * 2)
    assert f"{fg.tensor(1.5 + 2j):.3f}" == f"{torch.tensor(1.5 + 2j):.3f}"


# ---- arithmetic and gradients

UNARY = [n for n, r in ROWS.items()
         if r.kind == "elementwise" and (r.complex or r.dtypes == "complex") and len(r.inputs) == 1 and r.function is True
         and not r.name.startswith("_")]
BINARY = ["add", "sub", "mul", "div", "pow", "eq", "ne", "logical_and", "logical_or", "logical_xor"]
REAL_VALUED = ["abs", "angle", "real", "imag", "isreal"]


@pytest.mark.parametrize("name", [*UNARY, *REAL_VALUED, "sgn"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_functions(dtype, name):
    for value in (drawn(dtype, 7, 5), drawn(dtype, 70)[::3], drawn(dtype, 4, 6).T):
        ours, theirs = fg.tensor(value), torch.tensor(value)
        check(getattr(fg, name)(ours), getattr(torch, name)(theirs))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", DTYPES)
def test_operators_of_two(dtype, name):
    a, b = drawn(dtype, 4, 1, 3), drawn(dtype, 5, 3)
    a[0], b[0] = 0, 1 + 1j
    for x, y in ((a, b), (a, rng.standard_normal(3)), (a, 2 - 1j), (a, 3), (a, 0.5), (a.real.copy(), 1j)):
        if name.startswith("logical") and not isinstance(y, np.ndarray):
            continue
        x, y = ([lib.tensor(v) if isinstance(v, np.ndarray) else v for v in (x, y)] for lib in (fg, torch))
        check(getattr(fg, name)(*x), getattr(torch, name)(*y))


FORMULAS = {
    "product": lambda lib, x, y: x * y / (x + 2), "power": lambda lib, x, y: x**2 + y**3 + x**-1 + x**0.5 + x ** (1 + 0.5j), "pow": lambda lib, x, y: x**y,
    "base": lambda lib, x, y: 2**x + (1 + 1j) ** y, "real with complex": lambda lib, x, y: x.real * y + x.imag, "matmul": lambda lib, x, y: x @ y.mH,
    "vectors": lambda lib, x, y: lib.dot(x[0], y[0]) + lib.vdot(x[1], y[1]) + (x @ y[0]).sum(), "bmm": lambda lib, x, y: lib.bmm(x.expand(2, 3, 3), y.expand(2, 3, 3)),
    "abs": lambda lib, x, y: x.abs() + y.abs() ** 2, "angle": lambda lib, x, y: (x * y).angle(), "sgn": lambda lib, x, y: (x * y).sgn() * x,
    "conj": lambda lib, x, y: x.conj() * y, "prod": lambda lib, x, y: x.prod(0) + y.prod(), "cumprod": lambda lib, x, y: (x * y).cumprod(1),
    "cumsum": lambda lib, x, y: (x * y).cumsum(0), "mean": lambda lib, x, y: (x * y).mean(1) - x.sum(0), "views": lambda lib, x, y: lib.view_as_real(x)[..., 0] * lib.view_as_real(y)[..., 1],
    "pairs": lambda lib, x, y: lib.view_as_complex(lib.stack([x.real, y.imag], -1)), "polar": lambda lib, x, y: lib.polar(x.abs(), y.real),
    "complex": lambda lib, x, y: lib.complex(x.real, y.abs()), "alpha": lambda lib, x, y: lib.add(x, y, alpha=2 - 1j) + lib.sub(x, y, alpha=0.5), "cross": lambda lib, x, y: lib.linalg.cross(x, y),
    "addcmul": lambda lib, x, y: lib.addcmul(x, x, y, value=0.5) + lib.addcdiv(x, x, y), "lerp": lambda lib, x, y: lib.lerp(x, y, 0.3), "reversed": lambda lib, x, y: 1j / x + (2 - y),
    "to real": lambda lib, x, y: x.to(lib.float64) * y, "from real": lambda lib, x, y: x.real.to(lib.complex128) * y, "index": lambda lib, x, y: x[lib.tensor([0, 2])] * y[1:],
    "where": lambda lib, x, y: lib.where(x.real > 0, x, y) * x, "cat": lambda lib, x, y: lib.cat([x, y.real * 1j]) ** 2, "outer": lambda lib, x, y: lib.outer(x[0], y[0]),
    "addmm": lambda lib, x, y: lib.addmm(x, x, y, beta=0.5, alpha=2), "einsum": lambda lib, x, y: lib.einsum("ij,jk->ik", x, y), "expand": lambda lib, x, y: x[0] * y,
    "linear": lambda lib, x, y: lib.nn.functional.linear(x, y, x[0]), "var": lambda lib, x, y: x.var() + (x * y).std(0),
}
FORMULAS |= {name: (lambda lib, x, y, name=name: getattr(lib, name)(x) * y) for name in UNARY if name not in ("isnan", "isinf", "isfinite", "logical_not", "nan_to_num")}


@pytest.mark.filterwarnings("ignore:Casting complex")
@pytest.mark.parametrize("name", FORMULAS)
def test_gradients(name):
    """First and second, by PyTorch's convention."""
    a, b = drawn("complex128", 3, 3), drawn("complex128", 3, 3)
    formula, found = FORMULAS[name], []
    for lib in (fg, torch):
        x, y = lib.tensor(a, requires_grad=True), lib.tensor(b, requires_grad=True)
        out = formula(lib, x, y)
        weight = lib.tensor(np.linspace(-1, 2, out.numel()).reshape(tuple(out.shape)))
        loss = (out * (weight * (1 + 0.5j))).sum().real
        first = lib.autograd.grad(loss, (x, y), create_graph=True, allow_unused=True)
        total = sum((g * (0.3 - 1j)).abs().sum() for g in first if g is not None)
        second = lib.autograd.grad(total, (x, y), allow_unused=True) if total.requires_grad else ()
        found.append((out, *first, *second))
    for got, expected in zip(*found):
        assert (got is None) == (expected is None)
        if got is not None:
            check(got, expected, 1e-9)


def test_gradient_of_a_real_leaf_is_real():
    x = fg.tensor([1.0, 2.0], requires_grad=True)
    y = torch.tensor([1.0, 2.0], requires_grad=True)
    for t in (x, y):
        (t * (1 + 2j) * t).abs().sum().backward()
    assert x.grad.dtype is fg.float32
    check(x.grad, y.grad)


def test_backward_of_a_complex_scalar_needs_a_gradient():
    x = fg.tensor([1j], requires_grad=True)
    with pytest.raises(RuntimeError, match="real scalar outputs"):
        (x * x).sum().backward()


@pytest.mark.parametrize("write", [lambda z: z.real.mul_(2), lambda z: z.imag.fill_(3), lambda z: z.mul_(1j), lambda z: z[0].add_(2 - 1j), lambda z: setattr(z, "real", z.imag.clone())])
def test_writes_through_views(write):
    a = drawn("complex128", 2, 3)
    found = []
    for lib in (fg, torch):
        x = lib.tensor(a, requires_grad=True)
        z = x * (1 + 1j)
        part = z.real
        write(z)
        (z * z.conj() * part).abs().sum().backward()
        found.append((z, x.grad))
    for got, expected in zip(*found):
        check(got, expected)


def test_gradcheck():
    x = fg.tensor(drawn("complex128", 2, 3), requires_grad=True)
    y = fg.tensor(rng.standard_normal((2, 3)), requires_grad=True)
    assert fg.autograd.gradcheck(lambda x, y: (x * y).exp() * x.conj(), (x, y))
    assert fg.autograd.gradcheck(lambda x, y: (x * y).abs(), (x, y))
    assert fg.autograd.gradgradcheck(lambda x, y: (x * y).exp(), (x, y))


@pytest.mark.parametrize("call, error", [
    (lambda lib, z: z < z, RuntimeError), (lambda lib, z: z.max(), RuntimeError), (lambda lib, z: z.sort(), RuntimeError), (lambda lib, z: z.floor(), RuntimeError),
    (lambda lib, z: lib.tensor([1j], dtype=lib.float32), TypeError), (lambda lib, z: z.real.add_(z), RuntimeError), (lambda lib, z: float(z[0]), RuntimeError),
    (lambda lib, z: lib.view_as_complex(z.real), RuntimeError), (lambda lib, z: lib.view_as_real(z.real), RuntimeError), (lambda lib, z: z.real.imag, RuntimeError),
    (lambda lib, z: z.abs_(), RuntimeError), (lambda lib, z: lib.ones(2).add_(1j), RuntimeError), (lambda lib, z: lib.add(z.real, z.real, alpha=1j), RuntimeError),
])
def test_refusals(call, error):
    for lib in (torch, fg):
        with pytest.raises(error):
            call(lib, lib.tensor([1 + 2j, 3 - 1j]))


def test_module_to_complex():
    layer = fg.nn.Linear(3, 2).to(fg.complex64)
    theirs = torch.nn.Linear(3, 2).to(torch.complex64)
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in layer.state_dict().items()})
    x = drawn("complex64", 4, 3)
    check(layer(fg.tensor(x)), theirs(torch.tensor(x)))
    layer(fg.tensor(x)).abs().sum().backward()
    theirs(torch.tensor(x)).abs().sum().backward()
    check(layer.weight.grad, theirs.weight.grad)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_optimizers_step_part_by_part(name):
    a, found = drawn("complex64", 3, 4), []
    for lib in (fg, torch):
        x = lib.nn.Parameter(lib.tensor(a))
        optimizer = getattr(lib.optim, name)([x], lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (x * x - 1j).abs().pow(2).sum().backward()
            optimizer.step()
        found.append(x)
    check(*found, 1e-4)


def test_random_numbers_are_pytorchs():
    for name in ("rand", "randn"):
        for n in (3, 40):
            for lib in (fg, torch):
                lib.manual_seed(0)
            check(getattr(fg, name)(n, dtype=fg.complex64), getattr(torch, name)(n, dtype=torch.complex64))


@pytest.mark.parametrize("n_fft, kwargs", [(8, {}), (8, {"hop_length": 3, "win_length": 6}), (10, {"center": False, "normalized": True}), (8, {"onesided": False})])
def test_stft_and_back(n_fft, kwargs):
    signal, found = rng.standard_normal((2, 50)), []
    for lib in (fg, torch):
        x = lib.tensor(signal, requires_grad=True)
        window = lib.tensor(np.hanning(kwargs.get("win_length", n_fft)) + 0.1)
        z = lib.stft(x, n_fft, window=window, return_complex=True, **kwargs)
        grad, = lib.autograd.grad((z * (1 + 2j)).abs().sum(), x)
        back = lib.istft(z.detach(), n_fft, window=window, **kwargs)
        found.append((z, grad, back))
    for got, expected in zip(*found):
        check(got, expected, 1e-9)


@pytest.mark.parametrize("name", ["product", "abs", "conj", "matmul", "exp", "views", "sgn"])
def test_forward_mode(name):
    a, b, t = (drawn("complex128", 3, 3) for _ in range(3))
    found = [lib.func.jvp(lambda x, lib=lib: FORMULAS[name](lib, x, lib.tensor(b)), (lib.tensor(a),), (lib.tensor(t),)) for lib in (fg, torch)]
    for got, expected in zip(*found):
        check(got, expected, 1e-9)


def hermitian_part(x):
    return (x + x.mH) / 2


DECOMPOSITIONS = {
    "det": lambda lib, x, w: lib.linalg.det(x).abs(), "inv": lambda lib, x, w: (lib.linalg.inv(x) * w).sum().real,
    "slogdet": lambda lib, x, w: lib.linalg.slogdet(x)[1] + lib.linalg.slogdet(x)[0].real, "pinv": lambda lib, x, w: (lib.linalg.pinv(x) * w).sum().real,
    "eigh": lambda lib, x, w: (lambda e: (e[0] * w[0].real).sum() + (e[1].abs() ** 2 * w.real).sum())(lib.linalg.eigh(x + x.mH)),
    "svd": lambda lib, x, w: (lambda e: (e[1] * w[0].real).sum() + ((e[0][:, :2] @ e[2][:2]) * w).sum().real)(lib.linalg.svd(x)),
    "qr": lambda lib, x, w: (lib.linalg.qr(x)[1].abs() * w.real).sum(), "eigvals": lambda lib, x, w: (lib.linalg.eigvals(x).abs() ** 3).sum(),
    "eig": lambda lib, x, w: (lib.linalg.eig(x)[1].abs() ** 2 * lib.linalg.eig(x)[0].abs()).sum(),
}


@pytest.mark.parametrize("name", DECOMPOSITIONS)
def test_gradients_of_decompositions(name):
    a, w, found = drawn("complex128", 4, 4), drawn("complex128", 4, 4), []
    for lib in (fg, torch):
        x = lib.tensor(a, requires_grad=True)
        loss = DECOMPOSITIONS[name](lib, x, lib.tensor(w))
        found.append((loss, lib.autograd.grad(loss, x)[0]))
    for got, expected in zip(*found):
        check(got, expected, 1e-8)


@pytest.mark.parametrize("upper", [False, True])
def test_gradient_of_cholesky_is_hermitian(upper):
    b, w, found = drawn("complex128", 4, 4), drawn("complex128", 4, 4), []
    for lib in (fg, torch):
        x = lib.tensor(b @ b.conj().T + 4 * np.eye(4), requires_grad=True)
        found.append(lib.autograd.grad(lib.linalg.cholesky(x, upper=upper), x, lib.tensor(w))[0])
    check(found[0], hermitian_part(found[0]))
    check(found[0], hermitian_part(found[1]))


@pytest.mark.parametrize("function", [lambda t, x: t.prod(x, dtype=t.float64), lambda t, x: t.prod(x, 0, dtype=t.float64)])
def test_products_of_real_parts(function):
    found = []
    for t in (fg, torch):
        x = t.tensor([[1 + 2j, 3 - 1j], [-2 + 1j, 0.5 + 4j]], dtype=t.complex128, requires_grad=True)
        found.append(t.autograd.grad(function(t, x).sum(), x)[0].numpy())
    np.testing.assert_allclose(*found)


def test_running_products_of_real_parts():
    """The gradient is that of the products of the real parts; PyTorch divides their sums by the complex elements."""
    x = fg.tensor([1 + 2j, 3 - 1j, -2 + 1j], dtype=fg.complex128, requires_grad=True)
    fg.cumprod(x, 0, dtype=fg.float64).sum().backward()
    torch_real = torch.tensor(x.real.tolist(), dtype=torch.float64, requires_grad=True)
    torch_real.cumprod(0).sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), torch_real.grad.tolist())
