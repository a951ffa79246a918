"""fastgrad.utils.benchmark: how long a statement takes; torch.utils.benchmark's Timer and Measurement."""

import statistics
import textwrap
import timeit

import fastgrad as fg

__all__ = ["Compare", "Measurement", "Timer", "select_unit"]

UNITS = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9))


def select_unit(t):
    """(unit, seconds in one of it) that shows a time with few digits before the point."""
    return next(((unit, seconds) for unit, seconds in UNITS if t >= seconds), UNITS[-1])


class Measurement:
    """Times of one statement.

    Attributes:
        times: seconds a run, one for each block of runs. number_per_run: runs in a block.
    """

    def __init__(self, number_per_run, raw_times, label="", sub_label=None, description=None, num_threads=1, stmt=""):
        self.number_per_run = number_per_run
        self.raw_times = raw_times
        self.label, self.sub_label, self.description, self.num_threads, self.stmt = label, sub_label, description, num_threads, stmt

    @property
    def times(self):
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self):
        return statistics.median(self.times)

    @property
    def mean(self):
        return statistics.fmean(self.times)

    @property
    def iqr(self):
        """Distance of the quartiles."""
        if len(self.times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return high - low

    def __repr__(self):
        unit, seconds = select_unit(self.median)
        title = self.label or self.stmt.strip()
        lines = [f"<{type(self).__module__}.Measurement object at {hex(id(self))}>", title]
        lines += [text for text in (self.sub_label, self.description) if text]
        kind = "Median" if len(self.times) > 1 else "Time"
        lines.append(f"  {kind}: {self.median / seconds:.2f} {unit}")
        lines.append(f"  {len(self.raw_times)} measurement{'s' if len(self.raw_times) > 1 else ''}, {self.number_per_run} runs per measurement, "
                     f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}")
        return "\n".join(lines)


class Timer:
    """Times a statement.

    Args:
        stmt, setup: Python text; setup runs once, before. globals: names for both.
        num_threads: threads that operations may use while it runs.
        label, sub_label, description: text for the results.

    Raises: NotImplementedError for another language than Python.
    Example:
        >>> t = fastgrad.utils.benchmark.Timer("x + 1", "x = 1").timeit(100)
        >>> t.number_per_run
        100
    """

    def __init__(self, stmt="pass", setup="pass", global_setup="", timer=timeit.default_timer, globals=None, label=None, sub_label=None,
                 description=None, env=None, num_threads=1, language="python"):
        if str(language).lower() not in ("python", "py", "language.python"):
            raise NotImplementedError(f"Timer: language {language!r} is not supported")
        if global_setup:
            raise ValueError("global_setup is C++ only, do not supply it for Python.")
        names = {**(globals or {})}
        names.setdefault("torch", fg)
        self.stmt = textwrap.dedent(stmt).strip()
        self._timer = timeit.Timer(self.stmt, textwrap.dedent(setup).strip() or "pass", timer=timer, globals=names)
        self._about = dict(label=label, sub_label=sub_label, description=description, num_threads=num_threads, stmt=self.stmt)
        self.num_threads = num_threads

    def _time(self, number):
        before = fg.get_num_threads()
        fg.set_num_threads(self.num_threads)
        try:
            return self._timer.timeit(number)
        finally:
            fg.set_num_threads(before)

    def timeit(self, number=1000000):
        """A Measurement of one block of `number` runs."""
        self._time(max(number // 100, 2))
        return Measurement(number, [self._time(number)], **self._about)

    def _block(self, min_run_time):
        """Runs in a block that takes about a thousandth of min_run_time, at least 1 us a call being noise."""
        number = 1
        while True:
            taken = self._time(number)
            if taken > max(min_run_time / 1000, 1e-4):
                return number
            number *= 10

    def blocked_autorange(self, callback=None, min_run_time=0.2):
        """A Measurement of blocks that take min_run_time together."""
        number, times, total = self._block(min_run_time), [], 0.0
        while total < min_run_time:
            times.append(self._time(number))
            total += times[-1]
            if callback is not None:
                callback(number, times[-1])
        return Measurement(number, times, **self._about)

    def adaptive_autorange(self, threshold=0.1, *, min_run_time=0.01, max_run_time=10.0, callback=None):
        """A Measurement of blocks until their quartiles are close: iqr / median below threshold."""
        number, times, total = self._block(0.05), [], 0.0
        while total < max_run_time:
            times.append(self._time(number))
            total += times[-1]
            if callback is not None:
                callback(number, times[-1])
            made = Measurement(number, times, **self._about)
            if total > min_run_time and len(times) >= 4 and made.iqr / made.median < threshold:
                break
        return Measurement(number, times, **self._about)

    def collect_callgrind(self, *args, **kwargs):
        raise NotImplementedError("Timer.collect_callgrind is not supported")


class Compare:
    """A table of Measurements: rows by sub_label, columns by description."""

    def __init__(self, results):
        self.results = list(results)

    def extend_results(self, results):
        self.results.extend(results)

    def __str__(self):
        columns = list(dict.fromkeys(r.description or "" for r in self.results))
        rows = list(dict.fromkeys((r.sub_label or r.stmt, r.num_threads) for r in self.results))
        unit, seconds = select_unit(min((r.median for r in self.results), default=1.0))
        found = {(r.sub_label or r.stmt, r.num_threads, r.description or ""): r.median for r in self.results}
        width = max([len(row) for row, _ in rows] + [8])
        lines = [f"[{self.results[0].label or ''}]" if self.results else "[]", " " * width + "".join(f" | {c:>12}" for c in columns)]
        for row, threads in rows:
            cells = [found.get((row, threads, c)) for c in columns]
            lines.append(f"{row:{width}}" + "".join(f" | {'' if t is None else format(t / seconds, '.2f'):>12}" for t in cells))
        return "\n".join([*lines, "", f"Times are in {unit}."])

    def print(self):
        print(self)
