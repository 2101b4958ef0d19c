# Writes frozen optimizer steps, gradient clipping and learning-rate schedules: optim.safetensors and optim.json.
"""make_optim.py FOLDER: all in float64 from float32 parameters and gradients, then rounded; see tests/data/README.md."""

import sys
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.optim import lr_scheduler as schedules
from transformers import optimization as warmups

from frozen import normal, seeded, versions, write_json

STEPS = 10
SCHEDULE_STEPS = 24
SHAPES = {"wide": (3, 7), "tall": (9, 4), "vector": (6,)}
MATRICES = ("wide", "tall")
FLOAT32_EPS = torch.finfo(torch.float32).eps

OPTIMIZERS = {
    "sgd.plain": ("SGD", dict(lr=0.1)),
    "sgd.momentum": ("SGD", dict(lr=0.1, momentum=0.9)),
    "sgd.nesterov": ("SGD", dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05)),
    "sgd.dampening": ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.05)),
    "sgd.maximize": ("SGD", dict(lr=0.1, momentum=0.9, maximize=True)),
    "adam.plain": ("Adam", dict(lr=0.01)),
    "adam.decay": ("Adam", dict(lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)),
    "adam.amsgrad": ("Adam", dict(lr=0.01, amsgrad=True)),
    "adamw.plain": ("AdamW", dict(lr=0.01)),
    "adamw.decay": ("AdamW", dict(lr=0.01, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.3)),
    "adamw.amsgrad": ("AdamW", dict(lr=0.01, amsgrad=True, weight_decay=0.1)),
    "adafactor.plain": ("Adafactor", dict(lr=0.01, eps=(FLOAT32_EPS, 1e-3))),
    "adafactor.decay": ("Adafactor", dict(lr=0.05, beta2_decay=-0.7, eps=(1e-7, 1e-2), d=1.5, weight_decay=0.1)),
    "adagrad.plain": ("Adagrad", dict(lr=0.1)),
    "adagrad.decay": ("Adagrad", dict(lr=0.1, lr_decay=0.1, weight_decay=0.05, initial_accumulator_value=0.2)),
    "rmsprop.plain": ("RMSprop", dict(lr=0.01)),
    "rmsprop.centered": ("RMSprop", dict(lr=0.01, alpha=0.9, eps=1e-6, weight_decay=0.05, momentum=0.7, centered=True)),
    "adadelta.plain": ("Adadelta", dict(lr=1.0, rho=0.9)),
    "adamax.plain": ("Adamax", dict(lr=0.01)),
    "nadam.plain": ("NAdam", dict(lr=0.01)),
    "radam.plain": ("RAdam", dict(lr=0.01)),
    "muon.torch": ("Muon", dict(lr=0.02)),
    "muon.exact": ("Muon", dict(lr=0.02)),
    "muon.exact_plain": ("Muon", dict(lr=0.02, nesterov=False, momentum=0.9, weight_decay=0.0)),
    "muon.exact_rms": ("Muon", dict(lr=0.02, adjust_lr_fn="match_rms_adamw")),
}


def orthogonalize(gradient, coefficients, steps, eps):
    """Muon's Newton-Schulz iteration without torch's rounding to bfloat16: X <- aX + (bA + cAA)X with A = XX'."""
    a, b, c = coefficients
    tall = gradient.shape[0] > gradient.shape[1]
    x = gradient.T if tall else gradient
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


@contextmanager
def newton_schulz(exact: bool):
    """Within it, torch.optim.Muon iterates in the gradient's own precision if `exact`."""
    module = sys.modules["torch.optim._muon"]
    kept = module._zeropower_via_newtonschulz
    if exact:
        module._zeropower_via_newtonschulz = orthogonalize
    try:
        yield
    finally:
        module._zeropower_via_newtonschulz = kept


def optimizers(out: dict) -> list[dict]:
    """Stores `STEPS` steps of each optimizer; returns the rows of the case list."""
    rows = []
    for name, shape in SHAPES.items():
        out[f"initial/{name}"] = normal(seeded(f"initial/{name}"), *shape)
        # Sizes that change from step to step, as gradients do, and one step of zeros.
        scales = torch.tensor([1.0, 0.5, 2.0, 1.0, 0.0, 0.1, 1.0, 3.0, 1.0, 0.2])
        out[f"gradients/{name}"] = normal(seeded(f"gradients/{name}"), STEPS, *shape) * scales.view(
            -1, *[1] * len(shape)
        )
    for case, (kind, settings) in OPTIMIZERS.items():
        names = MATRICES if kind == "Muon" else tuple(SHAPES)
        parameters = [out[f"initial/{n}"].double().requires_grad_(True) for n in names]
        optimizer = getattr(torch.optim, kind)(parameters, **settings)
        history = {n: [] for n in names}
        with newton_schulz(exact="exact" in case):
            for step in range(STEPS):
                for n, p in zip(names, parameters):
                    p.grad = out[f"gradients/{n}"][step].double()
                optimizer.step()
                for n, p in zip(names, parameters):
                    history[n].append(p.detach().clone())
        for n in names:
            out[f"{case}/{n}"] = torch.stack(history[n]).float()
        rows.append({"id": case, "optimizer": kind, "settings": settings, "parameters": names})
    return rows


