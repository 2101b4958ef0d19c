# Writes frozen losses over log-probabilities of targets and their gradients: token_losses.safetensors and .json.
"""make_token_losses.py FOLDER: all in float64 from float32 inputs; see tests/data/README.md."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from frozen import normal, seeded, versions, write_json

TARGETS = 24
PROMPT = 8

CASES = [
    ("cross_entropy", "cross_entropy", {}, ()),
    ("importance_sampling", "importance_sampling", {}, ()),
    ("ppo", "ppo", {}, ()),
    ("ppo.narrow", "ppo", {"clip_low_threshold": 0.95, "clip_high_threshold": 1.02}, ()),
    ("ppo.inputs", "ppo", {"clip_low_threshold": 0.5}, ("clip_low_threshold", "clip_high_threshold")),
    ("cispo", "cispo", {}, ()),
    ("cispo.narrow", "cispo", {"clip_low_threshold": 0.8, "clip_high_threshold": 1.2}, ()),
    ("cispo.inputs", "cispo", {}, ("clip_low_threshold", "clip_high_threshold")),
    ("dro", "dro", {}, ()),
    ("dro.beta", "dro", {"beta": 0.7}, ()),
    ("gspo", "gspo", {}, ()),
    ("gspo.wide", "gspo", {"clip_low_threshold": 0.2, "clip_high_threshold": 5.0}, ()),
    ("gspo.mask", "gspo", {"clip_low_threshold": 0.5, "clip_high_threshold": 2.0}, ("sequence_ratio_mask",)),
]
DEFAULTS = {
    "ppo": {"clip_low_threshold": 0.8, "clip_high_threshold": 1.2},
    "cispo": {"clip_low_threshold": 0.0, "clip_high_threshold": 4.0},
    "dro": {"beta": 0.05},
    "gspo": {"clip_low_threshold": 1 - 3e-4, "clip_high_threshold": 1 + 4e-4},
}


def make_inputs(identity: str, extra: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """A sequence whose first targets are a prompt: their weights, advantages and sampled log-probabilities are zero."""
    g = seeded(identity)
    sampled = torch.arange(TARGETS) >= PROMPT
    lp = -normal(g, TARGETS, scale=2.0).abs()
    # Prompts are improbable enough for the ratio to a log-probability of zero to matter if it were used.
    lp[:PROMPT] *= 40
    inputs = {
        "log_probs": lp,
        "weights": normal(g, TARGETS) * sampled,
        "logprobs": (lp + normal(g, TARGETS, scale=0.4)) * sampled,
        "advantages": normal(g, TARGETS) * sampled,
    }
    inputs["advantages"][PROMPT + 3] = 0
    if "clip_low_threshold" in extra:
        inputs["clip_low_threshold"] = 0.9 - 0.3 * torch.rand(TARGETS, generator=g)
        inputs["clip_high_threshold"] = 1.1 + 0.3 * torch.rand(TARGETS, generator=g)
    if "sequence_ratio_mask" in extra:
        inputs["sequence_ratio_mask"] = sampled.float()
        inputs["sequence_ratio_mask"][-1] = 0.5
    return inputs


def clipped_policy(ratio, advantages, low, high):
    return -torch.min(ratio * advantages, torch.clamp(ratio, low, high) * advantages)


def per_target(loss: str, settings: dict, i: dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss of each target, differentiable in i["log_probs"]."""
    lp, q, a = i["log_probs"], i["logprobs"], i["advantages"]
    low = i.get("clip_low_threshold", torch.full_like(lp, settings.get("clip_low_threshold", 0)))
    high = i.get("clip_high_threshold", torch.full_like(lp, settings.get("clip_high_threshold", 0)))
    used = a != 0
    ratio = torch.exp(torch.where(used, lp - q, torch.zeros_like(lp)))
    if loss == "cross_entropy":
        return -i["weights"] * lp
    if loss == "importance_sampling":
        return -ratio * a
    if loss == "ppo":
        return clipped_policy(ratio, a, low, high)
    if loss == "cispo":
        return -torch.clamp(ratio, low, high).detach() * lp * a
    if loss == "dro":
        return -(lp * a - 0.5 * settings["beta"] * (lp - q) ** 2)
    assert loss == "gspo"
    mask = i.get("sequence_ratio_mask", used.to(lp.dtype))
    sequence = torch.exp((mask * (lp - q)).sum() / mask.sum()).detach()
    return clipped_policy(sequence * torch.exp(lp - lp.detach()), a, low, high)


def main(folder: Path) -> None:
    tensors, rows = {}, []
    for identity, loss, config, extra in CASES:
        inputs = make_inputs(identity, extra)
        wide = {name: x.double() for name, x in inputs.items()}
        wide["log_probs"].requires_grad_(True)
        value = per_target(loss, {**DEFAULTS.get(loss, {}), **config}, wide).sum()
        value.backward()
        for name, x in inputs.items():
            tensors[f"{identity}/{name}"] = x.contiguous()
        tensors[f"{identity}/loss"] = value.detach()
        tensors[f"{identity}/gradient"] = wide["log_probs"].grad.float()
        rows.append({"id": identity, "loss": loss, "config": config})
    save_file(tensors, folder / "token_losses.safetensors")
    write_json(folder / "token_losses.json", {"versions": versions(), "cases": rows}, ("cases",))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
