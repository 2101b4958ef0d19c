"""The first line of every source file says what the file is."""
import os

COMMENT = {".cpp": "// ", ".h": "// ", ".cu": "// ", ".inc": "// ", ".sh": "# ", ".cmake": "# ", ".py": '"""'}


def problems(tree):
    for path in tree.files:
        name = os.path.basename(path)
        lines = tree.text(path).split("\n")
        mark = COMMENT.get(os.path.splitext(name)[1])
        if name in ("CMakeLists.txt", "Makefile"):
            mark = "# "
        script = lines[0].startswith("#!")
        if script:
            mark = '"""' if "python" in lines[0] else "# "
        if mark is None or (path.startswith("tests/data/") and not script):
            continue
        line = lines[1] if script and len(lines) > 1 else lines[0]
        if mark == '"""' and line.startswith("# "):
            mark = "# "
        if not line.startswith(mark) or len(line[len(mark) :].split()) < 2:
            text = f"must begin with a sentence after {mark.strip()}: what is this file?"
            yield tree.Problem(path, 2 if script else 1, text)
