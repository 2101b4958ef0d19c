"""Every layer: repr, names and first values of its parameters, results and gradients are PyTorch's (frozen)."""
import json
import pathlib
import sys

import pytest

import hearth

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from module_cases import CASES, run  # noqa: E402

FROZEN = pathlib.Path(__file__).resolve().parents[2] / "data/python/modules.json"
ROWS = {row["case"] + "|" + str(row["inputs"]): row for row in json.loads(FROZEN.read_text())["modules"]}


def _near(seen, frozen, what, tolerance=2e-5):
    assert (seen is None) == (frozen is None), what
    if frozen is None:
        return
    assert seen[0] == frozen[0], f"{what}: shape {seen[0]}, not {frozen[0]}"
    for a, b in zip(seen[1:], frozen[1:]):
        # Sums of many numbers: the tolerance grows with how many there are.
        size = max(1, len(frozen[0]) and __import__("math").prod(frozen[0]))
        assert a == pytest.approx(b, rel=1e-4, abs=tolerance * size, nan_ok=True), what


@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_layer_is_pytorchs(case):
    frozen = ROWS[case[0] + "|" + str(case[1])]
    seen = run(hearth, case)
    assert seen["repr"] == frozen["repr"]
    assert seen.get("repr_after") == frozen.get("repr_after")
    assert list(seen["state"]) == list(frozen["state"])
    assert seen["versions"] == frozen["versions"]
    for kind in ("results", "evaluated", "grads"):
        assert len(seen.get(kind, [])) == len(frozen.get(kind, [])), kind
        for i, (a, b) in enumerate(zip(seen.get(kind, []), frozen.get(kind, []))):
            _near(a, b, f"{kind} {i}")
    for key, value in frozen["state"].items():
        _near(seen["state"][key], value, key)
