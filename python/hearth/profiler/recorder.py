"""The profiler: operations that Python calls, and named ranges, with their times on the CPU.

Operations are seen where Python calls them, so the steps of a backward pass count to `backward` as one.
"""
import enum
import time

import hearth

from .table import EventList


class ProfilerActivity(enum.Enum):
    """What to watch: only the CPU has work here."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What a schedule says to do in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set:
    """The activities that can be watched: the CPU."""
    return {ProfilerActivity.CPU}


def schedule(*, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0):
    """A function of the step number: wait, warm up, record, as often as `repeat` says (0: for ever)."""

    def action(step: int) -> ProfilerAction:
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        length = wait + warmup + active
        if repeat > 0 and step >= repeat * length:
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == length - 1 else ProfilerAction.RECORD

    return action


def tensorboard_trace_handler(dir_name: str, worker_name=None, use_gzip: bool = False):
    """A function for `on_trace_ready` that writes a Chrome trace into the folder."""
    import os
    import socket

    def handler(prof):
        os.makedirs(dir_name, exist_ok=True)
        name = f"{worker_name or f'{socket.gethostname()}_{os.getpid()}'}.{time.time_ns()}.pt.trace.json"
        prof.export_chrome_trace(os.path.join(dir_name, name + (".gz" if use_gzip else "")))

    return handler


class Event:
    """One call: name, begin and end in nanoseconds, depth, time inside other events, and shapes where asked for."""

    __slots__ = ("name", "begin", "end", "inside", "depth", "shapes", "memory")

    def __init__(self, name, depth, shapes=None):
        self.name, self.depth, self.shapes = name, depth, shapes
        self.inside = self.end = self.memory = 0
        self.begin = time.perf_counter_ns()


class _Recorder:
    """The events of one recording, as a stack that is open at any time."""

    def __init__(self, shapes):
        self.shapes, self.events, self.open = shapes, [], []

    def enter(self, name, arguments=()):
        shapes = None
        if self.shapes:
            shapes = [list(a.shape) if isinstance(a, hearth.Tensor) else [] for a in arguments]
        self.open.append(Event(name, len(self.open), shapes))

    def leave(self):
        event = self.open.pop()
        event.end = time.perf_counter_ns()
        if self.open:
            self.open[-1].inside += event.end - event.begin
        self.events.append(event)


_recorder = None


def _mode():
    """The override mode that times every operation."""
    from ..overrides import TorchFunctionMode

    class Timing(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            recorder = _recorder
            if recorder is None:
                return func(*args, **(kwargs or {}))
            recorder.enter("aten::" + getattr(func, "__name__", str(func)), args)
            try:
                return func(*args, **(kwargs or {}))
            finally:
                recorder.leave()

    return Timing()


class record_function:
    """A named range, as a block or a decorator. Example: `with record_function("forward"): model(x)`."""

    def __init__(self, name: str, args=None):
        self.name, self._recorder = name, None

    def __enter__(self):
        self._recorder = _recorder
        if self._recorder is not None:
            self._recorder.enter(self.name)
        return self

    def __exit__(self, *exception):
        if self._recorder is not None and self._recorder.open:
            self._recorder.leave()

    def __call__(self, function):
        import functools

        @functools.wraps(function)
        def ranged(*args, **kwargs):
            with record_function(self.name):
                return function(*args, **kwargs)

        return ranged


class profile:
    """Records the operations of a block, or of the steps that a schedule chooses; call `step()` after each.

    Example: `with profile() as p: model(x)`, then `print(p.key_averages().table(sort_by="cpu_time_total"))`.
    """

    def __init__(self, *, activities=None, schedule=None, on_trace_ready=None, record_shapes=False, profile_memory=False,
                 with_stack=False, with_flops=False, with_modules=False, experimental_config=None,
                 execution_trace_observer=None, acc_events=False, use_cuda=None, custom_trace_id_callback=None):
        for name, value in (("profile_memory", profile_memory), ("with_stack", with_stack), ("with_flops", with_flops),
                            ("with_modules", with_modules)):
            if value:
                from .._once import say_once

                say_once(f"profiler.{name}", f"torch.profiler: {name} is not recorded by hearth")
        self._schedule, self._ready, self._shapes = schedule, on_trace_ready, record_shapes
        self._keep = acc_events
        self.step_num, self._events, self._own, self._range = 0, [], None, None
        self._action = schedule(0) if schedule else ProfilerAction.RECORD_AND_SAVE

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()

    def start(self) -> None:
        """Begins to record, if the schedule says so."""
        if self._action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            self._begin()

    def stop(self) -> None:
        """Ends the recording, and calls on_trace_ready with what there is."""
        if self._own is not None:
            self._end()
            if self._ready:
                self._ready(self)

    def step(self) -> None:
        """The next step of the schedule."""
        before = self._action
        self.step_num += 1
        self._action = self._schedule(self.step_num) if self._schedule else ProfilerAction.RECORD
        recording = self._action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        if self._own is not None and self._schedule and (before is ProfilerAction.RECORD_AND_SAVE or not recording):
            self.stop()
        if recording and self._own is None:
            self._begin()
        elif self._own is not None:
            self._next_range()

    def _begin(self):
        global _recorder
        if _recorder is not None:
            raise RuntimeError("profile: another profiler is recording already")
        if not self._keep:
            self._events = []
        self._own = _recorder = _Recorder(self._shapes)
        self._mode = _mode()
        self._mode.__enter__()
        if self._schedule:
            self._next_range()

    def _next_range(self):
        if self._range is not None:
            self._range.__exit__(None, None, None)
        self._range = record_function(f"ProfilerStep#{self.step_num}").__enter__() if self._schedule else None

    def _end(self):
        global _recorder
        if self._range is not None:
            self._range.__exit__(None, None, None)
            self._range = None
        self._mode.__exit__(None, None, None)
        _recorder, own, self._own = None, self._own, None
        while own.open:
            own.leave()
        self._events += own.events

    def events(self) -> EventList:
        """All calls, one by one."""
        return EventList(self._events, averaged=False)

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventList:
        """The calls of one name together."""
        return EventList(self._events, averaged=True, by_shape=group_by_input_shape)

    def export_chrome_trace(self, path: str) -> None:
        """Writes the calls as a trace for chrome://tracing or Perfetto; a path that ends in .gz is compressed."""
        self.events().export_chrome_trace(path)

    def toggle_collection_dynamic(self, enable: bool, activities) -> None:
        """Pauses or goes on."""
        global _recorder
        _recorder = self._own if enable else None
