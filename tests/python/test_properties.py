"""No input from Python crashes the interpreter: random arguments for every bound function, in processes of their own.

HEARTH_PROPERTY_EXAMPLES sets how many calls each function gets (default 6), HEARTH_PROPERTY_SEED where they begin.
"""
import os
import pathlib
import subprocess
import sys

import pytest

import hearth

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = os.environ.get("HEARTH_PROPERTY_EXAMPLES", "6")
SEED = os.environ.get("HEARTH_PROPERTY_SEED", "1")


def names():
    """Every function of hearth, of Tensor, of linalg, fft, special and nn.functional."""
    found = [n for n in dir(hearth) if callable(getattr(hearth, n, None)) and type(getattr(hearth, n)).__name__ == "Function"]
    found += ["Tensor." + n for n in dir(hearth.Tensor) if type(getattr(hearth.Tensor, n)).__name__ == "Function"]
    for module in ("linalg", "fft", "special", "nn.functional"):
        owner = hearth
        for part in module.split("."):
            owner = getattr(owner, part)
        found += [f"{module}.{n}" for n in dir(owner) if not n.startswith("_") and callable(getattr(owner, n))
                  and not isinstance(getattr(owner, n), type) and getattr(getattr(owner, n), "__module__", "") != "typing"]
    return sorted(set(found))


def run(chunk):
    environment = dict(os.environ, PYTHONPATH=str(HERE.parents[1] / "python"), PYTHONFAULTHANDLER="1")
    return subprocess.run([sys.executable, str(HERE / "throw_at.py"), SEED, EXAMPLES, *chunk], env=environment,
                          capture_output=True, text=True, timeout=600)


ALL = names()
SIZE = 60


@pytest.mark.parametrize("start", range(0, len(ALL), SIZE))
def test_nothing_crashes(start):
    done = run(ALL[start:start + SIZE])
    lines = done.stdout.split()
    assert done.returncode == 0 and lines[-1:] == ["done"], (
        f"crashed (status {done.returncode}) in {lines[-1:]}:\n{done.stderr[-3000:]}")
