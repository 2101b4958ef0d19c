"""torch.utils.benchmark: how long a statement takes, on one thread, repeated until the figure is steady."""
import statistics
import timeit

import hearth


class Measurement:
    """The times of one statement: `times` in seconds a run."""

    def __init__(self, number_per_run, raw_times, label=None, sub_label=None, description=None, stmt="", num_threads=1):
        self.number_per_run, self.raw_times = number_per_run, list(raw_times)
        self.label, self.sub_label, self.description = label, sub_label, description
        self.stmt, self.num_threads = stmt, num_threads

    @property
    def times(self) -> list:
        return [time / self.number_per_run for time in self.raw_times]

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        return statistics.mean(self.times)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles."""
        if len(self.times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4)
        return high - low

    @property
    def title(self) -> str:
        return ": ".join(filter(None, (self.label or self.stmt, self.sub_label, self.description)))

    def __repr__(self):
        return (f"<hearth.utils.benchmark.Measurement object at {hex(id(self))}>\n{self.title}\n"
                f"  Median: {_time(self.median)}\n  IQR:    {_time(self.iqr)}\n"
                f"  {len(self.raw_times)} measurements, {self.number_per_run} runs per measurement, "
                f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}")


def _time(seconds):
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds / 1e-9:.2f} ns"


class Timer:
    """Times a statement. Example: `Timer("x + x", globals={"x": x}).blocked_autorange().median`."""

    def __init__(self, stmt="pass", setup="pass", global_setup="", timer=timeit.default_timer, globals=None, label=None,
                 sub_label=None, description=None, env=None, num_threads=1, language="python"):
        if str(language).lower() not in ("python", "py"):
            raise NotImplementedError(f"Timer: statements in {language} are not timed by hearth")
        self._names = {"torch": hearth, **(globals or {})}
        self._about = dict(label=label, sub_label=sub_label, description=description, stmt=stmt, num_threads=num_threads)
        self._timer = timeit.Timer(stmt, setup, timer, self._names)
        self._threads = num_threads

    def _run(self, number):
        before = hearth.get_num_threads()
        hearth.set_num_threads(self._threads)
        try:
            return self._timer.timeit(number)
        finally:
            hearth.set_num_threads(before)

    def timeit(self, number: int = 1000000) -> Measurement:
        """`number` runs at once, after a few to warm up."""
        self._run(max(number // 100, 2))
        return Measurement(number, [self._run(number)], **self._about)

    def repeat(self, repeat: int = -1, number: int = -1):
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    autorange = repeat

    def _block(self, min_run_time):
        """How many runs a block needs so that looking at the clock costs nothing."""
        number = 1
        while True:
            taken = self._run(number)
            if taken >= min_run_time / 1000 and taken >= 1e-4:
                return number
            number *= 10

    def blocked_autorange(self, callback=None, min_run_time: float = 0.2) -> Measurement:
        """Blocks of runs until they have taken `min_run_time` seconds together."""
        number, times = self._block(min_run_time), []
        while not times or sum(times) < min_run_time:
            times.append(self._run(number))
            if callback:
                callback(number, times[-1])
        return Measurement(number, times, **self._about)

    def adaptive_autorange(self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
                           callback=None) -> Measurement:
        """Blocks of runs until the quartiles lie within `threshold` of the median, or the time is up."""
        number, times = self._block(min_run_time), []
        while True:
            times.append(self._run(number))
            if callback:
                callback(number, times[-1])
            result = Measurement(number, times, **self._about)
            steady = len(times) > 3 and result.iqr / result.median < threshold
            if sum(times) >= max_run_time or (steady and sum(times) >= min_run_time):
                return result


class Compare:
    """Measurements in a table: a line for each label, a column for each description."""

    def __init__(self, results):
        self._results = list(results)

    def extend_results(self, results) -> None:
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """The table shows two decimals as it is."""

    def colorize(self, rowwise: bool = False) -> None:
        """The table has no colours."""

    def __str__(self):
        columns = list(dict.fromkeys(result.description or "" for result in self._results))
        rows = {}
        for result in self._results:
            name = " ".join(filter(None, (result.label, result.sub_label or result.stmt)))
            rows.setdefault((name, result.num_threads), {})[result.description or ""] = _time(result.median)
        lines = [["", *columns]]
        lines += [[f"{name} ({threads} threads)", *(row.get(column, "") for column in columns)]
                  for (name, threads), row in rows.items()]
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines)

    def print(self) -> None:
        """Prints the table."""
        print(self)
