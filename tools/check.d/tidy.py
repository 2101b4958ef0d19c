"""clang-tidy's short list (.clang-tidy) finds nothing in changed sources; with --all, in any. Answers are cached."""
import hashlib
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

FINDING = re.compile(r"^(\S+?):(\d+):\d+: error: (.*)$", re.M)
SOURCES = ("hearth/", "llm/", "server/", "cli/")


def problems(tree):
    database = tree.root / "build"
    if not shutil.which("clang-tidy"):
        yield tree.Problem(".clang-tidy", 1, "clang-tidy is not installed, so nothing was checked", "note")
        return
    if not (database / "compile_commands.json").exists():
        yield tree.Problem(".clang-tidy", 1, "there is no build/ to take flags from (make build): not checked", "note")
        return
    changed = None if tree.everything else changed_files(tree)
    paths = [p for p in tree.with_suffix(".cpp") if p.startswith(SOURCES) and (changed is None or p in changed)]
    cache = database / "tidy"
    cache.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True).stdout
    headers = "".join(tree.text(p) for p in tree.with_suffix(".h", ".inc", ".clang-tidy")) + version

    def output(path):
        key = hashlib.sha256((path + tree.text(path) + headers).encode()).hexdigest()
        answer = cache / key
        if not answer.exists():
            command = ["clang-tidy", "--quiet", "-p", str(database), path]
            result = subprocess.run(command, cwd=tree.root, capture_output=True, text=True)
            if result.returncode != 0 and not FINDING.search(result.stdout):
                return f"{path}:1:1: error: clang-tidy failed: {(result.stdout + result.stderr)[:300]!r}\n"
            if "Compile command not found" in result.stdout + result.stderr:
                return f"{path}:1:1: error: the build in build/ does not know this file; build again\n"
            answer.write_text(result.stdout)
        return answer.read_text()

    found = set()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(output, paths):
            found.update(FINDING.findall(text))
    yield tree.Problem(".clang-tidy", 1, f"{len(paths)} sources looked at", "note")
    for path, line, text in sorted(found):
        yield tree.Problem(os.path.relpath(path, tree.root) if path[0] == "/" else path, int(line), text)


def changed_files(tree):
    """Files that differ from the commit before the last, or None where that cannot be told: then all count."""
    command = ["git", "-C", str(tree.root), "diff", "--name-only", "HEAD~"]
    result = subprocess.run(command, capture_output=True, text=True)
    return set(result.stdout.split()) if result.returncode == 0 else None
