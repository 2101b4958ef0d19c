"""torch.mps: Apple's GPUs, which hearth does not use: questions are answered, work is refused."""
from ._names import missing


def _refuse(*arguments, **settings):
    raise RuntimeError("torch.mps: hearth has no MPS device")


synchronize = empty_cache = get_rng_state = set_rng_state = set_per_process_memory_fraction = _refuse
current_allocated_memory = driver_allocated_memory = recommended_max_memory = compile_shader = _refuse


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Takes a seed for a device that is not there."""
    int(seed)


def seed() -> None:
    """Seeds no device."""


def __getattr__(name):
    raise missing("torch.mps", name, globals())
