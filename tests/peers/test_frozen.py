# The frozen fixtures of tests/data are what the installed peers compute today.
"""Makes all fixtures again in a temporary folder and compares the values with tests/data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from frozen import DATA, compare_files

HERE = Path(__file__).resolve().parent
# Values are rounded from float64, so another machine's libm changes float32 results by an ulp at most; models keep
# norms and rotary tables in float32, and Muon iterates in bfloat16.
SCRIPTS = {
    "make_ops.py": ("", 2e-6),
    "make_optim.py": ("", 2e-6),
    "make_nn.py": ("", 2e-6),
    "make_token_losses.py": ("", 2e-6),
    "make_models.py": ("models", 5e-6),
}
LOOSE = {"muon.torch": 1e-2}


@pytest.mark.parametrize("script", SCRIPTS)
def test_frozen_values_are_reproduced(script, tmp_path):
    folder, tolerance = SCRIPTS[script]
    subprocess.run([sys.executable, HERE / script, tmp_path], check=True, capture_output=True, timeout=300)
    frozen = DATA / folder
    stems = {
        "make_ops.py": ["ops"],
        "make_optim.py": ["optim"],
        "make_nn.py": ["nn"],
        "make_token_losses.py": ["token_losses"],
    }.get(script)
    names = (
        [Path(stem + ".safetensors") for stem in stems]
        if stems
        else sorted(p.relative_to(frozen) for p in frozen.rglob("*.safetensors"))
    )
    assert names
    faults = [fault for name in names for fault in compare_files(tmp_path / name, frozen / name, tolerance, LOOSE)]
    assert not faults, "\n".join(faults[:20])


def test_case_list_names_every_tensor():
    from safetensors import safe_open

    rows = json.loads((DATA / "ops.json").read_text())["cases"]
    with safe_open(DATA / "ops.safetensors", "pt") as file:
        keys = {k for k in file.keys() if not k.startswith(("promotion.", "to."))}
    listed = set()
    for row in rows:
        listed |= {f"{row['id']}/in{i}" for i in range(row["inputs"])} | {
            f"{row['id']}/out{i}" for i in range(row["outputs"])
        }
        listed |= {f"{row['id']}/gout{i}" for i in row["gout"]} | {f"{row['id']}/gin{i}" for i in row["gin"]}
    assert keys == listed


def test_stories_are_reproduced(tmp_path):
    subprocess.run([sys.executable, HERE / "make_stories.py", tmp_path], check=True, timeout=300)
    fresh = tmp_path / "stories260K.json"
    if not fresh.exists():
        pytest.skip("shared data is absent")
    new, old = json.loads(fresh.read_text()), json.loads((DATA / "stories260K.json").read_text())
    assert new.pop("mean_loss") == pytest.approx(old.pop("mean_loss"), rel=1e-6)
    assert new.pop("story_losses") == pytest.approx(old.pop("story_losses"), rel=1e-6)
    for content in (new, old):
        content.pop("versions")
    assert new == old
