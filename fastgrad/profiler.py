"""fastgrad.profiler: time of operations, of named parts and of steps; torch.profiler, as far as a few lines go.

What it measures is wall time: of operations as a TorchFunctionMode sees them, called by the program on its own thread (what backward() runs is
one event), of `record_function` blocks, and of the steps of `schedule`. An event's own time is what no event inside it took.
"""

import enum
import functools
import json
import time
import warnings
from collections import namedtuple

from fastgrad._engine import Tensor
from fastgrad.memory import allocated
from fastgrad.overrides import TorchFunctionMode

__all__ = ["ProfilerAction", "ProfilerActivity", "kineto_available", "profile", "record_function", "schedule", "supported_activities",
           "tensorboard_trace_handler"]

_active = []
_inside = []                # of the open events, the outermost first: seconds that events inside them took
Event = namedtuple("Event", ["name", "start", "duration", "own", "memory", "input_shapes", "args"])


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
    """A block, or a decorated function, whose time is recorded under a name.

    Args:
        args: text that stands with it in a trace.
    """

    def __init__(self, name, args=None):
        self.name, self.args = name, args
        self.shapes = ()

    def __enter__(self):
        _inside.append(0.0)
        self.memory = allocated()
        self.start = time.perf_counter()
        return self

    def __exit__(self, *exception):
        duration = time.perf_counter() - self.start
        own = duration - _inside.pop()
        if _inside:
            _inside[-1] += duration
        for profiler in _active:
            profiler._add(Event(self.name, self.start, duration, own, allocated() - self.memory, self.shapes, self.args))

    def __call__(self, function):
        @functools.wraps(function)
        def named(*args, **kwargs):
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return named


