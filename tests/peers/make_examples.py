"""Writes examples/python/expected: what the example programs print under the installed PyTorch.

    python tests/peers/make_examples.py [NAME...]
"""
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples/python"


def main():
    names = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "digits")
    for name in names:
        done = subprocess.run([sys.executable, f"{name}.py"], cwd=FOLDER, capture_output=True, text=True, timeout=300)
        if done.returncode:
            sys.exit(f"{name}: {done.stderr[-2000:]}")
        (FOLDER / f"expected/{name}.txt").write_text(done.stdout)


if __name__ == "__main__":
    main()
