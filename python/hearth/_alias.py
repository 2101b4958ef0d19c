"""Makes `torch` and all its submodules name hearth's own module objects, in this process and in the ones it starts.

Nothing of hearth is imported before the program asks for torch, so that child processes which never do stay light.

    >>> from hearth import _alias
    >>> _alias.install()
    >>> import torch.nn.functional as F, hearth
    >>> F is hearth.nn.functional
    True
"""
import importlib
import importlib.machinery
import os
import sys

ENVIRONMENT = "HEARTH_AS_TORCH"  # "1" in the environment of child processes that shall see the alias
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_STARTUP = os.path.join(_ROOT, "hearth", "_startup")  # holds the sitecustomize module of child processes


class _Loader:
    """Hands out a module that is already loaded under its own name."""

    def __init__(self, module):
        self._module = module
        self._spec = getattr(module, "__spec__", None)

    def create_module(self, spec):
        return self._module

    def exec_module(self, module):
        module.__spec__ = self._spec  # the import system has put torch's spec there


class TorchFinder:
    """A meta-path finder: `torch` is hearth, `torch.x.y` is hearth.x.y; what hearth lacks fails by name."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        if fullname != "torch" and not fullname.startswith("torch."):
            return None
        module = _load(fullname)
        return importlib.machinery.ModuleSpec(fullname, _Loader(module), is_package=hasattr(module, "__path__"))

    @staticmethod
    def find_distributions(context=None):
        """Lets `importlib.metadata.version("torch")` answer what `torch.__version__` answers."""
        name = getattr(context, "name", None)
        return [_distribution()] if name == "torch" else []


def _distribution():
    from importlib import metadata

    class TorchDistribution(metadata.Distribution):
        """Name and version only; there are no files."""

        def read_text(self, filename):
            version = _load("torch").__version__
            return f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n" if filename == "METADATA" else None

        def locate_file(self, path):
            return os.path.join(_ROOT, path)

    return TorchDistribution()


def _load(fullname):
    """hearth's module for a name of torch; ModuleNotFoundError that says what is there when hearth has none."""
    own = "hearth" + fullname[len("torch"):]
    try:
        module = importlib.import_module(own)
        if fullname == "torch":
            for kind in (module.Tensor, module.dtype, module.device):  # they print, and are pickled, as torch's
                kind.__module__ = "torch"
        return module
    except ModuleNotFoundError as error:
        if error.name == "hearth":
            sys.path.append(_ROOT)
            return importlib.import_module(own)
        if error.name is None or not (own + ".").startswith(error.name + "."):
            raise
        missing = error.name
    parent_name, _, tail = missing.rpartition(".")
    parent = importlib.import_module(parent_name)
    made = vars(parent).get(tail)
    if missing == own and type(made) is type(sys):
        return made
    import pkgutil

    there = sorted(m.name for m in pkgutil.iter_modules(getattr(parent, "__path__", [])) if not m.name.startswith("_"))
    named = "torch" + missing[len("hearth"):]
    inside = "torch" + parent_name[len("hearth"):]
    version = getattr(sys.modules["hearth"], "__version__", "")
    listing = f"{inside} has: {', '.join(there)}" if there else f"{inside} has no submodules"
    raise ModuleNotFoundError(f"{named} is not in hearth {version}; {listing}", name=fullname)


def install():
    """Puts the alias in front of all other ways to import torch; does nothing the second time."""
    if not any(finder is TorchFinder for finder in sys.meta_path):
        sys.meta_path.insert(0, TorchFinder)
    for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
        if "hearth" + name[5:] not in sys.modules or sys.modules[name] is not sys.modules["hearth" + name[5:]]:
            del sys.modules[name]


def extend_to_children():
    """Lets Python processes that this one starts see the alias too (forked ones do anyway), through the environment."""
    os.environ[ENVIRONMENT] = "1"
    paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != _STARTUP]
    os.environ["PYTHONPATH"] = os.pathsep.join([_STARTUP, *paths])
