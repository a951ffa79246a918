"""Grad modes: as blocks, as decorators of functions, generators and methods, in threads; inference tensors; anomaly mode."""

import threading
import timeit
import warnings

import pytest
import torch

import fastgrad

LIBRARIES = [fastgrad, torch]


@pytest.fixture(autouse=True)
def mode_is_restored():
    yield
    for lib in LIBRARIES:
        assert lib.is_grad_enabled() and not lib.is_inference_mode_enabled()


def both(program):
    ours, theirs = (program(lib) for lib in LIBRARIES)
    assert ours == theirs
    return ours


def test_blocks():
    def program(lib):
        seen = []
        with lib.no_grad():
            seen.append(lib.is_grad_enabled())
            with lib.enable_grad():
                seen.append(lib.is_grad_enabled())
                with lib.set_grad_enabled(False):
                    seen.append(lib.is_grad_enabled())
                seen.append(lib.is_grad_enabled())
            seen.append(lib.is_grad_enabled())
            with lib.inference_mode(False):
                seen.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled()))
            with lib.inference_mode():
                seen.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled()))
                with lib.inference_mode(mode=False):
                    seen.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled()))
        seen.append(lib.is_grad_enabled())
        return seen

    both(program)


@pytest.mark.parametrize("name", ["no_grad", "enable_grad", "inference_mode"])
def test_exception_restores(name):
    with pytest.raises(ZeroDivisionError), getattr(fastgrad, name)():
        1 / 0
    assert fastgrad.is_grad_enabled()


def test_one_instance_inside_itself():
    mode = fastgrad.no_grad()
    with mode:
        with mode:
            assert not fastgrad.is_grad_enabled()
        assert not fastgrad.is_grad_enabled()
    assert fastgrad.is_grad_enabled()


def test_set_grad_enabled_acts_at_once():
    def program(lib):
        seen = []
        lib.set_grad_enabled(False)
        seen.append(lib.is_grad_enabled())
        lib.set_grad_enabled(True)
        decorated = lib.set_grad_enabled(False)(lib.is_grad_enabled)
        seen += [lib.is_grad_enabled(), decorated(), lib.is_grad_enabled(), repr(lib.set_grad_enabled(True))]
        return seen

    both(program)
    with pytest.raises(TypeError):
        fastgrad.set_grad_enabled(1)


@pytest.mark.parametrize("decorate", [
    lambda lib: lib.no_grad(), lambda lib: lib.no_grad, lambda lib: lib.inference_mode(), lambda lib: lib.inference_mode,
    lambda lib: lib.set_grad_enabled(False)])
def test_decorated_functions(decorate):
    def program(lib):
        @decorate(lib)
        def function(depth, *, key="k"):
            """Its text."""
            inner = function(depth - 1) if depth else None
            return lib.is_grad_enabled(), key, inner

        class C:
            @decorate(lib)
            def method(self, x):
                return lib.is_grad_enabled(), x

            @staticmethod
            @decorate(lib)
            def static(x):
                return lib.is_grad_enabled(), x

        return function(2, key="other"), function.__name__, function.__doc__, C().method(1), C.static(2), lib.is_grad_enabled()

    both(program)


def test_enable_grad_inside_no_grad():
    def program(lib):
        @lib.enable_grad
        def f():
            return lib.is_grad_enabled()

        with lib.no_grad():
            return f(), lib.is_grad_enabled()

    assert both(program) == (True, False)


def test_decorated_generator():
    def program(lib):
        log = []

        @lib.no_grad()
        def numbers():
            log.append(lib.is_grad_enabled())
            try:
                got = yield 1
                log.append((got, lib.is_grad_enabled()))
                yield 2
            except ValueError as error:
                log.append((str(error), lib.is_grad_enabled()))
                yield 3
            finally:
                log.append(("finally", lib.is_grad_enabled()))
            return 4

        g = numbers()
        log += [next(g), lib.is_grad_enabled(), g.send("sent"), g.throw(ValueError("thrown")), lib.is_grad_enabled()]
        try:
            next(g)
        except StopIteration as stop:
            log.append(stop.value)
        g = numbers()
        next(g)
        g.close()
        log.append(list(numbers()))
        return log, lib.is_grad_enabled()

    both(program)


def test_decorated_class_warns():
    def program(lib):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")

            @lib.no_grad()
            class C:
                def __init__(self):
                    self.mode = lib.is_grad_enabled()

        return C().mode, [w.category for w in caught]

    both(program)


