"""python -m hearth: torch is hearth for a program and its child processes; arguments, paths and tracebacks as Python's."""
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(arguments, folder, source=None, **more):
    """A finished `python -m hearth ARGUMENTS` in `folder`, after writing `source` to prog.py there."""
    if source is not None:
        (folder / "prog.py").write_text(source)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEARTH_")}
    environment["PYTHONPATH"] = str(ROOT / "python")
    return subprocess.run([sys.executable, "-m", "hearth", *arguments], cwd=folder, env=environment, text=True,
                          capture_output=True, timeout=120, **more)


def out(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_modules_are_hearths_own_objects(tmp_path):
    done = run(["prog.py"], tmp_path, """
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader
from torch import optim
import hearth, hearth.nn.functional, sys
print(torch is hearth, nn is hearth.nn, F is hearth.nn.functional, DataLoader is hearth.utils.data.DataLoader)
print(optim is hearth.optim, sys.modules['torch'].__spec__.name)
import importlib.metadata
print(importlib.metadata.version('torch') == torch.__version__)
""")
    assert out(done) == ["True True True True", "True hearth", "True"]


def test_a_program_sees_what_python_shows_it(tmp_path):
    source = "import sys; print(sys.argv, __name__, __file__, __spec__, sys.path[0], sys.modules['__main__'].__dict__ is globals())"
    (tmp_path / "prog.py").write_text(source)
    plain = subprocess.run([sys.executable, "prog.py", "a", "-b"], cwd=tmp_path, capture_output=True, text=True)
    assert run(["prog.py", "a", "-b"], tmp_path).stdout == plain.stdout
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "part.py").write_text("import sys; print(sys.argv, __name__, __package__, sys.path[0])")
    for arguments in (["-m", "package.part", "x"], ["-c", "import sys; print(sys.argv, sys.path[0])", "y"]):
        plain = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert run(arguments, tmp_path).stdout == plain.stdout
    assert out(run(["-"], tmp_path, input="import torch; print(torch.__name__)")) == ["hearth"]


def test_a_folder_with_a_main_file_runs(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("import sys, torch; print(torch.__name__, sys.argv)")
    assert out(run(["app", "1"], tmp_path)) == ["hearth ['app', '1']"]


def test_pytest_runs_with_the_alias(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it():\n    import torch\n    assert torch.__name__ == 'hearth'\n")
    assert run(["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"], tmp_path).returncode == 0


def test_what_is_not_there_fails_by_name(tmp_path):
    done = run(["-c", "import torch.nonsense.more"], tmp_path)
    assert "ModuleNotFoundError: torch.nonsense is not in hearth" in done.stderr and "optim" in done.stderr
    done = run(["-c", "import torch; torch.no_such_name"], tmp_path)
    assert "torch.no_such_name is not in hearth" in done.stderr


def test_an_import_error_inside_a_module_keeps_its_name(tmp_path):
    (tmp_path / "mine.py").write_text("import not_a_module_at_all")
    assert "No module named 'not_a_module_at_all'" in run(["-c", "import torch, mine"], tmp_path).stderr


def test_tracebacks_hold_the_users_frames_only(tmp_path):
    done = run(["prog.py"], tmp_path, "import torch\ndef f():\n    torch.hub.list('x')\nf()\n")
    lines = done.stderr.strip().split("\n")
    assert done.returncode == 1 and lines[0] == "Traceback (most recent call last):"
    files = [line.split('"')[1] for line in lines if line.startswith("  File")]
    assert files == [str(tmp_path / "prog.py")] * 2
    assert lines[-1].startswith("NotImplementedError: torch.hub.list")


def test_full_tracebacks_on_request(tmp_path, monkeypatch):
    (tmp_path / "prog.py").write_text("import torch\ntorch.hub.list('x')\n")
    done = subprocess.run([sys.executable, "-m", "hearth", "prog.py"], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "python"), "HEARTH_TRACEBACK": "full"})
    assert "hub.py" in done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_child_processes_keep_the_alias(tmp_path, method):
    done = run(["prog.py"], tmp_path, f"""
import multiprocessing, torch
def work(x):
    import torch, torch.nn.functional
    return torch.__name__, float(torch.ones(2)[0]) + x
if __name__ == '__main__':
    with multiprocessing.get_context('{method}').Pool(1) as pool:
        print(pool.apply(work, (1,)))
""")
    assert out(done) == ["('hearth', 2.0)"]


def test_a_started_interpreter_keeps_the_alias(tmp_path):
    done = run(["-c", "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import torch; print(torch.__name__)'])"],
               tmp_path)
    assert out(done) == ["hearth"]


def test_status_and_system_exit(tmp_path):
    assert run(["-c", "raise SystemExit(7)"], tmp_path).returncode == 7
    assert run(["-c", "import sys; sys.exit('words')"], tmp_path).stderr.strip() == "words"
    done = run(["-c", "def f(:"], tmp_path)
    assert done.returncode == 1 and "SyntaxError" in done.stderr


def test_help_and_wrong_use(tmp_path):
    assert "usage: python -m hearth" in run(["--help"], tmp_path).stdout
    assert run(["--version"], tmp_path).stdout.startswith("hearth ")
    for arguments in ([], ["--nonsense"], ["-m"], ["-c"], ["absent.py"]):
        done = run(arguments, tmp_path)
        assert done.returncode == 2 and done.stderr.startswith("hearth: "), arguments
    assert run(["-m", "no_such_module_here"], tmp_path).returncode == 1
