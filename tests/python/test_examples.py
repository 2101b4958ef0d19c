"""The programs of examples/python print under hearth what PyTorch 2.15 printed (examples/python/expected)."""
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples/python"
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|(?<!\w)[-+]?(?:nan|inf)(?!\w)")
TOLERANCE = re.compile(r"^# compare:(?: --decimals (\d+))?(?: --rel ([\d.]+))?$", re.M)
PROGRAMS = sorted(path.stem for path in (FOLDER / "expected").glob("*.txt"))


def differences(expected: str, actual: str, decimals: int, relative: float) -> list:
    """Lines whose text between the numbers differs, or whose numbers differ by more than 10**-decimals and relative."""
    wanted, found = expected.splitlines(), actual.splitlines()
    wrong = [] if len(wanted) == len(found) else [f"{len(wanted)} lines expected, {len(found)} found"]
    for number, (a, b) in enumerate(zip(wanted, found), 1):
        same = " ".join(NUMBER.sub("#", a).split()) == " ".join(NUMBER.sub("#", b).split())
        pairs = zip(map(float, NUMBER.findall(a)), map(float, NUMBER.findall(b)))
        absolute = 1.01 * 10.0**-decimals
        if not same or not all(x == y or math.isclose(x, y, rel_tol=relative, abs_tol=absolute) for x, y in pairs):
            wrong.append(f"line {number}\n  expected: {a}\n  actual:   {b}")
    return wrong


def check(name, command, **environment):
    text = (FOLDER / f"{name}.py").read_text()
    decimals, relative = TOLERANCE.search(text).groups()
    # One thread: as fast for these sizes, and much faster where other tests run beside.
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=FOLDER, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    expected = (FOLDER / "expected" / f"{name}.txt").read_text()
    wrong = differences(expected, done.stdout, int(decimals or 4), float(relative or 0))
    assert not wrong, "\n".join(wrong[:5])


def test_there_are_programs():
    written = {path.stem for path in FOLDER.glob("*.py")} - {"digits"}
    assert len(PROGRAMS) >= 10 and written == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    if name == "ddp":
        pytest.importorskip("mpi4py")
    check(name, [sys.executable, "-m", "hearth", f"{name}.py"])


def test_two_processes_print_the_same():
    pytest.importorskip("mpi4py")
    launcher = shutil.which("mpirun")
    if not launcher:
        pytest.skip("mpirun is not installed")
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    check("ddp", [launcher, "--oversubscribe", "-n", "2", sys.executable, "-m", "hearth", "ddp.py"], **allowed)


def test_the_comparison_sees_differences():
    assert not differences("loss 1.2345 in 3 steps", "loss  1.2346 in 3 steps", 4, 0)
    assert differences("loss 1.2345", "loss 1.2348", 4, 0)
    assert not differences("loss 100.0", "loss 100.9", 4, 0.01)
    assert differences("a 1", "b 1", 4, 0) and differences("a\nb", "a", 4, 0) and differences("x nan", "x 1.0", 4, 1)
