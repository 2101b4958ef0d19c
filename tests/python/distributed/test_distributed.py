"""Two processes under mpirun; skipped where there is no MPI."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import hearth.distributed as dist


def test_two_processes():
    if not shutil.which("mpirun") or not dist.is_mpi_available():
        pytest.skip("MPI is absent: mpirun and mpi4py are needed")
    here = pathlib.Path(__file__).resolve()
    environment = dict(os.environ, PYTHONPATH=str(here.parents[3] / "python"), HEARTH_NUM_THREADS="1")
    command = ["mpirun", "--oversubscribe", "-n", "2", sys.executable, str(here.with_name("world.py"))]
    if os.getuid() == 0:
        command.insert(1, "--allow-run-as-root")
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
    assert run.returncode == 0 and "all right" in run.stdout, run.stdout + run.stderr


def test_other_engines_are_refused_by_name():
    with pytest.raises(RuntimeError, match="gloo"):
        dist.init_process_group("gloo")
    with pytest.raises(ValueError, match="not been initialized"):
        dist.get_rank()
