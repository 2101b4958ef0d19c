# Runs hearth: the command and the program peer_logits.
"""HEARTH_COMMAND names the command, PEER_LOGITS the program of logits.cpp; by default both lie in build/."""

import json
import os
import subprocess
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = Path(os.environ.get("HEARTH_COMMAND", ROOT / "build" / "hearth"))
LOGITS = Path(os.environ.get("PEER_LOGITS", COMMAND.parent / "peer_logits"))


def run(program: Path, *arguments, timeout: float = 300) -> str:
    """What the program prints; a failure carries its messages."""
    command = [str(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
    return done.stdout


def hearth(*arguments, timeout: float = 300) -> str:
    return run(COMMAND, *arguments, timeout=timeout)


def hearth_json(*arguments, timeout: float = 300) -> dict:
    return json.loads(hearth(*arguments, timeout=timeout))


def compute(model: Path, sequences: list[torch.Tensor], work: Path, adapter: Path | None = None) -> dict:
    """hearth's `logits.i`, `loss` and `grad.NAME` for a model folder and, if given, an adapter folder."""
    tokens, out = work / "tokens.safetensors", work / "out.safetensors"
    save_file({f"tokens.{i}": ids for i, ids in enumerate(sequences)}, tokens)
    run(LOGITS, model, tokens, out, *([adapter] if adapter else []))
    return load_file(out)
