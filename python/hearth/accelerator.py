"""torch.accelerator: hearth computes on the CPU, so there is no accelerator; asking one to work is refused."""
from ._names import missing


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False):
    """None: there is no accelerator."""
    return None


def _refuse(*arguments, **settings):
    raise RuntimeError("Cannot access accelerator device when none is available.")


current_device_index = current_device_idx = set_device_index = set_device_idx = _refuse
current_stream = set_stream = synchronize = memory_stats = get_memory_info = device_index = _refuse


def empty_cache() -> None:
    """No cache is held."""


def memory_allocated(device_index=None) -> int:
    """0: no memory of an accelerator is in use."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def __getattr__(name):
    raise missing("torch.accelerator", name, globals())
