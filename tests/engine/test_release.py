"""Release of graphs: what runs Python code as it goes neither delays what else is released, nor makes release recurse."""

import threading
import weakref

import fastgrad as fg


class Late:
    """Does something while it is being released."""

    def __init__(self, action):
        self.action = action

    def __del__(self):
        self.action()


def graph_that_holds(value):
    """A node whose context holds `value`, and nothing else does."""
    class Holds(fg.autograd.Function):
        @staticmethod
        def forward(ctx, x, value):
            ctx.value = value
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad, None

    return Holds.apply(fg.ones(2, requires_grad=True), value)


def graph_and_reference():
    """A chain of nodes, and a weak reference to something that only its oldest node holds."""
    witness = Late(lambda: None)
    y = graph_that_holds(witness)
    for _ in range(100):
        y = y * 2
    return y, weakref.ref(witness)


def test_what_a_finalizer_releases_is_gone_at_once():
    seen = []

    def action():
        y, reference = graph_and_reference()
        del y
        seen.append(reference() is None)

    y = graph_that_holds(Late(action))
    del y
    x = fg.ones(2)
    x.holds = Late(action)
    del x
    assert seen == [True, True]


def test_what_another_thread_releases_meanwhile_is_gone_at_once():
    inside, done, seen = threading.Event(), threading.Event(), []

    def action():
        inside.set()
        done.wait(60)

    def other():
        inside.wait(60)
        y, reference = graph_and_reference()
        del y
        seen.append(reference() is None)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    y = graph_that_holds(Late(action))
    del y
    thread.join()
    assert seen == [True]


def test_contexts_of_contexts_are_released_without_deep_recursion():
    y = fg.ones(2)
    for _ in range(20_000):
        y = graph_that_holds(Late([y].clear))
    del y
