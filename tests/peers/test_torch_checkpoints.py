"""Checkpoints between the installed PyTorch and hearth, both ways: the same values, sharing and classes."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
ROOT = pathlib.Path(__file__).resolve().parents[2]
# What both sides build, under the name `torch` of each.
BUILD = """
def build(torch):
    import collections
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.GRU(4, 2))
    net[0](torch.ones(2, 3)).sum().backward()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    optimizer.step()
    x = torch.arange(12.0).reshape(3, 4)
    dtypes = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128".split()
    return {
        "net": net.state_dict(), "optimizer": optimizer.state_dict(), "x": x, "t": x.t(), "row": x[1],
        "kinds": [torch.tensor([0, 1, 3]).to(getattr(torch, name)) for name in dtypes],
        "p": torch.nn.Parameter(torch.ones(2)), "empty": torch.empty(0, 2), "one": torch.tensor(2.5),
        "size": torch.Size([1, 2]), "dtype": torch.int8, "device": torch.device("cpu"), "big": 2**70, "text": "\\u00e9",
        "ordered": collections.OrderedDict(a=1), "meta": torch.empty(2, 3, device="meta"), "bytes": b"a\\xff",
    }

def show(torch, value):
    if isinstance(value, torch.Tensor):
        about = [str(value.dtype), list(value.shape), list(value.stride()), value.storage_offset(), value.requires_grad,
                 isinstance(value, torch.nn.Parameter), value.device.type]
        if value.device.type == "meta":
            return about
        wide = torch.complex128 if value.dtype.is_complex else torch.float64
        return about + [str(v) for v in value.detach().to(wide).reshape(-1).tolist()]
    if isinstance(value, dict):
        return {str(key): show(torch, inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [show(torch, inside) for inside in value]
    return repr(value)
"""
SIDE = BUILD + """
import json, sys
MODULE
action, path = sys.argv[1:]
zipped = not path.endswith(".old")
if action == "save":
    torch.save(build(torch), path, _use_new_zipfile_serialization=zipped)
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()), path + ".net", _use_new_zipfile_serialization=zipped)
else:
    loaded = torch.load(path)
    net = torch.load(path + ".net", weights_only=False)
    loaded["x"][1, 2] = 77.0
    print(json.dumps([show(torch, loaded), str(net), show(torch, net.state_dict())]))
"""


def side(name, action, path):
    source = SIDE.replace("MODULE", "import torch" if name == "torch" else "import hearth as torch")
    environment = {**os.environ, "PYTHONPATH": "" if name == "torch" else str(ROOT / "python")}
    done = subprocess.run([sys.executable, "-c", source, action, str(path)], env=environment, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if action == "load" else None


@pytest.mark.parametrize("file", ["state.pt", "state.old"])
@pytest.mark.parametrize("writer", ["torch", "hearth"])
def test_both_read_the_same(tmp_path, writer, file):
    side(writer, "save", tmp_path / file)
    theirs, ours = (side(reader, "load", tmp_path / file) for reader in ("torch", "hearth"))
    assert theirs == ours
    assert "77.0" in ours[0]["t"] and "77.0" in ours[0]["row"]
