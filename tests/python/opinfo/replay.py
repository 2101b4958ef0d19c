"""Replays the frozen operator cases of ../shared/data/opinfo against hearth, through the data's own reader and judge."""
import collections
import importlib.util
import json
import os
import pathlib
import sys
import warnings

BOARD = pathlib.Path(__file__).with_name("scoreboard.txt")


def _load(path):
    spec = importlib.util.spec_from_file_location("opinfo_" + path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Replay:
    """The cases in `folder` by operator, and hearth to run them on."""

    def __init__(self, folder):
        import hearth

        warnings.simplefilter("ignore")
        hearth.set_num_threads(1) if hasattr(hearth, "set_num_threads") else None
        self.module, self.judge, self.reader = hearth, _load(folder / "run.py"), _load(folder / "load.py")
        self.reader.Case.cotangent = staticmethod(self.reader.cotangent)
        self.folder = folder

    def cases(self, most=None):
        """{operator: its cases}; with `most`, that many samples of each at most, evenly spread, and every error case."""
        groups = collections.OrderedDict()
        for case in self.reader.cases(str(self.folder)):
            groups.setdefault(case.op + ("." + case.variant if case.variant else ""), []).append(case)
        if most:
            for name, group in groups.items():
                samples = [case for case in group if case.kind == "sample"]
                step = max(1, -(-len(samples) // most))
                groups[name] = samples[::step] + [case for case in group if case.kind != "sample"]
        return groups

    def failures(self, group):
        """What the cases of one operator do wrong: (index, reason) each. Every operator runs in a child process, so
        that a crash counts as a failure of its case."""
        found, done = [], 0
        while done < len(group):
            read, write = os.pipe()
            child = os.fork()
            if not child:
                os.close(read)
                with os.fdopen(write, "w") as pipe:
                    for case in group[done:]:
                        status, reason = self.judge.check(self.module, case)
                        pipe.write(json.dumps([str(case.index), status, reason]) + "\n")
                        pipe.flush()
                os._exit(0)
            os.close(write)
            with os.fdopen(read) as pipe:
                results = [json.loads(line) for line in pipe]
            os.waitpid(child, 0)
            found += [(index, f"{status}: {reason}") for index, status, reason in results if status != "passed"]
            done += len(results)
            if done < len(group):
                found.append((str(group[done].index), "crash"))
                done += 1
        return found


def read_board():
    """{operator: (passed, total)} of the committed scoreboard."""
    board = {}
    for line in BOARD.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, score = line.split()
            board[name] = tuple(map(int, score.split("/")))
    return board


def write_board(scores):
    """Writes {operator: (passed, total)} as the committed scoreboard."""
    whole = sum(passed == total for passed, total in scores.values())
    lines = [f"# Operator cases passed, written by tools/opinfo_scoreboard: {whole} of {len(scores)} operators entirely, "
             f"{sum(p for p, _ in scores.values())} of {sum(t for _, t in scores.values())} cases."]
    lines += [f"{name} {passed}/{total}" for name, (passed, total) in sorted(scores.items())]
    BOARD.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(folder):
    """Runs every case and rewrites the scoreboard; says what got better and worse."""
    old = read_board() if BOARD.exists() else {}
    replay, scores = Replay(folder), {}
    for name, group in replay.cases().items():
        bad = replay.failures(group)
        scores[name] = (len(group) - len(bad), len(group))
        if name in old and old[name] != scores[name]:
            print(f"{name}: {old[name][0]} -> {scores[name][0]} of {scores[name][1]}"
                  + (f"; {bad[0][0]}: {bad[0][1]}" if bad else ""))
        sys.stdout.flush()
    write_board(scores)
    print(BOARD.read_text(encoding="utf-8").splitlines()[0])
