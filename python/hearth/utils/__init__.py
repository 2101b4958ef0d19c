"""torch.utils: data loading, checkpointing, benchmarks and small tools; loaded when first used."""
import importlib

_SUBMODULES = ("_pytree", "benchmark", "checkpoint", "collect_env", "data", "dlpack", "hooks", "tensorboard")


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"hearth.utils.{name}")
    raise AttributeError(f"torch.utils.{name} is not in hearth; torch.utils has: {', '.join(_SUBMODULES)}")


def __dir__():
    return sorted([*globals(), *_SUBMODULES])
