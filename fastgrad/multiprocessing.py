"""fastgrad.multiprocessing: Python's multiprocessing under PyTorch's name.

Tensors that share_memory_ moved go through queues, pipes and arguments of processes without a copy; all others are copied.
"""

import multiprocessing as _python
from multiprocessing import *  # noqa: F403

from . import _shared  # noqa: F401  (how tensors are sent)

__all__ = [*_python.__all__, "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes"]


def get_all_sharing_strategies():
    """The one strategy: a file without a name holds the memory, its descriptor is sent."""
    return {"file_descriptor"}


def get_sharing_strategy():
    """How tensors are shared."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy):
    """Accepted where PyTorch has it: programs ask for files with names where descriptors run out, and here few are used."""
    if new_strategy not in ("file_system", "file_descriptor"):
        raise AssertionError(f"set_sharing_strategy: unknown strategy {new_strategy!r}")


def _run(function, i, args, errors):
    import traceback

    try:
        function(i, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        errors.put((i, traceback.format_exc()))
        raise SystemExit(1)


class ProcessRaisedException(Exception):
    """A process started by `spawn` raised."""


class ProcessExitedException(Exception):
    """A process started by `spawn` ended with another code than 0."""


class SpawnContext:
    """The processes that `spawn` has started."""

    def __init__(self, processes, errors):
        self.processes, self.errors = processes, errors

    def pids(self):
        return [process.pid for process in self.processes]

    def join(self, timeout=None, grace_period=None):
        """Wait for all of them.  Raises: ProcessRaisedException or ProcessExitedException, after ending the others."""
        from multiprocessing.connection import wait

        alive = {process.sentinel: (i, process) for i, process in enumerate(self.processes) if process.is_alive() or process.exitcode}
        while alive:
            ready = wait(alive, timeout=timeout)
            if not ready:
                return False
            for sentinel in ready:
                i, process = alive.pop(sentinel)
                process.join()
                if process.exitcode != 0:
                    self._fail(i, process, [other for _, other in alive.values()])
        return True

    def _fail(self, i, process, others):
        for other in others:
            other.terminate()
            other.join()
        if process.exitcode == 1 and not self.errors.empty():
            number, text = self.errors.get()
            raise ProcessRaisedException(f"\n\n-- Process {number} terminated with the following error:\n{text}")
        raise ProcessExitedException(f"process {i} terminated with exit code {process.exitcode}")


def start_processes(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Call fn(i, *args) in nprocs processes, i from 0.

    Args:
        join: wait for them; otherwise the SpawnContext is returned.
        start_method: "spawn", "fork" or "forkserver".
    """
    context = _python.get_context(start_method)
    errors = context.SimpleQueue()
    processes = [context.Process(target=_run, args=(fn, i, args, errors), daemon=daemon) for i in range(nprocs)]
    for process in processes:
        process.start()
    made = SpawnContext(processes, errors)
    if not join:
        return made
    while not made.join():
        pass
    return None


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """start_processes, by spawning."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)
