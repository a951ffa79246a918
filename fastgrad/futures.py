"""torch.futures: a value that is there later. What sets it here runs on the caller's thread, or on a thread of the program's own."""

from threading import Condition, Lock

__all__ = ["Future", "collect_all", "wait_all"]


class Future:
    """A value, or an exception, that is set once; `wait` returns or raises it. Safe to use from several threads.

    Args: devices: accepted; there is the CPU.
    """

    def __init__(self, *, devices=None):
        self._changed, self._done, self._value, self._error, self._callbacks = Condition(), False, None, None, []

    def done(self):
        return self._done

    def wait(self):
        with self._changed:
            self._changed.wait_for(self.done)
        return self.value()

    def value(self):
        """The value.  Raises: the exception that was set; RuntimeError: nothing is set yet."""
        if not self._done:
            raise RuntimeError("Future.value: nothing is set yet; wait() waits for it")
        if self._error is not None:
            raise self._error
        return self._value

    def set_result(self, result):
        self._set(result, None)

    def set_exception(self, result):
        if not isinstance(result, Exception):
            raise AssertionError(f"Future.set_exception: expected an exception, got {result!r}")
        self._set(None, result)

    def _set(self, value, error):
        with self._changed:
            if self._done:
                raise RuntimeError("Future: a result was set already")
            self._value, self._error, self._done = value, error, True
            self._changed.notify_all()
        for callback in self._callbacks:
            callback(self)

    def add_done_callback(self, callback):
        """Call callback(self) when the value is set, at once if it is."""
        with self._changed:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def then(self, callback):
        """A Future of callback(self), which is called when the value is set."""
        following = Future()

        def go_on(future):
            try:
                value = callback(future)
            except Exception as error:
                following.set_exception(error)
            else:
                following.set_result(value)

        self.add_done_callback(go_on)
        return following


def collect_all(futures):
    """A Future of the list of futures, set when all are."""
    futures, collected = list(futures), Future()
    left, one_at_a_time = iter(futures[1:]), Lock()

    def one_less(_):
        with one_at_a_time:
            last = next(left, None) is None
        if last:
            collected.set_result(futures)

    if not futures:
        collected.set_result(futures)
    for future in futures:
        future.add_done_callback(one_less)
    return collected


def wait_all(futures):
    """The values of all, in their order.  Raises: the first exception."""
    return [future.wait() for future in collect_all(futures).wait()]
