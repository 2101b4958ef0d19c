# Writes the frozen tiny models and the values that transformers and PEFT compute for them.
"""make_models.py FOLDER: FOLDER/<model>/ with config.json, weights, adapter/, expected.safetensors; FOLDER/models.json.

Weights are float32. Expected values are computed with those weights in float64 (transformers keeps RMS norms and the
rotary table in float32 even then) and rounded to float32.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from frozen import seeded, versions, write_json
from peft import PeftModel
from tiny_models import FAMILIES, add_lora, build, forward, hub_config, peft_name, random_tokens, target_logprobs

LENGTHS = (1, 7, 19, 33)
HUB_STYLE = ("llama-tiny", "qwen2-tiny")
SHARD_SIZE = {"llama-tied": "65KB"}
GREEDY_TOKENS = 20
DPO_BETA = 0.1
TRAIN_STEPS, TRAIN_RATE = 8, 0.005
DPO_PAIRS = ((5, 4, 7), (3, 9, 6), (8, 1, 5))  # tokens of prompt, chosen completion, rejected completion


def add_forward(out: dict, prefix: str, model, sequences: list[torch.Tensor]) -> torch.Tensor:
    """Stores logits, log-probabilities and loss under `prefix`; returns the loss, ready for backward."""
    logits, logprobs, loss = forward(model, sequences)
    for i in range(len(sequences)):
        out[f"{prefix}logits.{i}"] = logits[i].detach()
        out[f"{prefix}logprobs.{i}"] = logprobs[i].detach()
    out[f"{prefix}loss"] = loss.detach()
    return loss


def greedy(model, name: str, out: dict) -> float:
    """Stores a prompt whose greedy continuation has clear winners and no end token; returns the smallest margin."""
    generator = seeded(f"{name}/greedy")
    for _ in range(200):
        ids = random_tokens(generator, model.config.vocab_size, 5)
        margin = float("inf")
        for _ in range(GREEDY_TOKENS):
            best = model(input_ids=ids[None]).logits[0, -1].topk(2)
            margin = min(margin, (best.values[0] - best.values[1]).item())
            ids = torch.cat([ids, best.indices[:1]])
        if margin > 0.02 and 2 not in ids[5:] and len(set(ids[5:].tolist())) > 5:
            break
    else:
        raise SystemExit(f"{name}: no prompt with clear winners found")
    settings = transformers.GenerationConfig(max_new_tokens=GREEDY_TOKENS, do_sample=False, pad_token_id=0)
    generated = model.generate(ids[None, :5], generation_config=settings)[0]
    if not torch.equal(generated, ids):
        raise SystemExit(f"{name}: generate() disagrees with the plain loop")
    out["greedy.prompt"], out["greedy.tokens"] = ids[:5].clone(), ids[5:].clone()
    return margin


def completion_logprob(model, tokens: torch.Tensor, prompt: int) -> torch.Tensor:
    """Sum of the log-probabilities of tokens[prompt:]."""
    return target_logprobs(model(input_ids=tokens[None]).logits[0], tokens)[prompt - 1 :].sum()


def dpo(model, name: str, out: dict) -> None:
    """Stores DPO values: -log sigmoid(beta * ((pi_c - ref_c) - (pi_r - ref_r))), the mean over pairs, and gradients."""
    generator = seeded(f"{name}/dpo")
    vocab, losses = model.config.vocab_size, []
    for i, (prompt, chosen, rejected) in enumerate(DPO_PAIRS):
        head = random_tokens(generator, vocab, prompt)
        for kind, length in (("chosen", chosen), ("rejected", rejected)):
            tail = torch.randint(3, vocab, (length,), generator=generator)
            out[f"dpo.{kind}.{i}"] = torch.cat([head, tail])
        out[f"dpo.prompt_length.{i}"] = torch.tensor(prompt)
        pair = [out[f"dpo.{kind}.{i}"] for kind in ("chosen", "rejected")]
        policy = torch.stack([completion_logprob(model, ids, prompt) for ids in pair])
        with torch.no_grad(), model.disable_adapter():
            reference = torch.stack([completion_logprob(model, ids, prompt) for ids in pair])
        out[f"dpo.policy_logprobs.{i}"], out[f"dpo.reference_logprobs.{i}"] = policy.detach(), reference
        losses.append(-F.logsigmoid(DPO_BETA * ((policy[0] - reference[0]) - (policy[1] - reference[1]))))
    losses = torch.stack(losses)
    out["dpo.losses"], out["dpo.loss"] = losses.detach(), losses.mean().detach()
    model.zero_grad()
    losses.mean().backward()
    for key, parameter in model.named_parameters():
        if "lora_" in key:
            out[f"dpo.grad.{peft_name(key)}"] = parameter.grad.clone()


def train(model, prefix: str, out: dict) -> None:
    """Stores the loss before each of some AdamW steps (no weight decay) on all sequences; changes the model."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=TRAIN_RATE, weight_decay=0.0)
    losses = []
    for _ in range(TRAIN_STEPS):
        optimizer.zero_grad()
        loss = forward(model, [out[f"tokens.{i}"] for i in range(len(LENGTHS))])[2]
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    out[f"{prefix}train_losses"] = torch.stack(losses)


