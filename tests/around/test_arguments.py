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
