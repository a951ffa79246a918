"""Cutting launches among threads changes no bit: of every kernel that may be cut, at 1, 2, 3 and 4 threads, eager and replayed."""

import sys
from pathlib import Path

import fastgrad as fg
import numpy as np
import pytest
from fastgrad import _engine
from fastgrad.nn import functional as F

from tests.ops import rows
from tests.ops.rows import PUBLIC, arrays_for, callable_of, ours

sys.path.insert(0, str(rows.SOURCES))
try:
    import generate
finally:
    sys.path.remove(str(rows.SOURCES))

KERNELS = generate.all_kernels()
SHAPE = (6, 5, 40)


@pytest.fixture(autouse=True)
def everything_is_cut():
    """Launches of any size are cut, whatever time they take."""
    threads, before = fg.get_num_threads(), _engine.set_cut_over(2, 0, 0)
    yield
    _engine.set_cut_over(*before)
    fg.set_num_threads(threads)


def bits(tensors):
    return [t.detach().numpy().tobytes() for t in tensors]


def same_at_any_number(work):
    """The bits of the tensors that `work` returns do not depend on how many threads there are."""
    fg.set_num_threads(1)
    fg.manual_seed(0)
    expected = bits(work())
    for threads in (2, 3, 4):
        fg.set_num_threads(threads)
        fg.manual_seed(0)
        for i, (got, alone) in enumerate(zip(bits(work()), expected)):
            assert got == alone, f"result {i} at {threads} threads"


def layouts(arrays):
    """The arrays as they are, every other element, transposed, and one of them broadcast."""
    yield [ours(a) for a in arrays]
    yield [ours(np.repeat(a, 2, -1))[..., ::2] for a in arrays]
    yield [ours(a).permute(2, 0, 1) for a in arrays]
    yield [ours(a[:1] if i else a) for i, a in enumerate(arrays)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("name", PUBLIC)
def test_elementwise(name, dtype):
    row, function = PUBLIC[name], callable_of(name)
    arrays = arrays_for(row, dtype, SHAPE, np.random.default_rng(3))
    for inputs in layouts(arrays):
        if dtype in rows.FLOATS:
            inputs = [x.requires_grad_(x.dtype.is_floating_point and any(row.grads.values())) for x in inputs]

        def work():
            result = function(*inputs)
            if not result.requires_grad:
                return [result]
            wanted = [x for x in inputs if x.requires_grad]
            grads = fg.autograd.grad(result, wanted, fg.ones_like(result) * 0.7, allow_unused=True)
            return [result, *(g for g in grads if g is not None)]

        try:
            work()
        except (NotImplementedError, RuntimeError):
            return                      # not for this dtype
        same_at_any_number(work)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_huge_arguments_do_not_depend_on_the_cut(name):
    x = np.random.default_rng(0).uniform(-10, 10, 4000).astype("f4")
    x[17], x[3000] = 1e30, -3e20
    same_at_any_number(lambda: [getattr(fg, name)(ours(x))])


def rand(*shape, dtype="f4", grad=False):
    return fg.from_numpy(np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)).requires_grad_(grad)


def with_gradients(function, *inputs):
    """The result of a function and the gradients of its inputs."""
    result = function(*inputs)
    wanted = [x for x in inputs if x.requires_grad]
    return [result, *(fg.autograd.grad(result, wanted, rand(*result.shape)) if wanted else [])]


def reductions():
    for shape in ((40, 37), (7, 300), (3, 5, 90), (200000, 3), (300000,)):
        x = rand(*shape)
        for dim in (tuple(range(len(shape))), *range(len(shape))):
            for y in (x, x.transpose(0, -1)):
                yield from (function(y, dim) for function in (fg.sum, fg.mean, fg.var, fg.logsumexp, fg.amax))
                yield from (fg.linalg.vector_norm(y, dim=dim), fg.sum((y * 9).long(), dim), fg.count_nonzero(y > 0, dim))
            if isinstance(dim, int):
                yield from (*fg.max(x, dim), *fg.min(x.double(), dim), fg.prod(x, dim), fg.any(x > 2, dim), fg.cumsum(x, dim), *fg.cummax(x, dim),
                            fg.logcumsumexp(x, dim), fg.median(x, dim)[0], *fg.topk(x, min(2, shape[dim]), dim), fg.argmax(x, dim))
    yield F.mse_loss(rand(300000), rand(300000) * 2)
    yield F.smooth_l1_loss(rand(300000), rand(300000) * 2)