def clipping(out: dict) -> list[dict]:
    """Stores clipped gradients for several norms; the gradients are those of step 0."""
    rows = []
    for case, maximum, kind in (("two", 1.5, 2.0), ("one", 2.0, 1.0), ("inf", 0.5, float("inf")), ("loose", 1e6, 2.0)):
        parameters = [out[f"initial/{n}"].double().requires_grad_(True) for n in SHAPES]
        for n, p in zip(SHAPES, parameters):
            p.grad = out[f"gradients/{n}"][0].double()
        total = torch.nn.utils.clip_grad_norm_(parameters, maximum, norm_type=kind)
        out[f"clip_norm.{case}/total"] = total.float()
        out.update({f"clip_norm.{case}/{n}": p.grad.float() for n, p in zip(SHAPES, parameters)})
        rows.append({"id": f"clip_norm.{case}", "max_norm": maximum, "norm_type": str(kind)})
    return rows


def schedule_table() -> dict:
    """Name -> (settings, function that makes the scheduler for an optimizer)."""
    total, warm = SCHEDULE_STEPS, 5
    torch_ones = {
        "step": ("StepLR", dict(step_size=4, gamma=0.5)),
        "multi_step": ("MultiStepLR", dict(milestones=[3, 9, 15], gamma=0.3)),
        "exponential": ("ExponentialLR", dict(gamma=0.9)),
        "linear": ("LinearLR", dict(start_factor=0.25, end_factor=1.0, total_iters=8)),
        "constant": ("ConstantLR", dict(factor=0.5, total_iters=6)),
        "polynomial": ("PolynomialLR", dict(total_iters=16, power=2.0)),
        "cosine": ("CosineAnnealingLR", dict(T_max=total, eta_min=0.01)),
        "cosine_past_end": ("CosineAnnealingLR", dict(T_max=10, eta_min=0.0)),
        "cosine_restarts": ("CosineAnnealingWarmRestarts", dict(T_0=4, T_mult=2, eta_min=0.01)),
        "one_cycle": ("OneCycleLR", dict(max_lr=0.5, total_steps=total)),
        "one_cycle_linear": (
            "OneCycleLR",
            dict(
                max_lr=0.5,
                total_steps=total,
                pct_start=0.25,
                anneal_strategy="linear",
                div_factor=10.0,
                final_div_factor=100.0,
            ),
        ),
        "cyclic": ("CyclicLR", dict(base_lr=0.1, max_lr=0.5, step_size_up=4, step_size_down=6, cycle_momentum=False)),
    }
    table = {name: (kind, settings, getattr(schedules, kind)) for name, (kind, settings) in torch_ones.items()}
    steps = dict(num_warmup_steps=warm, num_training_steps=total)
    table["warmup_constant"] = (
        "get_constant_schedule_with_warmup",
        dict(num_warmup_steps=warm),
        warmups.get_constant_schedule_with_warmup,
    )
    table["warmup_linear"] = ("get_linear_schedule_with_warmup", steps, warmups.get_linear_schedule_with_warmup)
    table["warmup_cosine"] = ("get_cosine_schedule_with_warmup", steps, warmups.get_cosine_schedule_with_warmup)
    return table


def learning_rates(out: dict) -> list[dict]:
    """Stores the learning rate in force at each of `SCHEDULE_STEPS` steps, from 0.2 (the optimizer's own)."""
    rows = []
    for case, (kind, settings, make) in schedule_table().items():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2, momentum=0.9)
        scheduler = make(optimizer, **settings)
        rates = []
        for step in range(SCHEDULE_STEPS):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if step + 1 < SCHEDULE_STEPS:
                scheduler.step()
        out[f"schedule.{case}/lr"] = torch.tensor(rates, dtype=torch.float64)
        rows.append({"id": f"schedule.{case}", "schedule": kind, "settings": settings})
    return rows


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    out = {}
    content = {
        "versions": versions("transformers", "safetensors"),
        "steps": STEPS,
        "schedule_lr": 0.2,
        "optimizers": optimizers(out),
        "clip": clipping(out),
        "schedules": learning_rates(out),
    }
    save_file({k: v.contiguous() for k, v in out.items()}, folder / "optim.safetensors")
    write_json(folder / "optim.json", content, row_keys=("optimizers", "clip", "schedules"))


if __name__ == "__main__":
    main()
