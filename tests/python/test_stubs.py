"""The type stubs that tools/stubs makes: Python, complete, and with what the signature strings say."""
import ast
import inspect
import pathlib
import subprocess
import sys

import pytest

import hearth

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stubs")
    subprocess.run([sys.executable, ROOT / "tools/stubs", folder], check=True, timeout=120)
    assert (folder / "py.typed").exists()
    return {name: ast.parse((folder / name).read_text()) for name in ("_C.pyi", "__init__.pyi")}


def functions(body):
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def test_every_op_has_a_stub(stubs):
    told = functions(stubs["__init__.pyi"].body)
    for name, value in vars(hearth).items():
        if isinstance(value, hearth.Function) and not name.startswith("_"):
            assert name in told, name


def test_methods_lose_their_first_parameter(stubs):
    tensor = next(node for node in stubs["_C.pyi"].body if isinstance(node, ast.ClassDef) and node.name == "Tensor")
    add = functions(tensor.body)["add"]
    assert [a.arg for a in add.args.args] == ["self", "other"]
    assert [a.arg for a in add.args.kwonlyargs] == ["alpha", "out"]
    assert ast.unparse(add.returns) == "Tensor"


def test_inspect_reads_signatures():
    assert list(inspect.signature(hearth.add).parameters) == ["input", "other", "alpha", "out"]
    assert inspect.signature(hearth.clamp).parameters["min"].default is None
    assert "input" not in inspect.signature(hearth.ones(1).clamp).parameters
    assert inspect.signature(hearth.add).parameters["out"].kind is inspect.Parameter.KEYWORD_ONLY
    for name, value in vars(hearth).items():
        if isinstance(value, hearth.Function):
            inspect.signature(value)
