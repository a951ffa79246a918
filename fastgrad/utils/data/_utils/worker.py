"""A worker process: loads what it is asked for and sends it back.

Messages to a worker, over its own pipe: (number, index), RESUME, None (end).  Messages back, over another pipe of its own: see `pack`.
No lock is shared between processes, so that a killed worker cannot leave one held.  A thread does the sending: the worker reads on
while its parent is busy.
"""

import io
import os
import pickle
import queue
import random
import signal
import sys
import threading
import traceback
from dataclasses import dataclass

import fastgrad as fg

RESUME = "resume"
ENDED = "ended"  # a stream has come to its end

_worker_info = None


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker knows of itself: its number, how many there are, its seed, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: object
    rng: object = None
    worker_method: str = "multiprocessing"


def get_worker_info():
    """In a worker process: its WorkerInfo (id, num_workers, seed, dataset).  None elsewhere."""
    return _worker_info


# --- what travels ---


class ExceptionWrapper:
    """An exception on its way to the parent, as its class and the text of its traceback."""

    def __init__(self, where):
        self.kind, self.where = sys.exc_info()[0], where
        self.text = traceback.format_exc()
        try:
            pickle.dumps(self.kind)
        except Exception:
            self.kind = RuntimeError

    def reraise(self):
        text = f"Caught {self.kind.__name__} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            raise KeyError(Verbatim(text))
        try:
            error = self.kind(text)
        except Exception:  # a class that wants other arguments
            raise RuntimeError(text) from None
        raise error


class Verbatim(str):
    """A string whose repr, which a KeyError prints, is itself."""

    __repr__ = str.__str__


class Packer(pickle.Pickler):
    """Pickles tensors as bytes beside the pickle: only the elements they show, not their whole storage."""

    def __init__(self, file):
        super().__init__(file, protocol=5)
        self.parts, self.known = [], {}

    def persistent_id(self, obj):
        if type(obj) is not fg.Tensor or obj.__dict__:
            return None
        if obj.requires_grad and not obj.is_leaf:
            raise RuntimeError("Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support crossing "
                               "process boundaries. If you just want to transfer the data, call detach() on the tensor before serializing "
                               "(e.g., putting it on the queue).")
        if id(obj) not in self.known:
            flat = obj.detach().contiguous().reshape(-1).view(fg.uint8)
            self.known[id(obj)] = len(self.parts), obj  # the tensor too, so that its id stays its own
            self.parts.append(flat)
        return self.known[id(obj)][0], obj.dtype.name, tuple(obj.shape), obj.requires_grad


class Unpacker(pickle.Unpickler):
    def __init__(self, file, parts):
        super().__init__(file)
        self.parts, self.made = parts, {}

    def persistent_load(self, key):
        number, dtype, shape, requires_grad = key
        if number not in self.made:
            self.made[number] = self.parts[number].view(getattr(fg, dtype)).reshape(shape).requires_grad_(requires_grad)
        return self.made[number]


def pack(message):
    """A message as a head (bytes) and the uint8 tensors that follow it."""
    file = io.BytesIO()
    packer = Packer(file)
    packer.dump(message)
    return pickle.dumps(([t.numel() for t in packer.parts], file.getvalue())), packer.parts


def send(connection, packed):
    head, parts = packed
    connection.send_bytes(head)
    for part in parts:
        if part.numel():
            connection.send_bytes(memoryview(part))


def receive(connection):
    """The next message.  Raises EOFError or OSError where the sender is gone."""
    sizes, body = pickle.loads(connection.recv_bytes())
    parts = [fg.empty(size, dtype=fg.uint8) for size in sizes]
    for part in parts:
        if part.numel():
            connection.recv_bytes_into(memoryview(part))
    return Unpacker(io.BytesIO(body), parts).load()


# --- the process ---


def seed_all(base_seed, worker_id):
    """Seed Python's, fastgrad's and NumPy's generators."""
    seed = base_seed + worker_id
    random.seed(seed)
    fg.manual_seed(seed)
    import numpy

    numpy.random.seed(numpy_seed(base_seed, worker_id))
    return seed


def numpy_seed(base_seed, worker_id):
    """Four words in which both seeds are mixed."""
    import numpy

    words = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return numpy.random.SeedSequence(words).generate_state(4)


def worker_loop(kind, dataset, requests, results, others, auto_collation, collate_fn, drop_last, base_seed, init_fn, worker_id,
                num_workers):
    """What a worker process runs.

    Args:
        requests, results: its ends of the two pipes.
        others: connections inherited from the parent by a fork, to be closed.
    """
    global _worker_info
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for the parent: no traceback from here
    for connection in others:
        connection.close()
    fg.set_num_threads(1)  # a process each is enough for the cores
    seed = seed_all(base_seed, worker_id)
    _worker_info = WorkerInfo(worker_id, num_workers, seed, dataset)
    outgoing = queue.SimpleQueue()
    sender = threading.Thread(target=send_all, args=(results, outgoing), daemon=True)
    sender.start()
    try:
        answer_all(requests, outgoing, kind, dataset, (auto_collation, collate_fn, drop_last), init_fn, worker_id)
    finally:
        outgoing.put(None)
        sender.join()


def answer_all(requests, outgoing, kind, dataset, options, init_fn, worker_id):
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    from ..dataloader import _DatasetKind

    where = f"in DataLoader worker process {worker_id}"
    fetcher = failure = None
    try:
        if init_fn is not None:
            init_fn(worker_id)
        fetcher = _DatasetKind.create_fetcher(kind, dataset, *options)
    except Exception:
        failure = ExceptionWrapper(where)
    ended = False
    parent = parent_process().sentinel
    while requests in wait([requests, parent]):
        try:
            request = requests.recv()
        except (EOFError, OSError):  # the parent is gone
            return
        if request is None:
            return
        if request == RESUME:
            ended = False
            if failure is None:
                fetcher = _DatasetKind.create_fetcher(kind, dataset, *options)
            outgoing.put(pack((RESUME, None)))
            continue
        if ended:
            continue
        number, index = request
        if failure is not None:
            outgoing.put(pack((number, failure)))
            continue
        try:
            packed = pack((number, fetcher.fetch(index)))
        except Exception as error:
            if isinstance(error, StopIteration) and kind == _DatasetKind.Iterable:
                ended = True
                packed = pack((ENDED, worker_id))
            else:
                packed = pack((number, ExceptionWrapper(where)))
        outgoing.put(packed)


def send_all(connection, outgoing):
    while (packed := outgoing.get()) is not None:
        try:
            send(connection, packed)
        except OSError:  # the parent does not listen any more
            os._exit(0)
