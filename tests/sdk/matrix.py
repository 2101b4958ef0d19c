"""Which call works with which SDK: collects test outcomes per version, and writes them as a table of the docs.

Usage: python tests/sdk/matrix.py REPORT.json... docs/sdk-compatibility.md
"""
import json
import pathlib
import sys

# What a cell says, by the outcomes of all tests of that call: one failure decides.
FAILED, PASSED, SKIPPED, ABSENT = "**fails**", "yes", "not run", "–"

INTRODUCTION = """# Which SDK can do what

Made by the tests: `make test-peers` runs every call below against `hearth serve` with the unmodified `tinker` package of
each version and writes this table. *yes*: all tests of the call passed. *–*: that SDK does not have the call. *not run*:
the test needs something that the run did not have (PyTorch, for losses computed on the client). Calls marked *wire* are
made by hand, because no public method of the SDK makes them, or only when a server asks for it.
"""


class Report:
    """Outcomes of one run: call -> list of 'passed', 'failed', 'skipped', 'absent'."""

    def __init__(self, version):
        self.version = version
        self.calls = {}

    def add(self, call, outcome):
        self.calls.setdefault(call, []).append(outcome)

    def write(self, path):
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": self.version, "calls": self.calls}, indent=1))


def cell(outcomes):
    if not outcomes:
        return SKIPPED
    if "failed" in outcomes:
        return FAILED
    if "passed" in outcomes:
        return PASSED
    return ABSENT if "absent" in outcomes else SKIPPED


def table(reports):
    """The Markdown text for `reports`, each {"version", "calls"}; columns in order of version."""
    reports = sorted(reports, key=lambda report: [int(part) for part in report["version"].split(".")])
    calls = []
    for report in reversed(reports):  # the newest names the calls in the order of the tests
        calls += [call for call in report["calls"] if call not in calls]
    lines = ["| call | " + " | ".join(report["version"] for report in reports) + " |",
             "|---|" + "---|" * len(reports)]
    for call in calls:
        lines.append(f"| {call} | " + " | ".join(cell(report["calls"].get(call)) for report in reports) + " |")
    return INTRODUCTION + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    *inputs, output = sys.argv[1:]
    pathlib.Path(output).write_text(table([json.loads(pathlib.Path(path).read_text()) for path in inputs]))
