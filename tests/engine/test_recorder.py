"""A recorded training step, replayed: the same bits as eager steps."""

import numpy as np
import pytest

import fastgrad
from fastgrad import _engine


def bits(tensor):
    return tensor.detach().numpy().tobytes()


def by_hand(n):
    """The step of examples/lesson_by_hand.py: one product, the gradient taken and cleared by hand."""
    x = fastgrad.tensor(np.linspace(-1, 1, 12).reshape(4, 3).astype("f4"))
    y = fastgrad.tensor(np.linspace(0, 1, 4).reshape(4, 1).astype("f4"))
    w = fastgrad.tensor(np.full((3, 1), 0.3, "f4"), requires_grad=True)

    def step():
        error = x @ w - y
        (error * error).sum().backward()
        w.data = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()

    return step, [w]


def network(n):
    """5-6-7-7-6-5 with tanh and SGD written out."""
    rng = np.random.default_rng(0)
    sizes = [5, 6, 7, 7, 6, 5]
    weights = [fastgrad.tensor(rng.normal(0, 0.5, shape).astype("f4"), requires_grad=True) for shape in zip(sizes, sizes[1:])]
    biases = [fastgrad.tensor(np.zeros(size, "f4"), requires_grad=True) for size in sizes[1:]]
    x = fastgrad.tensor(rng.normal(size=(3, 5)).astype("f4"))

    def step():
        h = x
        for w, b in zip(weights, biases):
            h = (h @ w + b).tanh()
        loss = ((h - x) * (h - x)).sum()
        loss.backward()
        with fastgrad.no_grad():
            for p in weights + biases:
                p -= 0.05 * p.grad
                p.grad.mul_(0.0)

    return step, weights + biases


@pytest.mark.parametrize("program", [by_hand, network])
@pytest.mark.parametrize("times", [1, 2, 50])
def test_replayed_is_eager(program, times):
    step, parameters = program(0)
    for _ in range(2):  # .grad exists from the first step on
        step()
    recording = _engine.Recording()
    with recording:
        step()
    recording.replay(times)
    expected_step, expected = program(0)
    for _ in range(3 + times):
        expected_step()
    assert [bits(p) for p in parameters] == [bits(p) for p in expected]
    assert [bits(p.grad) for p in parameters] == [bits(p.grad) for p in expected]


def test_with_a_module_and_an_optimizer():
    """The same with nn.Module and optim.SGD."""
    nn, optim = fastgrad.nn, fastgrad.optim

    def program():
        rng = np.random.default_rng(1)
        layers = []
        for a, b in zip([5, 6, 7, 7, 6], [6, 7, 7, 6, 5]):
            layer = nn.Linear(a, b)
            with fastgrad.no_grad():
                layer.weight.copy_(fastgrad.tensor(rng.normal(0, 0.5, (b, a)).astype("f4")))
                layer.bias.copy_(fastgrad.tensor(rng.normal(0, 0.1, b).astype("f4")))
            layers += [layer, nn.Tanh()]
        model = nn.Sequential(*layers)
        optimizer = optim.SGD(model.parameters(), lr=0.05)
        x = fastgrad.tensor(rng.normal(size=(3, 5)).astype("f4"))

        def step():
            optimizer.zero_grad(set_to_none=False)
            nn.functional.mse_loss(model(x), x).backward()
            optimizer.step()

        return step, list(model.parameters())

    step, parameters = program()
    for _ in range(2):
        step()
    recording = _engine.Recording()
    with recording:
        step()
    recording.replay(20)
    expected_step, expected = program()
    for _ in range(23):
        expected_step()
    assert [bits(p) for p in parameters] == [bits(p) for p in expected]


def test_new_data_through_the_same_memory():
    """A recording reads its inputs where they lie: writing there changes what a replay computes."""
    x = fastgrad.tensor([1.0, 2.0])
    out = fastgrad.tensor([0.0, 0.0])
    recording = _engine.Recording()
    with recording:
        out.copy_(x * 3.0)
    x.numpy()[:] = [10.0, 20.0]
    recording.replay()
    assert out.tolist() == [30.0, 60.0]


def test_what_it_dropped_stays_its_own():
    """Memory that fell free while recording is not handed out again while the recording lives."""
    out = fastgrad.tensor([0.0] * 100)
    x = fastgrad.tensor([1.0] * 100)
    recording = _engine.Recording()
    with recording:
        out.copy_((x + 1.0) * 2.0)
    others = [fastgrad.tensor([7.0] * 100) for _ in range(50)]
    recording.replay(3)
    assert out.tolist() == [4.0] * 100
    assert all(o.tolist() == [7.0] * 100 for o in others)


def test_a_recording_keeps_the_memory_it_reads():
    """Tensors that were alive when recording ended may die afterwards; recordings of the same memory may die in any order."""
    out = fastgrad.tensor([0.0] * 100)
    x, y = fastgrad.tensor([1.0] * 100), fastgrad.tensor(np.full(100, 2.0, "f4"))
    first, second = _engine.Recording(), _engine.Recording()
    with first:
        out.copy_(x + y.data)
    with second:
        out.copy_(y * 5.0)
    del x, y
    others = [fastgrad.tensor([7.0] * 100) for _ in range(50)]
    first.replay()
    assert out.tolist() == [3.0] * 100
    del first
    others += [fastgrad.tensor([9.0] * 100) for _ in range(50)]
    second.replay()
    assert out.tolist() == [10.0] * 100
    assert all(o.tolist() in ([7.0] * 100, [9.0] * 100) for o in others)


def test_a_recording_lets_go_of_what_it_does_not_read():
    """In a debug build, counted: what fell free meanwhile and no launch reads, and everything once the recording dies."""
    before = _engine.live_objects()["storages"]
    recording = _engine.Recording()
    with recording:
        unread = [fastgrad.empty(1000) for _ in range(20)]
        fastgrad.tensor([1.0]) + 1.0
        del unread
    assert _engine.live_objects()["storages"] <= before + 3
    del recording
    assert _engine.live_objects()["storages"] == before


@pytest.mark.parametrize("cls", [fastgrad.optim.Adam, fastgrad.optim.AdamW, fastgrad.optim.RAdam, fastgrad.optim.NAdam, fastgrad.optim.Adamax])
def test_a_step_that_a_replay_would_repeat_wrongly_is_refused(cls):
    """Adam's bias correction belongs to one step."""
    p = fastgrad.ones(3, requires_grad=True)
    optimizer = cls([p], lr=0.1)
    p.grad = fastgrad.ones(3)
    optimizer.step()
    before = p.tolist(), [x.tolist() for x in optimizer.state[p].values()]
    with pytest.raises(RuntimeError, match="record: this optimizer's step depends"), _engine.Recording():
        optimizer.step()
    assert (p.tolist(), [x.tolist() for x in optimizer.state[p].values()]) == before
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 2


def test_refusals():
    recording = _engine.Recording()
    with recording:
        with pytest.raises(RuntimeError):
            with _engine.Recording():
                pass
        with pytest.raises(RuntimeError):
            recording.replay()
        fastgrad.tensor([1.0]) + 1.0
    with pytest.raises(RuntimeError):
        with recording:
            pass


def test_an_empty_recording():
    recording = _engine.Recording()
    with recording:
        pass
    assert len(recording) == 0
    recording.replay(10)


def test_an_exception_ends_it():
    with pytest.raises(ZeroDivisionError):
        with _engine.Recording():
            1 / 0
    with _engine.Recording() as recording:
        fastgrad.tensor([1.0]) + 1.0
    assert len(recording) > 0
