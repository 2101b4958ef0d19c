# Times the LoRA training step of PyTorch + PEFT on the folder that make_small.py wrote.
"""peft_step.py FOLDER [--steps N] [--threads T] [--compile]: prints one line of JSON.

One step is forward, backward and AdamW on 8 sequences of 256 tokens in float32, mean cross-entropy over all 8 x 255 targets.
Settings: scaled-dot-product attention, no cache, no gradient checkpointing, fused AdamW. The warm-up step is not counted.
"""

import argparse
import json
import time
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file


def load(folder: Path):
    """The model with a trainable adapter; only the adapter's weights have gradients."""
    base = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
    base.config.use_cache = False
    return peft.PeftModel.from_pretrained(base, folder / "adapter", is_trainable=True).train()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--compile", action="store_true", help="run the model through torch.compile (needs a C++ compiler)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()

    model = load(options.folder)
    tokens = load_file(options.folder / "tokens.safetensors")["tokens"]
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.rate, weight_decay=0.0, fused=True)
    run = torch.compile(model) if options.compile else model
    losses, seconds = [], []
    for _ in range(options.steps + 1):
        start = time.perf_counter()
        loss = run(input_ids=tokens, labels=tokens).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - start)
        losses.append(loss.item())
    timed = seconds[1:]
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    print(json.dumps({
        "what": "LoRA step, PyTorch + PEFT", "threads": options.threads, "compiled": options.compile, "versions": versions,
        "parameters_trained": sum(p.numel() for p in trained), "tokens": tokens.numel(), "seconds": [round(s, 4) for s in timed],
        "tokens_per_second": [round(tokens.numel() / s, 2) for s in timed],
        "median_tokens_per_second": round(tokens.numel() / sorted(timed)[len(timed) // 2], 2), "losses": losses,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
