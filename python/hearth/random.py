"""The default random number generator: seeds, its state, and blocks that put the state back."""
import contextlib

import hearth

from ._names import missing

default_generator = hearth.default_generator


def manual_seed(seed):
    """Seeds the default generator; negative seeds count from 2**64 down. Example: `torch.manual_seed(0)`."""
    seed = int(seed)
    if not -(2**63) <= seed < 2**64:
        raise RuntimeError(f"Overflow when unpacking long long: the seed {seed} has more than 64 bits")
    return default_generator.manual_seed(seed % 2**64)


def seed() -> int:
    """Seeds the default generator with a number that cannot be foreseen, and returns it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator was given."""
    return default_generator.initial_seed()


def get_rng_state():
    """The state of the default generator: 5056 bytes as a uint8 tensor, as PyTorch has it."""
    return default_generator.get_state()


def set_rng_state(new_state) -> None:
    """Puts a state of get_rng_state back."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, _caller="fork_rng", _devices_kw="devices", device_type="cuda"):
    """A block after which the default generator is as it was before."""
    if not enabled:
        yield
        return
    if devices:
        raise RuntimeError(f"fork_rng: hearth has no {device_type} devices, but devices={list(devices)}")
    before = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(before)


def __getattr__(name):
    raise missing("torch.random", name, globals())