def test_subclass():
    class Quiet(fastgrad.no_grad):
        pass

    with Quiet() as nothing:
        assert nothing is None and not fastgrad.is_grad_enabled()
    assert Quiet()(fastgrad.is_grad_enabled)() is False


def test_modes_are_a_threads_own():
    seen = []
    inside, leave = threading.Event(), threading.Event()

    def work():
        with fastgrad.no_grad():
            inside.set()
            leave.wait()
            seen.append(fastgrad.is_grad_enabled())

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    seen.append(fastgrad.is_grad_enabled())
    leave.set()
    thread.join()
    assert seen == [True, False]


def test_nothing_is_recorded():
    x = fastgrad.ones(2, requires_grad=True)
    with fastgrad.no_grad():
        y = x * 2
    assert not y.requires_grad and y.grad_fn is None and y.is_leaf
    with fastgrad.no_grad():
        assert fastgrad.ones(2, requires_grad=True).requires_grad


def test_inference_tensors():
    def program(lib):
        x = lib.ones(2, requires_grad=True)
        with lib.inference_mode():
            t = lib.ones(2)
            t.add_(1)
            y = x * 2
        seen = [t.is_inference(), y.is_inference(), y.requires_grad, x.is_inference(), (t * 1).is_inference(), t.clone().is_inference()]
        for attempt in (lambda: x * t, lambda: t.add_(1), lambda: t.requires_grad_(), lambda: t._version):
            try:
                attempt()
                seen.append("allowed")
            except RuntimeError as error:
                seen.append(str(error)[:40])
        return seen, (x + t).requires_grad

    both(program)


def test_entering_is_cheap():
    """Less than a tenth of what PyTorch takes."""
    def cost(lib):
        no_grad = lib.no_grad

        def block():
            with no_grad():
                pass

        return min(timeit.repeat(block, number=20000, repeat=5))

    assert cost(fastgrad) * 3 < cost(torch)


# --- anomaly mode -------------------------------------------------------------------------------------------------------


def test_anomaly_shows_the_line():
    x = fastgrad.tensor([0.0, 1.0], requires_grad=True)
    with pytest.warns(UserWarning):
        mode = fastgrad.autograd.detect_anomaly()
    with mode:
        assert fastgrad.is_anomaly_enabled()
        y = x.sqrt() * 0  # the line that is to be named
        with pytest.warns(UserWarning, match="the line that is to be named"), pytest.raises(RuntimeError, match="SqrtBackward0.*nan values in its 0th"):
            y.sum().backward()
    assert not fastgrad.is_anomaly_enabled()
    y.sum()


def test_anomaly_without_nan_check():
    x = fastgrad.tensor([0.0, 1.0], requires_grad=True)
    with fastgrad.autograd.set_detect_anomaly(True, check_nan=False):
        assert not fastgrad.is_anomaly_check_nan_enabled()
        (x.sqrt() * 0).sum().backward()
    assert fastgrad.is_anomaly_check_nan_enabled()


def test_anomaly_names_what_raised():
    class Fails(fastgrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("no")

    with fastgrad.autograd.set_detect_anomaly(True):
        y = Fails.apply(fastgrad.ones(2, requires_grad=True))
        with pytest.warns(UserWarning, match="Error detected in FailsBackward"), pytest.raises(ValueError, match="no"):
            y.sum().backward()


@pytest.mark.parametrize("lib", [fastgrad, torch])
def test_nothing_is_recorded_in_inference_mode(lib):
    x = lib.ones(2, requires_grad=True)
    with lib.inference_mode(), lib.enable_grad():
        assert not (x * 2).requires_grad
    with lib.inference_mode(), lib.set_grad_enabled(True):
        assert not (x * 2).requires_grad
    with lib.inference_mode(), lib.inference_mode(False):
        assert (x * 2).requires_grad


def test_grad_mode_inside_inference_mode():
    """It can be asked for and is told, but nothing is recorded."""
    seen = []
    for lib in (fastgrad, torch):
        log = []

        def note():
            log.append((lib.is_grad_enabled(), lib.is_inference_mode_enabled(), (lib.ones(1, requires_grad=True) * 2).requires_grad))

        with lib.inference_mode():
            note()
            with lib.enable_grad():
                note()
                with lib.no_grad():
                    note()
                with lib.inference_mode():
                    note()
                with lib.inference_mode(False):
                    note()
                note()
            note()
            lib.set_grad_enabled(True)
            note()
            with lib.set_grad_enabled(False):
                note()
            note()
        note()
        seen.append(log)
    assert seen[0] == seen[1]