def products():
    for m, k, n in ((64, 100, 48), (33, 70, 90), (5, 300, 400), (400, 300, 5), (1, 64, 500), (500, 64, 1)):
        for dtype in ("f4", "f8"):
            a, b = rand(m, k, dtype=dtype), rand(k, n, dtype=dtype)
            yield from (a @ b, a @ b.T.contiguous().T, (a.T.contiguous().T) @ b, F.linear(a, b.T, rand(n, dtype=dtype)))
        yield (a * 5).int() @ (b * 5).int()
    yield from (rand(6, 20, 30) @ rand(6, 30, 10), rand(3, 4, 20, 30) @ rand(30, 40), fg.cross(rand(90, 3), rand(3, 90).T))


def normalizations():
    for shape, dim in (((60, 90), 1), ((60, 90), 0), ((4, 9, 70), 1)):
        for function in (F.softmax, F.log_softmax):
            yield from with_gradients(lambda x: function(x, dim), rand(*shape, grad=True))
    yield from with_gradients(lambda x: fg.cumprod(x, 1), rand(20, 30, grad=True))


def moving():
    x, rows_ = rand(50, 60), fg.tensor(np.random.default_rng(1).integers(0, 50, (40, 3)))
    yield from (x[rows_], x[:, rows_[:, 0]], x[rows_ % 50, rows_ % 60], fg.gather(x, 1, rows_.T[:, :20]), x.T.contiguous(), rand(4, 20, 30).tril(), x.T[x.T > 0], x.int(),
                fg.cat([x, x], 1), fg.searchsorted(fg.arange(100.0), x), fg.sort(x, 1)[0], fg.median(x, 1)[1], x.clone().index_add_(0, rows_[:, 0], x[:40]),
                fg.zeros(50, 60).scatter_add_(0, rows_.repeat(1, 20), x[:40]), fg.full((300,), 2.5), x.bfloat16().float(), x.roll(3, 0))
    yield from with_gradients(lambda w: F.embedding(rows_, w), rand(50, 64, grad=True))
    yield from with_gradients(lambda x: x.median(1)[0], rand(50, 60, grad=True))
    weight = rand(50, 60, grad=True)
    once, = fg.autograd.grad(((x * weight).median(1)[0] ** 2).sum(), weight, create_graph=True)
    yield from fg.autograd.grad(once.sum(), weight)
    yield from with_gradients(lambda x: F.pad(x, (2, 3, 1, 1), mode="reflect"), rand(3, 5, 8, 9, grad=True))


def training():
    """Steps of the optimizers, of a network whose loss has classes."""
    for make in (lambda p: fg.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1), lambda p: fg.optim.SGD(p, 0.1),
                 lambda p: fg.optim.Adam(p, 0.01), lambda p: fg.optim.Adam(p, 0.01, amsgrad=True), fg.optim.Adagrad, fg.optim.Adadelta,
                 fg.optim.Adamax, fg.optim.RAdam, fg.optim.NAdam, fg.optim.Rprop, fg.optim.ASGD,
                 *(lambda p, m=m, c=c: fg.optim.RMSprop(p, 0.01, momentum=m, centered=c) for m in (0, 0.9) for c in (False, True))):
        model = fg.nn.Sequential(fg.nn.Linear(30, 50), fg.nn.Tanh(), fg.nn.Linear(50, 7))
        optimizer = make(model.parameters())
        for _ in range(3):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(rand(64, 30)), fg.arange(64) % 7)
            loss.backward()
            optimizer.step()
        yield from (loss, *model.parameters())


def sequences():
    """Recurrent layers in both directions, attention with every kind of mask."""
    for make in (fg.nn.RNN, fg.nn.LSTM, fg.nn.GRU, lambda *sizes, **more: fg.nn.RNN(*sizes, nonlinearity="relu", **more),
                 lambda *sizes, **more: fg.nn.LSTM(*sizes, proj_size=11, **more)):
        layer = make(20, 35, bidirectional=True)
        x = rand(6, 33, 20, grad=True)
        yield from with_gradients(lambda x: layer(x)[0], x)
        layer(x)[0].sum().backward()
        yield from (p.grad for p in layer.parameters())
    q, k, v = rand(3, 2, 70, 8, grad=True), rand(3, 2, 130, 8, grad=True), rand(3, 2, 130, 5, grad=True)
    for options in ({}, {"is_causal": True}, {"attn_mask": rand(70, 130)}, {"attn_mask": rand(3, 1, 70, 130) > 0}):
        yield from with_gradients(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **options), q, k, v)


