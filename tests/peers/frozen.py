# What every fixture maker shares: versions, seeded numbers, and comparing a fresh folder with the frozen one.
"""Fixtures are made by `make_*.py FOLDER` and compared by `test_frozen.py`; see tests/data/README.md for the files."""

import json
import platform
import zlib
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file

DATA = Path(__file__).resolve().parent.parent / "data"


def versions(*packages: str) -> dict:
    """Versions of Python, NumPy, torch and the further named packages, for the record in each JSON file."""
    found = {"python": platform.python_version(), "numpy": numpy.__version__, "torch": torch.__version__}
    for name in packages:
        found[name] = __import__(name).__version__
    return found


def seeded(name: str) -> torch.Generator:
    """A generator whose stream depends on `name` only, so that adding a case leaves all others as they were."""
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def normal(generator: torch.Generator, *shape: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    """float32 normal numbers of the given shape with standard deviation `scale` around `shift`."""
    return torch.randn(shape, generator=generator, dtype=torch.float32) * scale + shift


def write_json(path: Path, content: dict, row_keys: tuple[str, ...] = ()) -> None:
    """Writes `content`; the lists named in `row_keys` get one line per element, which keeps diffs readable."""
    lines = []
    for key, value in content.items():
        if key in row_keys:
            rows = ",\n    ".join(json.dumps(row) for row in value)
            lines.append(f"  {json.dumps(key)}: [\n    {rows}\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def difference(fresh: torch.Tensor, frozen: torch.Tensor) -> float:
    """max |fresh - frozen| / max |frozen| over finite values; infinite where shape, dtype or NaN/inf places differ."""
    if fresh.dtype != frozen.dtype or fresh.shape != frozen.shape:
        return float("inf")
    if fresh.numel() == 0:
        return 0.0
    a, b = fresh.double(), frozen.double()
    finite = torch.isfinite(b)
    if not torch.equal(torch.isfinite(a), finite):
        return float("inf")
    if not torch.equal(a[~finite].nan_to_num(1.5), b[~finite].nan_to_num(1.5)):
        return float("inf")
    if not finite.any():
        return 0.0
    scale = max(b[finite].abs().max().item(), 1e-30)
    return (a[finite] - b[finite]).abs().max().item() / scale


def compare_files(fresh: Path, frozen: Path, tolerance: float, loose: dict[str, float] = {}) -> list[str]:
    """One line per tensor of two safetensors files that is absent on one side or differs by more than `tolerance`.

    `loose` gives tensors whose names begin with its keys a tolerance of their own.
    """
    new, old = load_file(fresh), load_file(frozen)
    faults = [f"{frozen.name}: only in one file: {key}" for key in sorted(set(new) ^ set(old))]
    for key in sorted(set(new) & set(old)):
        seen = difference(new[key], old[key])
        allowed = next((value for prefix, value in loose.items() if key.startswith(prefix)), tolerance)
        if not seen <= allowed:
            faults.append(f"{frozen.name}: {key}: relative difference {seen:.3g}")
    return faults
