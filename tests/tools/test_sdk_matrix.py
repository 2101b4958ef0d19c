"""The table of SDK versions and calls: which outcome decides a cell, and the order of rows and columns."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sdk"))
import matrix  # noqa: E402


class MatrixTest(unittest.TestCase):
    def test_one_failure_decides(self):
        self.assertEqual(matrix.cell(["passed", "failed", "skipped"]), matrix.FAILED)
        self.assertEqual(matrix.cell(["skipped", "passed"]), matrix.PASSED)
        self.assertEqual(matrix.cell(["skipped"]), matrix.SKIPPED)
        self.assertEqual(matrix.cell(["absent"]), matrix.ABSENT)
        self.assertEqual(matrix.cell(None), matrix.SKIPPED)

    def test_columns_go_by_version_and_rows_by_the_newest(self):
        reports = [{"version": "0.38.0", "calls": {"b": ["passed"], "a": ["passed"]}},
                   {"version": "0.9.0", "calls": {"a": ["passed"], "b": ["absent"], "old": ["passed"]}}]
        lines = [line for line in matrix.table(reports).split("\n") if line.startswith("|")]
        self.assertEqual(lines, ["| call | 0.9.0 | 0.38.0 |", "|---|---|---|", "| b | – | yes |", "| a | yes | yes |",
                                 "| old | yes | not run |"])


if __name__ == "__main__":
    unittest.main()
