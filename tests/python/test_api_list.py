"""docs/python-api.md tells what the package has now, and what it tells holds."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date():
    done = subprocess.run(
        [sys.executable, ROOT / "tools/api_list", "--check"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"run tools/api_list; differing lines:\n{done.stdout[-3000:]}{done.stderr[-2000:]}"


def test_the_names_that_most_programs_use_are_there():
    import hearth

    for name in "tensor zeros ones randn arange cat stack matmul where no_grad manual_seed save load float32".split():
        assert hasattr(hearth, name), name
    for name in "view reshape sum mean backward detach item numpy to permute unsqueeze expand".split():
        assert hasattr(hearth.Tensor, name), name