def with_adapter(base, name: str, adapter: Path, out: dict) -> None:
    """Stores what the model with the folder's adapter computes."""
    model = PeftModel.from_pretrained(base, adapter, is_trainable=True, autocast_adapter_dtype=False).double().eval()
    add_forward(out, "lora.", model, [out[f"tokens.{i}"] for i in range(len(LENGTHS))]).backward()
    out.update({f"lora.grad.{peft_name(k)}": p.grad.clone() for k, p in model.named_parameters() if "lora_" in k})
    if name == "llama-tiny":
        dpo(model, name, out)
    train(model, "lora.", out)


def load(folder: Path):
    """What a reader gets from the folder, in float64."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
    return model.double().eval()


def make_one(name: str, folder: Path) -> dict:
    """Writes one model's folder; returns its row for models.json."""
    generator = seeded(name)
    model = build(name, generator)
    model.save_pretrained(folder, max_shard_size=SHARD_SIZE.get(name, "1GB"))
    if name in HUB_STYLE:
        hub_config(folder)
    add_lora(model, generator).save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)

    model = load(folder)
    sequences = [random_tokens(generator, model.config.vocab_size, length) for length in LENGTHS]
    out = {f"tokens.{i}": ids for i, ids in enumerate(sequences)}
    add_forward(out, "", model, sequences).backward()
    out.update({f"grad.{key}": p.grad.clone() for key, p in model.named_parameters()})
    model.zero_grad()
    margin = greedy(model, name, out)

    with_adapter(model, name, folder / "adapter", out)
    train(load(folder), "", out)
    rounded = {k: v.float().contiguous() if v.is_floating_point() else v.contiguous() for k, v in out.items()}
    save_file(rounded, folder / "expected.safetensors")
    for path in folder.rglob("*.*"):
        path.chmod(0o644)
    return {
        "model": name,
        "loss": out["loss"].item(),
        "lora_loss": out["lora.loss"].item(),
        "greedy_margin": margin,
        "dpo": name == "llama-tiny",
    }


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    rows = [make_one(name, folder / name) for name in FAMILIES]
    write_json(
        folder / "models.json",
        {
            "versions": versions("transformers", "peft", "safetensors"),
            "lengths": LENGTHS,
            "lora": {"rank": 4, "alpha": 8},
            "dpo_beta": DPO_BETA,
            "train": {"optimizer": "AdamW", "lr": TRAIN_RATE, "weight_decay": 0.0, "steps": TRAIN_STEPS},
            "models": rows,
        },
        row_keys=("models",),
    )


if __name__ == "__main__":
    main()
