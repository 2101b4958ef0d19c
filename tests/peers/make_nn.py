# Writes frozen layers (values, gradients, buffers) and the losses of two training runs: nn.safetensors and nn.json.
"""make_nn.py FOLDER: layers in float64 from float32 parameters and inputs, then rounded; see tests/data/README.md."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from frozen import normal, seeded, versions, write_json

STEPS = 50
MASKS = {
    "attention.masked/mask": torch.ones(4, 5).triu(2).bool(),
    "attention.masked/padding": torch.tensor([[False, False, True, False, False], [False, True, False, False, True]]),
    "attention.unbatched/mask": normal(seeded("nn/mask"), 4, 5),
}


def pick(result):
    """The tensors of a module's result in one list."""
    if isinstance(result, torch.Tensor):
        return [result]
    return [tensor for part in result if part is not None for tensor in pick(part)]


def attend(name: str):
    """Calls attention with the masks of a case, if it has any."""
    mask, padding = MASKS.get(f"{name}/mask"), MASKS.get(f"{name}/padding")
    if mask is not None and mask.is_floating_point():
        mask = mask.double()
    return lambda module, q, k, v: module(q, k, v, attn_mask=mask, key_padding_mask=padding)


def cases() -> dict:
    """Name -> (module, shapes of its inputs or tensors, how to call it)."""

    def call(module, *inputs):
        return module(*inputs)

    def with_states(module, x, hidden, cell):
        return module(x, (hidden, cell))

    ids = torch.tensor([[1, 0, 4], [2, 4, 1]])
    return {
        "linear": (nn.Linear(5, 4), [(2, 3, 5)], call),
        "linear.no_bias": (nn.Linear(5, 4, bias=False), [(3, 5)], call),
        "bilinear": (nn.Bilinear(3, 4, 2), [(5, 3), (5, 4)], call),
        "embedding": (nn.Embedding(6, 4, padding_idx=4), [ids], call),
        "layer_norm": (nn.LayerNorm((3, 4)), [(2, 3, 4)], call),
        "rms_norm": (nn.RMSNorm(6, eps=1e-6), [(3, 6)], call),
        "group_norm": (nn.GroupNorm(2, 4), [(2, 4, 3)], call),
        "batch_norm1d": (nn.BatchNorm1d(3), [(4, 3, 5)], call),
        "batch_norm1d.eval": (nn.BatchNorm1d(3).eval(), [(4, 3)], call),
        "batch_norm2d": (nn.BatchNorm2d(3, momentum=0.3), [(2, 3, 4, 5)], call),
        "conv1d": (nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), [(2, 4, 9)], call),
        "conv2d": (nn.Conv2d(3, 4, (3, 2), padding="same"), [(2, 3, 5, 6)], call),
        "conv_transpose1d": (nn.ConvTranspose1d(4, 3, 3, stride=2, padding=1, output_padding=1), [(2, 4, 5)], call),
        "conv_transpose2d": (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), [(2, 4, 3, 4)], call),
        "rnn": (nn.RNN(3, 4, num_layers=2, nonlinearity="relu", bidirectional=True), [(5, 2, 3)], call),
        "rnn.unbatched": (nn.RNN(3, 4), [(5, 3), (1, 4)], call),
        "lstm": (
            nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True),
            [(2, 5, 3), (4, 2, 4), (4, 2, 4)],
            with_states,
        ),
        "gru": (nn.GRU(3, 4, num_layers=2, bias=False), [(5, 2, 3)], call),
        "attention": (nn.MultiheadAttention(6, 2), [(4, 2, 6), (5, 2, 6), (5, 2, 6)], attend("attention")),
        "attention.masked": (
            nn.MultiheadAttention(6, 3, batch_first=True, bias=False),
            [(2, 4, 6), (2, 5, 6), (2, 5, 6)],
            attend("attention.masked"),
        ),
        "attention.unbatched": (
            nn.MultiheadAttention(6, 2),
            [(4, 6), (5, 6), (5, 6)],
            attend("attention.unbatched"),
        ),
        "encoder": (nn.TransformerEncoderLayer(6, 2, 10, dropout=0.0), [(4, 2, 6)], call),
        "encoder.norm_first": (
            nn.TransformerEncoderLayer(6, 2, 10, dropout=0.0, activation="gelu", norm_first=True, batch_first=True),
            [(2, 4, 6)],
            call,
        ),
    }


def random_state(module: nn.Module, generator: torch.Generator) -> dict:
    """Random values for every parameter and buffer; variances positive, counters as they are."""
    state = {}
    for key, tensor in module.state_dict().items():
        drawn = normal(generator, *tensor.shape, scale=0.5)
        positive = drawn.abs() + 0.1
        state[key] = positive if key == "running_var" else drawn if tensor.is_floating_point() else tensor.clone()
    return state


def rounded(tensors: dict) -> dict:
    """float64 as float32, the rest as it is; copies."""
    return {k: (t.detach().float() if t.is_floating_point() else t).clone() for k, t in tensors.items()}


def layers(out: dict) -> list[dict]:
    """Stores each case; returns the rows of the case list."""
    rows = []
    for name, (module, shapes, call) in cases().items():
        generator = seeded(f"nn/{name}")
        state = random_state(module, generator)
        inputs = [s if isinstance(s, torch.Tensor) else normal(generator, *s) for s in shapes]
        module.double().load_state_dict(state)
        wide = [x.double().requires_grad_(True) if x.is_floating_point() else x for x in inputs]
        outputs = pick(call(module, *wide))
        upstream = [normal(generator, *y.shape) for y in outputs]
        torch.autograd.backward(outputs, [g.double() for g in upstream])
        stored = {f"state.{key}": tensor for key, tensor in state.items()}
        for kind, tensors in (("in", inputs), ("out", outputs), ("gout", upstream)):
            stored.update({f"{kind}{i}": tensor for i, tensor in enumerate(tensors)})
        stored.update({f"gin{i}": x.grad for i, x in enumerate(wide) if x.requires_grad})
        stored.update({f"grad.{key}": p.grad for key, p in module.named_parameters()})
        stored.update({f"after.{key}": b for key, b in module.named_buffers()})
        out.update({f"{name}/{key}": tensor for key, tensor in rounded(stored).items()})
        rows.append({"id": name, "module": type(module).__name__, "inputs": len(inputs), "outputs": len(outputs)})
    out.update(rounded(MASKS))
    return rows


def training(out: dict, kind: str, **settings) -> list[float]:
    """Losses of an MLP whose parameters are PyTorch's own for seed 3, in float64 from there."""
    generator = seeded("nn/training")
    x, y = normal(generator, 40, 10), torch.arange(40) % 3
    out.update({"training/x": x, "training/y": y})
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 3)).double()
    optimizer = getattr(torch.optim, kind)(net.parameters(), **settings)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x.double()), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    out = {}
    content = {
        "versions": versions("safetensors"),
        "layers": layers(out),
        "training": {
            "SGD": training(out, "SGD", lr=0.1, momentum=0.9),
            "AdamW": training(out, "AdamW", lr=0.01, weight_decay=0.1),
        },
    }
    save_file({k: v.contiguous() for k, v in out.items()}, folder / "nn.safetensors")
    write_json(folder / "nn.json", content, row_keys=("layers",))


if __name__ == "__main__":
    main()
