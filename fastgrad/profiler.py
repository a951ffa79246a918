"""fastgrad.profiler: time of named parts and of steps; torch.profiler, as far as a few lines go.

What it measures is wall time between the marks of the program: `record_function` blocks, and the steps of `schedule`.
"""

import enum
import json
import time
import warnings
from collections import namedtuple

__all__ = ["ProfilerAction", "ProfilerActivity", "kineto_available", "profile", "record_function", "schedule", "supported_activities",
           "tensorboard_trace_handler"]

_active = []
Event = namedtuple("Event", ["name", "start", "duration"])


class ProfilerActivity(enum.Enum):
    """What is looked at; here the CPU alone."""

    CPU = 0
    CUDA = 1
    XPU = 2


class ProfilerAction(enum.Enum):
    """What happens in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities():
    """The CPU."""
    return {ProfilerActivity.CPU}


def kineto_available():
    """False."""
    return False


def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """A function from a step's number to its action: wait, warm up, record, over and over."""

    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)

    def action(step):
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait != 0:
            step += wait
        cycle, place = divmod(step, wait + warmup + active)
        if repeat > 0 and cycle >= repeat or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == wait + warmup + active - 1 else ProfilerAction.RECORD

    return action


class record_function:
    """A block, or a decorated function, whose time is recorded under a name."""

    def __init__(self, name, args=None):
        self.name = name

    def __enter__(self):
        self.start = time.perf_counter()
        return self

    def __exit__(self, *exception):
        event = Event(self.name, self.start, time.perf_counter() - self.start)
        for profiler in _active:
            profiler._add(event)

    def __call__(self, function):
        def named(*args, **kwargs):
            with record_function(self.name):
                return function(*args, **kwargs)

        return named


class Averages(list):
    """Rows of (name, calls, total time); `table` writes them out."""

    def table(self, sort_by=None, row_limit=100, **more):
        """The rows as text, the longest first."""
        lines = [f"{'Name':40}  {'# of Calls':>10}  {'CPU total':>12}"]
        lines += [f"{row.key[:40]:40}  {row.count:>10}  {row.cpu_time_total / 1000:>10.3f}ms" for row in list(self)[:row_limit]]
        return "\n".join(lines)


Row = namedtuple("Row", ["key", "count", "cpu_time_total"])


class profile:
    """A block whose record_function parts are timed.

    Args:
        schedule: which steps are recorded; all by default. on_trace_ready: called with the profiler after each recorded cycle.
        others: accepted; they ask for what is not measured here.
    """

    def __init__(self, activities=None, schedule=None, on_trace_ready=None, record_shapes=False, profile_memory=False, with_stack=False,
                 with_flops=False, with_modules=False, **more):
        self._schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self._on_trace_ready = on_trace_ready
        self.step_num = 0
        self._events = []

    @property
    def current_action(self):
        return self._schedule(self.step_num)

    def _add(self, event):
        if self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            self._events.append(event)

    def start(self):
        self._step = record_function("ProfilerStep*").__enter__()
        _active.append(self)

    def stop(self):
        _active.remove(self)
        if self._on_trace_ready is not None and self._events:
            self._on_trace_ready(self)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()

    def step(self):
        """The next step begins."""
        self._step.__exit__()
        action = self.current_action
        if action is ProfilerAction.RECORD_AND_SAVE and self._on_trace_ready is not None:
            self._on_trace_ready(self)
            self._events.clear()
        self.step_num += 1
        self._step = record_function("ProfilerStep*").__enter__()

    def events(self):
        """What was recorded: (name, start, duration) in seconds."""
        return list(self._events)

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0):
        """One row a name, the longest first; times in microseconds."""
        total = {}
        for event in self._events:
            count, duration = total.get(event.name, (0, 0.0))
            total[event.name] = count + 1, duration + event.duration
        rows = [Row(name, count, duration * 1e6) for name, (count, duration) in total.items()]
        return Averages(sorted(rows, key=lambda row: -row.cpu_time_total))

    def export_chrome_trace(self, path):
        """Write what was recorded for chrome://tracing."""
        events = [{"name": e.name, "ph": "X", "ts": e.start * 1e6, "dur": e.duration * 1e6, "pid": 0, "tid": 0} for e in self._events]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False):
    """A function that writes a profiler's trace into a folder."""
    import os

    if use_gzip:
        raise NotImplementedError("tensorboard_trace_handler: use_gzip=True is not supported; compress the files it writes")

    def handler(profiler):
        os.makedirs(dir_name, exist_ok=True)
        profiler.export_chrome_trace(os.path.join(dir_name, f"{worker_name or 'worker'}.{time.time_ns()}.pt.trace.json"))

    return handler
