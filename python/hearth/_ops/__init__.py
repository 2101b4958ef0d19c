"""The long tail: ops written in Python over the core's. Every module here registers its functions when it is loaded."""
from importlib import import_module as _import
from pkgutil import iter_modules as _iter

for _found in sorted(_iter(__path__), key=lambda found: found.name):
    _import(f"{__name__}.{_found.name}")
