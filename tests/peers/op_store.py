# Collects cases of ops: inputs, outputs, upstream gradients and input gradients.
"""`Store.add` runs one case in float64 and keeps what a test in another language needs to repeat it."""

import torch

from frozen import normal, seeded


def numbers(label: str, *shape: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    """float32 normal numbers that depend on label and shape only."""
    return normal(seeded(f"{label}{list(shape)}"), *shape, scale=scale, shift=shift)


def positive(label: str, *shape: int, low: float = 0.2, high: float = 2.0) -> torch.Tensor:
    """float32 uniform numbers in [low, high)."""
    return torch.rand(shape, generator=seeded(f"{label}{list(shape)}")) * (high - low) + low


def integers(label: str, low: int, high: int, *shape: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
    """Integers in low..high-1."""
    return torch.randint(low, high, shape, generator=seeded(f"{label}{list(shape)}")).to(dtype)


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


class Store:
    """tensors: what goes into the safetensors file; rows: the case list of the JSON file."""

    def __init__(self):
        self.tensors, self.rows = {}, []

    def add(self, op: str, name: str, function, *inputs: torch.Tensor, grad: bool = True, wrt=None, **kwargs) -> None:
        """Runs function(*inputs, **kwargs); `wrt` are the inputs to differentiate (default: all floating ones)."""
        case = f"{op}.{name}"
        if any(row["id"] == case for row in self.rows):
            raise ValueError(f"case twice: {case}")
        floating = [i for i, x in enumerate(inputs) if x.is_floating_point()]
        dtype = inputs[floating[0]].dtype if floating else torch.float32
        wrt = [] if not grad else floating if wrt is None else list(wrt)
        wide = [x.double() if x.is_floating_point() else x for x in inputs]
        for i in wrt:
            wide[i].requires_grad_(True)
        results = function(*wide, **kwargs)
        results = list(results) if isinstance(results, (tuple, list)) else [results]
        for i, x in enumerate(inputs):
            self.tensors[f"{case}/in{i}"] = x
        for i, y in enumerate(results):
            self.tensors[f"{case}/out{i}"] = y.detach().to(dtype) if y.is_floating_point() else y
        smooth = [i for i, y in enumerate(results) if y.requires_grad]
        if smooth and wrt:
            self.differentiate(case, wide, wrt, results, smooth, dtype)
        self.rows.append(
            {
                "id": case,
                "op": op,
                "kwargs": kwargs,
                "inputs": len(inputs),
                "outputs": len(results),
                "gout": smooth if wrt else [],
                "gin": wrt if smooth else [],
            }
        )

    def differentiate(self, case, wide, wrt, results, smooth, dtype) -> None:
        """Stores upstream gradients (random) and the input gradients that follow from them."""
        upstream = [numbers(f"{case}/gout{i}", *results[i].shape) for i in smooth]
        gradients = torch.autograd.grad(
            [results[i] for i in smooth],
            [wide[i] for i in wrt],
            [u.double() for u in upstream],
            allow_unused=True,
            materialize_grads=True,
        )
        for i, u in zip(smooth, upstream):
            self.tensors[f"{case}/gout{i}"] = u
        for i, g in zip(wrt, gradients):
            self.tensors[f"{case}/gin{i}"] = g.to(dtype)

    def table(self, name: str, tensor: torch.Tensor) -> None:
        """Stores a tensor that belongs to no case."""
        self.tensors[name] = tensor
