"""Tests of the Python package run against python/hearth in place; the extension has to be built there."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
SHARED = ROOT.parent / "shared"

if not list((ROOT / "python/hearth").glob("_C*.so")):
    pytest.skip("the extension is not built: cmake --build build --target hearth_python", allow_module_level=True)


@pytest.fixture
def shared():
    """The folder of real data and programs beside the tree; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("shared data is absent")
    return SHARED
