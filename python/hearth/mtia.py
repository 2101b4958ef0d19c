"""torch.mtia: Meta's accelerators, which hearth does not use: questions are answered, work is refused."""
from ._names import missing


def _refuse(*arguments, **settings):
    raise RuntimeError("torch.mtia: hearth has no MTIA device")


synchronize = get_rng_state = set_rng_state = current_device = set_device = get_device_name = _refuse
get_device_properties = get_device_capability = current_stream = Stream = Event = _refuse


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def is_initialized() -> bool:
    """False."""
    return False


def manual_seed(seed: int) -> None:
    """Takes a seed for a device that is not there."""
    int(seed)


def empty_cache() -> None:
    """No cache is held."""


def seed() -> None:
    """Seeds no device."""


manual_seed_all, seed_all = manual_seed, seed


def __getattr__(name):
    raise missing("torch.mtia", name, globals())
