"""C++ files are as clang-format writes them."""
import re
import shutil
import subprocess


def problems(tree):
    if not shutil.which("clang-format"):
        yield tree.Problem(".clang-format", 1, "clang-format is not installed, so nothing was checked", "note")
        return
    paths = tree.cpp()
    for start in range(0, len(paths), 100):
        command = ["clang-format", "--dry-run", "-Werror", "--ferror-limit=1", *paths[start : start + 100]]
        result = subprocess.run(command, cwd=tree.root, capture_output=True, text=True)
        for path, line in re.findall(r"^(\S+?):(\d+):\d+: error: ", result.stderr, re.M):
            yield tree.Problem(path, int(line), "not formatted; run: make format")
