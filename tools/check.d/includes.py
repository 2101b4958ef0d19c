"""Includes point down only: every folder may see itself, the folders listed for it, and outside libraries."""
import re

# The longest matching prefix decides.
MAY_SEE = {
    "hearth/core/": [],
    "hearth/backend/": ["hearth/core/"],
    "hearth/backend/install.cpp": ["hearth/core/", "hearth/backend/"],
    "hearth/backend/cpu/": ["hearth/core/", "hearth/backend/"],
    "hearth/backend/cpu/simd/": ["hearth/backend/kernels/elementwise_op.h"],  # names only, no code
    "hearth/backend/cuda/": ["hearth/core/", "hearth/backend/"],
    "hearth/ops/": ["hearth/core/", "hearth/backend/kernels/"],
    "hearth/autograd/": ["hearth/core/", "hearth/ops/"],
    "hearth/nn/": ["hearth/core/", "hearth/ops/", "hearth/autograd/"],
    "hearth/optim/": ["hearth/core/", "hearth/ops/", "hearth/autograd/"],
    "hearth/data/": ["hearth/core/", "hearth/ops/", "hearth/io/"],
    "hearth/io/": ["hearth/core/"],
    "hearth/hearth.h": ["hearth/"],
    "llm/": ["hearth/"],
    "server/store/": ["hearth/core/", "hearth/io/"],
    "server/http/": ["hearth/core/", "hearth/io/"],
    "server/wire/": ["hearth/core/", "hearth/io/"],
    "server/engine/": ["hearth/", "llm/", "server/store/", "server/wire/", "server/http/loop.h"],
    "server/api/": ["hearth/core/", "hearth/io/", "server/http/", "server/wire/", "server/store/", "server/engine/"],
    "cmake/": [],
    "cli/": ["hearth/", "llm/", "server/"],
    "python/": ["hearth/", "llm/"],
    "examples/": ["hearth/", "llm/"],
    "bench/": ["hearth/", "llm/", "server/"],
    "tests/": ["hearth/", "llm/", "server/", "cli/"],
}
# What is inside a folder that the folder around it must not see.
CLOSED = {
    "hearth/backend/": ["hearth/backend/cpu/", "hearth/backend/cuda/"],
    "hearth/backend/cpu/": ["hearth/backend/cuda/"],
    "hearth/backend/cuda/": ["hearth/backend/cpu/"],
}
# Compiled once per instruction set: an inline function from any other header could be picked by the linker for all.
RAW_HEADERS = {"stdint.h", "stddef.h", "math.h", "string.h", "float.h", "immintrin.h", "arm_neon.h", "sleef.h"}
# Libraries that stay behind one folder.
ONLY_IN = {
    "oneapi/dnnl/": ["hearth/backend/cpu/onednn/", "tests/", "bench/"],
    "dnnl": ["hearth/backend/cpu/onednn/", "tests/", "bench/"],
    "omp.h": ["hearth/backend/cpu/parallel", "tests/", "bench/"],
    "pcre2.h": ["llm/tokenizer/"],
    "utf8proc.h": ["llm/tokenizer/"],
    "CLI/": ["cli/"],
    "boost/asio": ["server/http/", "tests/", "bench/"],
    "boost/beast": ["server/http/", "tests/", "bench/"],
    "sqlite3.h": ["server/store/", "tests/"],
    "archive": ["server/store/", "tests/"],
    "google/protobuf": ["server/wire/", "tests/"],
}
HEAVY = {"regex": (".h", ".cpp"), "iostream": (".h",)}


def longest(path, prefixes):
    return max((p for p in prefixes if path.startswith(p)), key=len, default=None)


def problems(tree):
    known = set(tree.files)
    for path in tree.cpp() + tree.with_suffix(".inc", ".cu"):
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if match:
                text = wrong(path, match[1], match[2], known)
                if text:
                    yield tree.Problem(path, number, text)


def wrong(path, quote, name, known):
    """What is wrong with this include, or None."""
    own = longest(path, MAY_SEE)
    if own is None:
        return f"{path} lies in no folder that the table of tools/check.d/includes.py knows"
    if quote == "<":
        if own == "hearth/backend/cpu/simd/" and name not in RAW_HEADERS:
            return f"<{name}> in a file compiled per instruction set (allowed: {', '.join(sorted(RAW_HEADERS))})"
        holders = ONLY_IN.get(longest(name, ONLY_IN))
        if holders and not path.startswith(tuple(holders)):
            return f"<{name}> belongs in {holders[0]} only"
        if path.endswith(HEAVY.get(name, ())):
            return f"<{name}> is too heavy to include here"
        return None
    beside = path.rsplit("/", 1)[0] + "/" + name
    if own == "tests/" and ("tests/" + name in known or beside in known):
        return None
    if name not in known:
        return f'"{name}" is not a file of this tree, named from its root'
    inside = own.endswith("/") and name.startswith(own) and not name.startswith(tuple(CLOSED.get(own, ())))
    if inside or any(name.startswith(p) and not name.startswith(tuple(CLOSED.get(own, ()))) for p in MAY_SEE[own]):
        return None
    return f'{own} must not see "{name}" (it may see: {", ".join(MAY_SEE[own]) or "nothing else of this tree"})'
