"""No catch-all file names, no macros but HEARTH_ build flags, no compiler flags that change arithmetic."""
import os
import re

VAGUE = {"utils", "util", "common", "helpers", "helper", "misc", "stuff"}
# Folders and files that carry PyTorch's names (torch.utils, torch.nn.utils, torch.optim.swa_utils).
NAMED_BY_PYTORCH = re.compile(
    r"(?:python/hearth|tests/python)/(?:(?:[a-z]+/)*_?utils/|nn/modules/utils|nn/common_types|optim/(?:test_)?swa_utils)"
)
# Macros that an outside header reads and that cannot be avoided.
CONFIGURES_A_LIBRARY = {"PCRE2_CODE_UNIT_WIDTH"}
LOOSE_MATHS = re.compile(r"-f(?:unsafe-math-optimizations|fast-math|finite-math-only|associative-math)|-Ofast|\boptimize\s*\(")


def problems(tree):
    for path in tree.files:
        own = NAMED_BY_PYTORCH.sub("", path.replace("/data/_utils/", "/data/"))
        for part in re.split(r"[/_.-]", own.lower()):
            if part in VAGUE:
                yield tree.Problem(path, 1, f'"{part}" says nothing; name the file after its idea')
    for path in tree.cpp() + tree.with_suffix(".cu", ".inc"):
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = re.match(r"\s*#\s*define\s+(\w+)", line)
            if match and not match[1].startswith("HEARTH_") and match[1] not in CONFIGURES_A_LIBRARY:
                yield tree.Problem(path, number, f"macro {match[1]}: use a function, a template or a constant")
            if re.match(r"\s*#\s*pragma\s+(GCC|clang)\s+(optimize|target)", line):
                yield tree.Problem(path, number, "compiler flags belong in the build files")
    for path in tree.files:
        if os.path.basename(path) in ("CMakeLists.txt", "CMakePresets.json", "Makefile") or path.endswith(".cmake"):
            for number, line in enumerate(tree.text(path).split("\n"), 1):
                if LOOSE_MATHS.search(line):
                    yield tree.Problem(path, number, "this flag lets the compiler change results")
