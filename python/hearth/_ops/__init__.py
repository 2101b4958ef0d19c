"""The long tail: ops written in Python over the core's. Every module here registers its functions when it is loaded."""
import os as _os
from importlib import import_module as _import

for _name in sorted(_os.listdir(_os.path.dirname(__file__))):
    if _name.endswith(".py") and not _name.startswith("_"):
        _import(f"{__name__}.{_name[:-3]}")