def images():
    """Convolutions by each of their paths, poolings, norms."""
    x = rand(5, 16, 19, 23, grad=True)
    for weight, options in (((24, 16, 3, 3), {"padding": 1}), ((24, 16, 1, 1), {}), ((16, 1, 3, 3), {"groups": 16}), ((6, 8, 5, 5), {"groups": 2, "stride": 2}),
                            ((3, 16, 3, 3), {"dilation": 2})):
        yield from with_gradients(lambda x, w, b: F.conv2d(x, w, b, **options), x, rand(*weight, grad=True), rand(weight[0], grad=True))
    for weight in ((40, 16, 3, 3), (70, 16, 1, 1)):         # one image: channels are cut
        yield from with_gradients(lambda x, w, b: F.conv2d(x[:1], w, b), x, rand(*weight, grad=True), rand(weight[0], grad=True))
    yield from with_gradients(lambda x, w: F.conv_transpose2d(x, w, stride=2), x, rand(16, 12, 3, 3, grad=True))
    yield from with_gradients(lambda x, w, b: F.conv2d(x, w, b), rand(80, 10, 12, 12, grad=True), rand(20, 10, 5, 5, grad=True), rand(20, grad=True))
    yield from with_gradients(lambda x, w: F.conv1d(x, w), rand(3, 4, 200, grad=True), rand(8, 4, 7, grad=True))
    for pool in (lambda x: F.max_pool2d(x, 3, 2, 1), lambda x: F.avg_pool2d(x, 3, 2, 1)):
        yield from with_gradients(pool, x)
        once, = fg.autograd.grad((pool(x) ** 2).sum(), x, create_graph=True)
        yield from fg.autograd.grad((once ** 2).sum(), x)
    w, b = rand(16, grad=True), rand(16, grad=True)
    for norm in (lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), lambda x, w, b: F.group_norm(x, 4, w, b),
                 lambda x, w, b: F.instance_norm(x, None, None, w, b), lambda x, w, b: F.layer_norm(x.transpose(1, 3), (16,), w, b),
                 lambda x, w, b: F.rms_norm(x.transpose(1, 3), (16,), w) + b, lambda x, w, b: F.batch_norm(x, rand(16), rand(16) ** 2, w, b)):
        yield from with_gradients(norm, x, w, b)
    yield from with_gradients(lambda x, w, b: F.layer_norm(x, (96,), w, b), rand(40, 96, grad=True), rand(96, grad=True), rand(96, grad=True))


UNREACHED = {"resample_forward"}        # no function takes weighted taps yet
FAMILIES = [reductions, products, normalizations, moving, sequences, images, training]


@pytest.mark.parametrize("family", FAMILIES)
def test_structured(family):
    same_at_any_number(lambda: list(family()))


def test_replayed():
    """A recorded step, run again, is cut as well."""

    def steps():
        model = fg.nn.Sequential(fg.nn.Linear(30, 50), fg.nn.Sigmoid(), fg.nn.Linear(50, 7))
        x, y = rand(64, 30), rand(64, 7)

        def step():
            loss = F.mse_loss(model(x), y)
            loss.backward()
            with fg.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad
                    p.grad.mul_(0.0)

        step()
        step()
        recording = _engine.Recording()
        with recording:
            step()
        recording.replay(5)
        return list(model.parameters())

    same_at_any_number(steps)


def test_every_kernel_that_may_be_cut_is():
    """The tests above leave out no kernel whose row says that it may be cut; elementwise rows, some of which have no name, all are."""
    fg.set_num_threads(3)
    for family in FAMILIES:
        list(family())
    written = [k.name for k in KERNELS if k.function and k.cut != "alone"]
    cut = {KERNELS[i].name for i in _engine.kernels_cut()}
    assert set(written) - UNREACHED <= cut
    assert {k.cut for k in KERNELS if not k.function} == {"first"}
