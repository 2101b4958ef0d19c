# Runs the LoRA step of hearth and of PyTorch+PEFT in turn on the same weights and tokens and prints the ratio.
"""compare_step.py FOLDER [--rounds N] [--steps N] [--hearth PROGRAM] [--threads N]

FOLDER comes from make_small.py. Runs alternate (hearth, peer, hearth, peer, ...), so that a drift of the machine's speed
hits both; the ratio is that of the medians over all rounds. Needs the peers' environment (tools/peers_venv).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def last_json(output: str) -> dict:
    return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])


def run(command: list[str], threads: int) -> dict:
    environment = dict(os.environ, HEARTH_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return last_json(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2, help="timed steps a round, after one warm-up step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--hearth", default=str(HERE.parents[1] / "build/bench/bench_lora_step"))
    options = parser.parse_args()
    ours, theirs, versions = [], [], {}
    for number in range(options.rounds):
        result = run([options.hearth, options.folder, str(options.steps)], options.threads)
        ours.append(result["median_tokens_per_second"])
        peer = run([sys.executable, str(HERE / "peft_step.py"), options.folder, "--steps", str(options.steps), "--threads",
                    str(options.threads)], options.threads)
        theirs.append(peer["median_tokens_per_second"])
        versions = peer.get("versions", {})
        print(f"round {number + 1}: hearth {ours[-1]:.1f} tokens/s, PyTorch+PEFT {theirs[-1]:.1f} tokens/s", file=sys.stderr)
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(json.dumps({"hearth": ours, "peer": theirs, "ratio": round(ratio, 3), "versions": versions}))


if __name__ == "__main__":
    main()
