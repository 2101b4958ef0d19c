"""The profiler: operations and named ranges, schedules, the table and the trace."""
import json

import pytest

import hearth as torch
from hearth.profiler import ProfilerAction, ProfilerActivity, profile, record_function, schedule


def test_operations_and_ranges(tmp_path):
    x = torch.ones(4, 4)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
        with record_function("part"):
            torch.add(x, x)
            x.sum()
    names = {entry.key: entry for entry in prof.key_averages()}
    assert {"part", "aten::add", "aten::sum"} <= set(names)
    assert names["part"].cpu_time_total >= names["aten::add"].cpu_time_total > 0
    assert names["part"].self_cpu_time_total < names["part"].cpu_time_total
    text = prof.key_averages(group_by_input_shape=True).table(sort_by="cpu_time_total", row_limit=10)
    assert "aten::add" in text and "[[4, 4], [4, 4]]" in text and "Self CPU time total" in text
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    trace = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert {event["name"] for event in trace} == set(names) and all(event["dur"] > 0 for event in trace)


def test_nothing_is_recorded_outside():
    with profile() as prof:
        pass
    torch.ones(2) + torch.ones(2)
    assert not prof.key_averages()


def test_schedule():
    plan = schedule(wait=1, warmup=1, active=2, repeat=1, skip_first=1)
    none, warm, record, save = (ProfilerAction.NONE, ProfilerAction.WARMUP, ProfilerAction.RECORD,
                                ProfilerAction.RECORD_AND_SAVE)
    assert [plan(step) for step in range(7)] == [none, none, warm, record, save, none, none]
    seen = []
    with profile(schedule=schedule(wait=1, warmup=0, active=2, repeat=2), on_trace_ready=seen.append) as prof:
        for _ in range(7):
            torch.ones(2).sum()
            prof.step()
    assert len(seen) == 2
    assert {entry.key for entry in prof.key_averages()} >= {"ProfilerStep#4", "ProfilerStep#5", "aten::sum"}


def test_as_a_decorator():
    @record_function("named")
    def work():
        return torch.ones(1).sum()

    with profile() as prof:
        work()
    assert "named" in {entry.key for entry in prof.events()}


def test_wrong_column():
    with profile() as prof:
        torch.ones(1).sum()
    with pytest.raises(AttributeError):
        prof.key_averages().table(sort_by="nonsense")
