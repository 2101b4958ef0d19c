"""tools/check tested on small trees: each rule must refuse a tree that breaks it, and accept one that does not."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check"
GOOD = "// Softmax: exponentials that sum to one.\n"


def check(files, *arguments):
    """Exit status and output of tools/check over a tree with these files."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            place = pathlib.Path(root, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text.replace("@ROOT@", root))
        command = [sys.executable, str(CHECK), "--root", root, *arguments]
        result = subprocess.run(command, capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr


class CheckTest(unittest.TestCase):
    def refuses(self, rule, path, text, message):
        status, output = check({path: text}, rule)
        self.assertEqual(status, 1, output)
        self.assertIn(path, output)
        self.assertIn(message, output)

    def accepts(self, rule, files):
        status, output = check(files, rule)
        self.assertEqual(status, 0, output)

    def include(self, path, line, message):
        header = line.split('"')[1] if '"' in line else "hearth/core/none.h"
        files = {header: GOOD, path: GOOD + line + "\n"}
        status, output = check(files, "includes")
        self.assertEqual(status, 1, output)
        self.assertIn(message, output)

    def test_includes_point_down(self):
        self.include("hearth/core/a.cpp", '#include "hearth/ops/b.h"', 'must not see "hearth/ops/b.h"')
        self.include("hearth/ops/a.cpp", '#include "hearth/backend/cpu/b.h"', "must not see")
        self.include("hearth/backend/a.cpp", '#include "hearth/backend/cpu/b.h"', "must not see")
        self.include("hearth/backend/cpu/a.cpp", '#include "hearth/backend/cuda/b.h"', "must not see")
        self.include("hearth/nn/a.cpp", '#include "hearth/optim/b.h"', "must not see")
        self.include("hearth/io/a.h", '#include "llm/weights/b.h"', "must not see")
        self.include("llm/lora/a.cpp", '#include "cli/b.h"', "must not see")

    def test_includes_of_per_isa_files(self):
        self.include("hearth/backend/cpu/simd/a.cpp", "#include <vector>", "compiled per instruction set")
        self.include("hearth/backend/cpu/simd/a.cpp", '#include "hearth/core/b.h"', "must not see")

    def test_includes_of_libraries(self):
        self.include("hearth/ops/a.cpp", "#include <oneapi/dnnl/dnnl.h>", "belongs in hearth/backend/cpu/onednn/ only")
        self.include("hearth/ops/a.cpp", "#include <omp.h>", "belongs in hearth/backend/cpu/parallel only")
        self.include("hearth/ops/a.cpp", "#include <regex>", "too heavy")
        self.include("hearth/ops/a.h", "#include <iostream>", "too heavy")

    def test_includes_that_name_no_file(self):
        self.refuses("includes", "hearth/ops/a.cpp", GOOD + '#include "b.h"\n', "is not a file of this tree")
        self.refuses("includes", "strange/a.cpp", GOOD + "#include <vector>\n", "lies in no folder")

    def test_includes_accepted(self):
        self.accepts(
            "includes",
            {
                "hearth/core/a.h": GOOD + "#include <vector>\n",
                "hearth/backend/kernels/k.h": GOOD + '#include "hearth/core/a.h"\n',
                "hearth/backend/cpu/simd/v.h": GOOD + "#include <immintrin.h>\n",
                "hearth/backend/cpu/simd/v.cpp": GOOD + '#include "hearth/backend/cpu/simd/v.h"\n',
                "hearth/backend/cpu/c.cpp": GOOD + '#include "hearth/backend/cpu/simd/v.h"\n',
                "hearth/ops/o.h": GOOD + '#include "hearth/backend/kernels/k.h"\n#include "hearth/core/a.h"\n',
                "llm/lora/l.cpp": GOOD + '#include "hearth/ops/o.h"\n',
                "tests/hearth/ops/o.cpp": GOOD + '#include "hearth/ops/o.h"\n#include <gtest/gtest.h>\n',
            },
        )

    def test_lengths_of_files(self):
        self.refuses("lengths", "hearth/core/a.cpp", GOOD + "int x;\n" * 600, "601 lines, at most 600")
        status, output = check({"hearth/core/a.h": GOOD + "int x;\n" * 250}, "lengths")
        self.assertEqual(status, 0)
        self.assertIn("warning", output)
        self.accepts("lengths", {"llm/tokenizer/table.inc": GOOD + "1,\n" * 5000})

    def test_lengths_of_functions(self):
        body = "  step(\"}\", '}'); // }\n" * 80
        for text in (
            "namespace hearth {\nvoid run(int a = {}) {\n%s}\n}\n",
            "struct Run {\n  Run() : a_(1) {\n%s}\n int a_; };\n",
            "TEST(Run, far) {\n%s}\n",
            "auto run() -> int {\n  for (;;) {\n%s}\n}\n",
        ):
            self.refuses("lengths", "hearth/core/a.cpp", GOOD + text % body, "lines, at most 80")
        short = "void run() {\n%s}\n" % (body[: len(body) // 80 * 70])
        self.accepts("lengths", {"hearth/core/a.cpp": GOOD + "namespace hearth {\n" + short * 3 + "}\n"})
        self.refuses("lengths", "tools/a.py", '"""A tool."""\ndef run():\n' + "    x = 1\n" * 80, "run has 81 lines")

    def test_first_line(self):
        self.refuses("first_line", "hearth/core/a.h", "#pragma once\n", "must begin with a sentence")
        self.refuses("first_line", "hearth/core/a.h", "// a\n", "must begin with a sentence")
        self.refuses("first_line", "tools/a", "#!/bin/sh\nset -e\n", "must begin with a sentence")
        self.refuses("first_line", "tools/a.py", "import os\n", "must begin with a sentence")
        self.accepts("first_line", {"a.h": GOOD, "tools/a": "#!/bin/sh\n# What this does.\n", "LICENSE": "x\n"})

    def test_names(self):
        self.refuses("names", "hearth/core/string_utils.h", GOOD, '"utils" says nothing')
        self.refuses("names", "hearth/common/a.h", GOOD, '"common" says nothing')
        self.refuses("names", "hearth/core/a.h", GOOD + "#define MAX(a, b) a\n", "macro MAX")
        self.refuses("names", "CMakeLists.txt", "add_compile_options(-ffast" + "-math)\n", "change results")
        self.refuses("names", "hearth/core/a.h", GOOD + '#pragma GCC optimize("O3")\n', "belong in the build files")
        self.accepts("names", {"hearth/core/a.h": GOOD + "#define HEARTH_API\n"})

    def test_machine_places(self):
        self.refuses("machine", "docs/a.md", "see /" + "work/main/x\n", "a place on one machine")
        self.refuses("machine", "docs/a.md", "see /" + "home/ann/x\n", "a place on one machine")
        self.accepts("machine", {"docs/a.md": "https://example.org/" + "work/x and ./" + "home/x\n"})

    @unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
    def test_format(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}
        status, output = check({**style, "hearth/core/a.cpp": GOOD + "int  x ;\n"}, "format")
        self.assertEqual(status, 1, output)
        self.assertIn("hearth/core/a.cpp:2", output)
        self.accepts("format", {**style, "hearth/core/a.cpp": GOOD + "int x;\n"})

    @unittest.skipUnless(shutil.which("clang-tidy"), "clang-tidy is not installed")
    def test_tidy(self):
        def tree(body, built=True):
            source = GOOD + "#include <string>\n#include <utility>\n" + body
            command = f"g++ -std=c++20 -c hearth/core/a.cpp"
            commands = f'[{{"directory": "@ROOT@", "file": "hearth/core/a.cpp", "command": "{command}"}}]'
            commands = commands if built else "[]"
            config = (CHECK.parents[1] / ".clang-tidy").read_text()
            return {"hearth/core/a.cpp": source, "build/compile_commands.json": commands, ".clang-tidy": config}

        moved = "size_t run(std::string a) {\n  std::string b = std::move(a);\n  return a.size() + b.size();\n}\n"
        status, output = check(tree(moved), "--all", "tidy")
        self.assertEqual(status, 1, output)
        self.assertIn("bugprone-use-after-move", output)
        status, output = check(tree("size_t run(const std::string& a) { return a.size(); }\n"), "--all", "tidy")
        self.assertEqual(status, 0, output)
        self.assertIn("1 sources looked at", output)
        status, output = check(tree("", built=False), "--all", "tidy")
        self.assertEqual(status, 1, output)

    def test_unknown_rule(self):
        self.assertEqual(check({}, "nonsense")[0], 2)

    def test_every_rule_is_tested(self):
        rules = {path.stem for path in (CHECK.parent / "check.d").glob("*.py")}
        tested = {rule for rule in rules if any(rule in name for name in dir(self) if name.startswith("test_"))}
        self.assertEqual(rules - tested, set())


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    unittest.main()
