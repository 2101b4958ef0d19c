"""tools/docs_examples tested on a small document: what it generates, what it runs, and that a bad block fails."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "docs_examples"
CPP = '```cpp add\n#include "hearth/ops/add.h"\nadd(1, 2);\n```\n```cpp whole\nint main() {}\n```\n```cpp\nnot code\n```\n'


class DocsExamplesTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)
        (self.root / "tools").mkdir()
        (self.root / "docs").mkdir()
        shutil.copy(TOOL, self.root / "tools")

    def run_tool(self, document, *arguments):
        (self.root / "docs" / "ops.md").write_text(document)
        command = [sys.executable, str(self.root / "tools" / "docs_examples"), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def test_generates_named_blocks_only(self):
        out = self.root / "out"
        result = self.run_tool(CPP, "generate", str(out))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(p.name for p in out.iterdir()), ["case_ops_add.cpp", "program_ops_whole.cpp"])
        case = (out / "case_ops_add.cpp").read_text()
        self.assertLess(case.index('#include "hearth/ops/add.h"'), case.index("TEST(DocsExample, ops_add)"))
        self.assertIn("#line 2", case)
        self.run_tool("nothing\n", "generate", str(out))
        self.assertEqual(list(out.iterdir()), [])

    def test_refuses_two_examples_of_one_name(self):
        self.assertNotEqual(self.run_tool(CPP + CPP, "generate", str(self.root / "out")).returncode, 0)

    def test_runs_marked_shell_blocks(self):
        document = "```sh\n# run\ntest -d docs && test -L build/hearth && echo ran it\n```\n```sh\nexit 1\n```\n"
        result = self.run_tool(document, "run", "/bin/true")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("ran it\n1 shell examples ran", result.stdout)

    def test_a_failing_shell_block_fails(self):
        result = self.run_tool("```sh\n# run\nfalse\ntrue\n```\n", "run", "/bin/true")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("status 1", result.stderr)


if __name__ == "__main__":
    unittest.main()
