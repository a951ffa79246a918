"""The parent's side of worker processes: hands out indices, puts what comes back in order, notices a worker's death.

Which index goes to which worker decides which random numbers it meets, so it is PyTorch's rule: one after the other, the next worker
in turn that still has something to give.
"""

import itertools
import multiprocessing
import pickle
import signal
import time
import warnings
from multiprocessing.connection import wait

from ..dataloader import _BaseDataLoaderIter, _DatasetKind
from . import worker

PATIENCE = 5.0  # seconds for a worker to end by itself


class MultiProcessingIter(_BaseDataLoaderIter):
    """A pass, or with persistent workers any number of them, over batches from worker processes.

    Invariants:
    1. Tasks are numbered in the sampler's order; `owner` has the worker of each task that is out, `arrived` what came too early.
    2. At most prefetch_factor * num_workers tasks are out or waiting.
    """

    def __init__(self, loader):
        super().__init__(loader)
        if loader.prefetch_factor <= 0:
            raise AssertionError("prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter")
        self._prefetch_factor, self._in_order = loader.prefetch_factor, loader.in_order
        self._workers, self._requests, self._results, self._shut = [], [], [], False
        context = loader.multiprocessing_context or multiprocessing.get_context()
        try:
            for i in range(self._num_workers):
                self._start_worker(context, loader, i)
            self._begin(loader)
        except BaseException:
            self._shutdown_workers(patience=0)
            raise

    def _start_worker(self, context, loader, number):
        requests_out, requests_in = context.Pipe(duplex=False)
        results_out, results_in = context.Pipe(duplex=False)
        forked = context.get_start_method() == "fork"
        others = [*self._requests, *self._results, requests_in, results_out] if forked else []
        process = context.Process(target=worker.worker_loop, daemon=True, args=(
            self._dataset_kind, self._dataset, requests_out, results_in, others, self._auto_collation, self._collate_fn, self._drop_last,
            self._base_seed, loader.worker_init_fn, number, self._num_workers))
        try:
            process.start()
        except (TypeError, AttributeError, pickle.PicklingError):
            warnings.warn("Got pickle error when attempting to start a worker Process. This might be because the worker Process arguments "
                          "are not picklable. Python 3.14+ changed the multiprocessing start method in non-Mac POSIX platforms to "
                          "'forkserver', which requires the worker Process arguments to be picklable. You can also try "
                          "multiprocessing.set_start_method('fork').", stacklevel=6)
            raise
        requests_out.close()  # so that the worker's end is the only one
        results_in.close()
        self._workers.append(process)
        self._requests.append(requests_in)
        self._results.append(results_out)

    def _reset(self, loader):
        """Start another pass with the same workers."""
        self._start(loader)
        for number in range(self._num_workers):
            self._send(number, worker.RESUME)
        resumed = 0
        while resumed < self._num_workers:  # what is left of an unfinished pass comes first
            resumed += self._receive()[0] == worker.RESUME
        self._begin(loader)

    def _begin(self, loader):
        self._sent = self._given = 0
        self._owner, self._arrived = {}, {}
        self._active = [True] * self._num_workers
        self._load = [0] * self._num_workers
        self._turns = itertools.cycle(range(self._num_workers))
        for _ in range(self._prefetch_factor * self._num_workers):
            self._hand_out()

    def _hand_out(self):
        """Give the next index to the worker whose turn it is."""
        try:
            index = next(self._sampler_iter)
        except StopIteration:
            return
        most = self._prefetch_factor * self._num_workers
        for number in itertools.islice(self._turns, self._num_workers):
            if self._active[number] and (self._in_order or self._load[number] < most // sum(self._active)):
                break
        else:
            return
        self._send(number, (self._sent, index))
        self._owner[self._sent] = number
        self._load[number] += 1
        self._sent += 1

    def _send(self, number, request):
        try:
            self._requests[number].send(request)
        except OSError:
            self._report_death([number])

    def _receive(self):
        """The next message of any worker."""
        deadline = time.monotonic() + self._timeout if self._timeout > 0 else None
        # workers that should be alive: the others were told to end
        expected = [i for i in range(self._num_workers) if self._active[i] or self._persistent_workers]
        results = {self._results[i]: i for i in expected}
        sentinels = {self._workers[i].sentinel: i for i in expected}
        ready = wait([*results, *sentinels], None if deadline is None else max(0, deadline - time.monotonic()))
        if not ready:
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
        for connection in ready:
            if connection in results:  # what a worker sent before it died counts
                try:
                    return worker.receive(connection)
                except (EOFError, OSError):
                    self._report_death([results[connection]])
        self._report_death([sentinels[sentinel] for sentinel in ready])

    def _report_death(self, numbers):
        """Raise what is known of workers that ended unasked."""
        dead = [self._workers[i] for i in numbers]
        for process in dead:
            process.join(PATIENCE)
        pids = ", ".join(str(process.pid) for process in dead)
        reasons = [death_of(process) for process in dead]
        self._shutdown_workers(patience=0)
        raise RuntimeError(f"DataLoader worker (pid(s) {pids}) exited unexpectedly: {'; '.join(reasons)}")

    def _next_data(self):
        while True:
            while self._given < self._sent and not (self._given in self._arrived or self._active[self._owner.get(self._given, 0)]
                                                    and self._given in self._owner):
                self._owner.pop(self._given, None)  # its worker's stream ended, or it was given out of order
                self._given += 1
            if self._given == self._sent:
                if not self._persistent_workers:
                    self._shutdown_workers()
                raise StopIteration
            if self._given in self._arrived:
                return self._give(self._given, self._arrived.pop(self._given))
            number, data = self._receive()
            if number == worker.ENDED:
                self._active[data] = False
                if not self._persistent_workers:
                    self._send(data, None)
                self._hand_out()
            elif number == self._given or not self._in_order:
                return self._give(number, data)
            else:
                self._arrived[number] = data

    def _give(self, number, data):
        self._load[self._owner.pop(number)] -= 1
        if number == self._given:
            self._given += 1
        self._hand_out()
        if isinstance(data, worker.ExceptionWrapper):
            data.reraise()
        return data

    def _shutdown_workers(self, patience=PATIENCE):
        """Ask the workers to end, and make them if they do not in time."""
        if self._shut:
            return
        self._shut = True
        for connection in self._requests:
            try:
                connection.send(None)
            except OSError:  # it is gone already
                pass
            connection.close()
        for connection in self._results:  # a worker that is still sending learns that nobody listens
            connection.close()
        deadline = time.monotonic() + patience
        for process in self._workers:
            process.join(max(0, deadline - time.monotonic()))
            if process.is_alive():
                process.terminate()
                process.join(1)
            if process.is_alive():
                process.kill()
                process.join()

    def __del__(self):
        if hasattr(self, "_shut"):
            self._shutdown_workers(patience=1)


def death_of(process):
    """How a process ended, in words."""
    code = process.exitcode
    if code is None:
        return f"DataLoader worker (pid {process.pid}) closed its connection"
    if code >= 0:
        return f"DataLoader worker (pid {process.pid}) exited with code {code}"
    description = signal.strsignal(-code) or f"signal {-code}"
    hint = " It is possible that dataloader's workers are out of shared memory." if -code == getattr(signal, "SIGBUS", None) else \
        " It may have run out of memory." if -code == getattr(signal, "SIGKILL", None) else ""
    return f"DataLoader worker (pid {process.pid}) is killed by signal: {description}.{hint}"
