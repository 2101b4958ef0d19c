"""Writes tests/data/io with the safetensors package: what hearth's own reader is compared with.

Usage: python tests/peers/make_io.py tests/data/io   (needs numpy and safetensors 0.8)
"""

import ctypes
import json
import os
import sys

import numpy as np
from safetensors import TensorSpec, serialize_file
from safetensors.numpy import save_file

out = sys.argv[1]
os.makedirs(out + "/sharded", exist_ok=True)
keep = []


def spec(dtype, shape, data):
    buffer = ctypes.create_string_buffer(data, max(len(data), 1))
    keep.append(buffer)
    return TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffer), data_len=len(data))


kinds = {
    "float64": "<f8",
    "float32": "<f4",
    "float16": "<f2",
    "int64": "<i8",
    "int32": "<i4",
    "int16": "<i2",
    "int8": "i1",
    "uint8": "u1",
    "bool": "?",
}
tensors = {}
for name, kind in kinds.items():
    start = 0 if name in ("uint8", "bool") else -2
    tensors[name] = spec(name, [2, 3], np.arange(start, start + 6).astype(kind).tobytes())
upper_half = np.arange(-2, 4).astype("<f4").view("<u4") >> 16
tensors["bfloat16"] = spec("bfloat16", [2, 3], upper_half.astype("<u2").tobytes())
tensors["scalar"] = spec("float32", [], np.float32(1.5).tobytes())
tensors["empty"] = spec("float32", [0, 4], b"")
tensors['n\u00e4me "q"'] = spec("int8", [1], b"\x07")
serialize_file(tensors, out + "/all_dtypes.safetensors", {"format": "pt", "note": "line\nbreak"})

a = np.arange(4, dtype="<f4").reshape(2, 2)
shards = ["model-0000%d-of-00002.safetensors" % i for i in (1, 2)]
save_file({"a": a, "b": a + 1}, out + "/sharded/" + shards[0])
save_file({"c": a + 2}, out + "/sharded/" + shards[1])
with open(out + "/sharded/model.safetensors.index.json", "w") as file:
    weight_map = {"a": shards[0], "b": shards[0], "c": shards[1]}
    json.dump({"metadata": {"total_size": 48}, "weight_map": weight_map}, file, indent=1)
