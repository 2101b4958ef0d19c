"""Runs first in Python processes started by a program that runs on hearth: sets up the alias, then the usual one."""
import importlib.machinery
import importlib.util
import os
import sys


def _load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _next_sitecustomize(here):
    """The sitecustomize that would have run, had this folder not been in front."""
    paths = [p for p in sys.path if os.path.abspath(p or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", paths)
    if spec is not None and spec.origin:
        sys.modules["sitecustomize"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


_HERE = os.path.dirname(os.path.abspath(__file__))
if os.environ.get("HEARTH_AS_TORCH") == "1":
    _load("_hearth_alias", os.path.join(os.path.dirname(_HERE), "_alias.py")).install()
_next_sitecustomize(_HERE)