class Operations(TorchFunctionMode):
    """Records every operation in the block, named as in PyTorch's tables."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        block = record_function(f"aten::{func.__name__.strip('_')}")
        block.shapes = tuple(tuple(a.shape) if isinstance(a, Tensor) else () for a in args)
        with block:
            return func(*args, **(kwargs or {}))


class Row:
    """The events of one name: times in microseconds, memory in bytes."""

    device_time = device_time_total = self_device_time_total = cuda_time = cuda_time_total = self_cuda_time_total = 0

    def __init__(self, key, input_shapes):
        self.key, self.input_shapes = key, input_shapes
        self.count = self.cpu_time_total = self.self_cpu_time_total = self.cpu_memory_usage = 0

    @property
    def cpu_time(self):
        return self.cpu_time_total / self.count

    def add(self, event):
        self.count += 1
        self.cpu_time_total += event.duration * 1e6
        self.self_cpu_time_total += event.own * 1e6
        self.cpu_memory_usage += event.memory


def shown_time(microseconds):
    unit, scale = next((u for u in (("s", 1e6), ("ms", 1e3)) if microseconds >= u[1]), ("us", 1.0))
    return f"{microseconds / scale:.3f}{unit}"


class Averages(list):
    """Rows, one a name; `table` writes them out."""

    def __init__(self, rows, profile_memory):
        super().__init__(rows)
        self.profile_memory = profile_memory

    def table(self, sort_by=None, row_limit=100, max_src_column_width=75, max_name_column_width=55, max_shapes_column_width=80, header=None,
              top_level_events_only=False, time_unit=None):
        """The rows as text.

        Args:
            sort_by: attribute of the rows, the largest first; None for the order of their first events. row_limit: -1 for all.
            max_src_column_width: of a column that there never is. header: text above.
        Raises: NotImplementedError for top_level_events_only and time_unit.
        """
        refuse("table", top_level_events_only=top_level_events_only, time_unit=time_unit)
        rows = self if sort_by is None else sorted(self, key=lambda row: getattr(row, sort_by), reverse=True)
        total = sum(row.self_cpu_time_total for row in self) or 1.0
        columns = {"Name": [row.key[:max_name_column_width] for row in rows],
                   "Self CPU %": [f"{100 * row.self_cpu_time_total / total:.2f}%" for row in rows],
                   "Self CPU": [shown_time(row.self_cpu_time_total) for row in rows],
                   "CPU total": [shown_time(row.cpu_time_total) for row in rows],
                   "CPU time avg": [shown_time(row.cpu_time) for row in rows]}
        if self.profile_memory:
            columns["CPU Mem"] = [f"{row.cpu_memory_usage} b" for row in rows]
        columns["# of Calls"] = [str(row.count) for row in rows]
        if any(row.input_shapes for row in rows):
            columns["Input Shapes"] = [str([list(s) for s in row.input_shapes])[:max_shapes_column_width] for row in rows]
        limit = None if row_limit < 0 else row_limit
        widths = [max(map(len, (name, *cells))) for name, cells in columns.items()]
        lines = [columns, *list(zip(*columns.values()))[:limit]]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join(filter(None, [header, rule, lines[0], rule, *lines[1:], rule, f"Self CPU time total: {shown_time(total)}"]))


def refuse(function, **given):
    """Raise NotImplementedError for an argument that is given."""
    for name, value in given.items():
        if value:
            raise NotImplementedError(f"{function}: {name} is not supported")


class profile:
    """A block whose operations and record_function parts are timed.

    Args:
        activities: the CPU; others are not there. schedule: which steps are recorded; all by default.
        on_trace_ready: called with the profiler after each recorded cycle.
        record_shapes: keep the shapes of what operations are given. profile_memory: count the bytes that events take and do not give back.
    Raises: NotImplementedError for anything else.
    """

    def __init__(self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False, profile_memory=False, with_stack=False,
                 with_flops=False, with_modules=False, experimental_config=None, execution_trace_observer=None, acc_events=False, use_cuda=None,
                 custom_trace_id_callback=None, post_processing_timeout_s=None):
        refuse("profile", with_stack=with_stack, with_flops=with_flops, with_modules=with_modules, experimental_config=experimental_config,
               execution_trace_observer=execution_trace_observer, acc_events=acc_events, custom_trace_id_callback=custom_trace_id_callback,
               post_processing_timeout_s=post_processing_timeout_s)
        others = {getattr(a, "name", str(a)) for a in activities or ()} - {"CPU"} | ({"CUDA"} if use_cuda else set())
        if others:
            warnings.warn(f"{', '.join(sorted(others))} is not available, disabling its profiling", stacklevel=2)
        self._schedule, self._marks_steps = schedule or (lambda step: ProfilerAction.RECORD), schedule is not None
        self._on_trace_ready, self._profile_memory, self._record_shapes = on_trace_ready, profile_memory, record_shapes
        self.step_num = 0
        self._events, self._operations = [], Operations()

    @property
    def current_action(self):
        return self._schedule(self.step_num)

    def _add(self, event):
        if self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            self._events.append(event)

    def _begin_step(self):
        self._step = record_function(f"ProfilerStep#{self.step_num}").__enter__() if self._marks_steps else None

    def _end_step(self):
        if self._step is not None:
            self._step.__exit__()

    def start(self):
        _active.append(self)
        self._begin_step()
        self._operations.__enter__()

    def stop(self):
        self._operations.__exit__()
        self._end_step()
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
        self._end_step()
        action = self.current_action
        if action is ProfilerAction.RECORD_AND_SAVE and self._on_trace_ready is not None:
            self._on_trace_ready(self)
            self._events.clear()
        self.step_num += 1
        self._begin_step()

    def events(self):
        """What was recorded, with times in seconds."""
        return list(self._events)

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False):
        """One row a name, or a name and the shapes it was given."""
        refuse("key_averages", group_by_stack_n=group_by_stack_n, group_by_overload_name=group_by_overload_name)
        rows = {}
        for event in self._events:
            shapes = event.input_shapes if group_by_input_shape and self._record_shapes else ()
            name = "ProfilerStep*" if event.name.startswith("ProfilerStep#") else event.name
            rows.setdefault((name, shapes), Row(name, shapes)).add(event)
        return Averages(rows.values(), self._profile_memory)

    def export_chrome_trace(self, path, use_python_export=False):
        """Write what was recorded for chrome://tracing."""
        events = [{"name": e.name, "ph": "X", "ts": e.start * 1e6, "dur": e.duration * 1e6, "pid": 0, "tid": 0,
                   "args": {"Input Dims": e.input_shapes if self._record_shapes else [], "note": e.args}} for e in self._events]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False, use_python_export=False):
    """A function that writes a profiler's trace into a folder."""
    import os

    if use_gzip:
        raise NotImplementedError("tensorboard_trace_handler: use_gzip=True is not supported; compress the files it writes")

    def handler(profiler):
        os.makedirs(dir_name, exist_ok=True)
        profiler.export_chrome_trace(os.path.join(dir_name, f"{worker_name or 'worker'}.{time.time_ns()}.pt.trace.json"))

    return handler
