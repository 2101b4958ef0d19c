"""Profiled calls as a list, as averages by name, as a table, and as a Chrome trace."""
import json


class Average:
    """The calls of one name: how many, and their times in microseconds, in all and without calls inside."""

    def __init__(self, key, shapes=None):
        self.key = self.name = key
        self.input_shapes = shapes
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0

    @property
    def cpu_time(self) -> float:
        """Microseconds a call, with the calls inside."""
        return self.cpu_time_total / self.count if self.count else 0.0

    device_time = device_time_total = self_device_time_total = cuda_time = cuda_time_total = self_cuda_time_total = 0.0
    cpu_memory_usage = self_cpu_memory_usage = 0

    def __repr__(self):
        return (f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total:.3f}us "
                f"cpu_time={self.cpu_time:.3f}us count={self.count}>")


def _time(microseconds):
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.3f}{unit}"
    return f"{microseconds:.3f}us"


class EventList(list):
    """Calls one by one, or Average objects by name."""

    def __init__(self, events, averaged, by_shape=False):
        self._raw = events
        if not averaged:
            super().__init__(self._one(event) for event in sorted(events, key=lambda e: e.begin))
            return
        found = {}
        for event in events:
            shapes = event.shapes if by_shape else None
            average = found.setdefault((event.name, str(shapes)), Average(event.name, shapes))
            self._add(average, event)
        super().__init__(found.values())

    def _one(self, event):
        made = Average(event.name, event.shapes)
        self._add(made, event)
        return made

    @staticmethod
    def _add(average, event):
        average.count += 1
        average.cpu_time_total += (event.end - event.begin) / 1e3
        average.self_cpu_time_total += (event.end - event.begin - event.inside) / 1e3

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds in all calls, each counted once."""
        return sum(entry.self_cpu_time_total for entry in self)

    def total_average(self) -> Average:
        """All calls together."""
        total = Average("Total")
        for entry in self:
            total.count += entry.count
            total.cpu_time_total += entry.cpu_time_total
            total.self_cpu_time_total += entry.self_cpu_time_total
        return total

    def key_averages(self, group_by_input_shapes=False, group_by_stack_n=0):
        """The calls of one name together."""
        return EventList(self._raw, averaged=True, by_shape=group_by_input_shapes)

    def table(self, sort_by=None, row_limit=100, max_src_column_width=75, max_name_column_width=55,
              max_shapes_column_width=80, header=None, top_level_events_only=False) -> str:
        """The calls as text. `sort_by`: `cpu_time_total`, `self_cpu_time_total`, `cpu_time` or `count`."""
        rows = list(self)
        if sort_by is not None:
            if not hasattr(Average("x"), sort_by):
                raise AttributeError(f"table: there is no column {sort_by!r}")
            rows.sort(key=lambda entry: getattr(entry, sort_by), reverse=True)
        total = self.self_cpu_time_total or 1.0
        titles = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg", "# of Calls"]
        shaped = any(entry.input_shapes for entry in rows)
        lines = [titles + ["Input Shapes"] * shaped]
        for entry in rows[: row_limit if row_limit > 0 else None]:
            name = entry.key if len(entry.key) <= max_name_column_width else entry.key[: max_name_column_width - 3] + "..."
            line = [name, f"{100 * entry.self_cpu_time_total / total:.2f}%", _time(entry.self_cpu_time_total),
                    f"{100 * entry.cpu_time_total / total:.2f}%", _time(entry.cpu_time_total), _time(entry.cpu_time),
                    str(entry.count)]
            lines.append(line + [str(entry.input_shapes)[:max_shapes_column_width]] * shaped)
        widths = [max(len(line[place]) for line in lines) + 2 for place in range(len(lines[0]))]
        rule = "  ".join("-" * width for width in widths)
        texts = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines]
        head = [header] if header else []
        return "\n".join([*head, rule, texts[0], rule, *texts[1:], rule,
                          f"Self CPU time total: {_time(self.self_cpu_time_total)}", ""])

    def __str__(self):
        return self.table()

    def export_chrome_trace(self, path) -> None:
        """Writes the calls for chrome://tracing."""
        import os

        events = [
            {"ph": "X", "cat": "cpu_op", "name": event.name, "pid": os.getpid(), "tid": 1, "ts": event.begin / 1e3,
             "dur": (event.end - event.begin) / 1e3, "args": {"Input Dims": event.shapes} if event.shapes else {}}
            for event in sorted(self._raw, key=lambda e: e.begin)
        ]
        if str(path).endswith(".gz"):
            import gzip

            with gzip.open(path, "wt") as file:
                json.dump({"schemaVersion": 1, "traceEvents": events}, file)
        else:
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"schemaVersion": 1, "traceEvents": events}, file)
