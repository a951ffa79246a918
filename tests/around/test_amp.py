"""amp against PyTorch on the CPU: which dtypes products and losses have, what a scaler does with overflows, warnings and errors."""

import pytest

from tests.nn.both import assert_same, assert_same_error, fastgrad


def dtype(tensor):
    return str(tensor.dtype).rpartition(".")[2]


def test_dtypes_in_a_block():
    def observe(lib):
        F, x, y = lib.nn.functional, lib.ones(2, 3), lib.ones(3, 2)
        layer = lib.nn.Linear(3, 2)
        inside = []
        with lib.autocast("cpu"):
            z = layer(x)
            inside += [z, x @ y, lib.mm(x, y), lib.matmul(x, y), z + lib.ones(2), F.softmax(z, 1), F.mse_loss(z, z.detach() * 2), lib.cat([z, x[:, :2]]),
                       F.cross_entropy(z, lib.tensor([1, 0])), lib.bmm(x[None], y[None]), lib.addmm(lib.ones(2), x, y), x.double() @ y.double()]
            with lib.autocast("cpu", enabled=False):
                inside.append(x @ y)
            inside.append(x @ y)
            states = lib.is_autocast_enabled("cpu"), str(lib.get_autocast_dtype("cpu")).rpartition(".")[2]
        z.float().sum().backward()
        return [dtype(t) for t in (*inside, x @ y)], states, lib.is_autocast_enabled("cpu"), layer.weight.grad

    assert_same(observe)


def test_as_a_decorator_and_with_another_dtype():
    def observe(lib):
        @lib.amp.autocast("cpu", dtype=lib.float16)
        def product(x):
            return x @ x

        return dtype(product(lib.ones(2, 2)))

    assert_same(observe)


@pytest.mark.parametrize("call", [lambda lib: lib.autocast("cuda").__class__.__name__, lambda lib: lib.amp.GradScaler().is_enabled(),
                                  lambda lib: lib.autocast("cpu", dtype=lib.float32).__class__.__name__, lambda lib: lib.cuda.amp.GradScaler().get_scale()])
def test_what_is_not_there_warns(call):
    assert_same(call)


def test_scaler():
    def observe(lib):
        w = lib.nn.Parameter(lib.ones(2))
        optimizer = lib.optim.SGD([w], lr=0.5)
        scaler = lib.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
        path = []
        for step in range(6):
            optimizer.zero_grad()
            scaler.scale((w * (float("inf") if step == 3 else 1.0)).sum()).backward()
            if step % 2:
                scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            path.append((w.detach().clone(), scaler.get_scale()))
        other = lib.amp.GradScaler("cpu")
        other.load_state_dict(scaler.state_dict())
        return path, other.state_dict()

    assert_same(observe)


def twice(lib):
    w = lib.nn.Parameter(lib.ones(1))
    optimizer, scaler = lib.optim.SGD([w], lr=0.1), lib.amp.GradScaler("cpu")
    scaler.scale(w.sum()).backward()
    return scaler, optimizer


ERRORS = {
    "step twice": lambda s, o: (s.step(o), s.step(o)),
    "unscale twice": lambda s, o: (s.unscale_(o), s.unscale_(o)),
    "unscale after step": lambda s, o: (s.step(o), s.unscale_(o)),
    "closure": lambda s, o: s.step(o, closure=lambda: 0),
    "load": lambda s, o: s.load_state_dict({}),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_errors(call):
    assert_same_error(lambda lib: call(*twice(lib)))


def test_unknown_device():
    with pytest.raises(RuntimeError, match="device type"):
        fastgrad.autocast("x")


def test_the_old_names_for_a_cpu():
    def observe(lib):
        with lib.cpu.amp.autocast():
            return dtype(lib.ones(2, 2) @ lib.ones(2, 2)), lib.cpu.amp.GradScaler(init_scale=8.0).get_scale()

    assert_same(observe)


@pytest.mark.parametrize("call", [
    lambda lib, x: lib.nn.functional.scaled_dot_product_attention(x, x, x),
    lambda lib, x: lib.mv(x[0], x[0, 0]),
    lambda lib, x: lib.nn.PReLU()(x.bfloat16()),
    lambda lib, x: lib.nn.functional.grid_sample(x[None].bfloat16(), lib.zeros(1, 2, 2, 2), align_corners=False),
    lambda lib, x: lib.linalg.svdvals(x.bfloat16()),
], ids=["attention", "mv", "prelu", "grid_sample", "svdvals"])
def test_dtypes_of_further_operations(call):
    def observe(lib):
        with lib.autocast("cpu"):
            return dtype(call(lib, lib.arange(12.0).reshape(3, 2, 2)))

    assert_same(observe)
