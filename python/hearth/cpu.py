"""torch.cpu: the questions and switches that other devices have too, for the CPU."""
import contextlib

from ._names import missing


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1."""
    return 1


def current_device() -> str:
    """`cpu`."""
    return "cpu"


def set_device(device) -> None:
    """There is one CPU; nothing to choose."""


def synchronize(device=None) -> None:
    """Work on the CPU is done when its call returns."""


class Stream:
    """The order of work on the CPU, of which there is one."""

    def __init__(self, priority: int = -1):
        self.priority = priority

    def wait_stream(self, stream) -> None:
        """Work before is done already."""


class Event:
    """A moment on the CPU; it has always passed."""

    def query(self) -> bool:
        return True

    def record(self, stream=None) -> None:
        """Marks now."""

    def synchronize(self) -> None:
        """It has passed."""

    def wait(self, stream=None) -> None:
        """It has passed."""


_stream = Stream()


def current_stream(device=None) -> Stream:
    """The one stream."""
    return _stream


@contextlib.contextmanager
def stream(stream):
    """A block on a stream."""
    yield stream


def __getattr__(name):
    if name == "amp":
        import hearth

        return hearth.amp
    raise missing("torch.cpu", name, globals())
