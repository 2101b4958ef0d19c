# The result dtypes of PyTorch's type promotion, as tables.

import torch

from op_store import dtype_name

DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
]
NUMBERS = {"bool": True, "int": 1, "float": 1.0}
BINARY = ("add", "sub", "mul", "div", "floor_divide", "pow", "maximum", "atan2", "eq", "logical_and", "bitwise_and")
UNARY = {
    "neg": torch.neg,
    "abs": torch.abs,
    "exp": torch.exp,
    "sqrt": torch.sqrt,
    "reciprocal": torch.reciprocal,
    "sigmoid": torch.sigmoid,
    "floor": torch.floor,
    "sign": torch.sign,
    "isnan": torch.isnan,
    "logical_not": torch.logical_not,
    "bitwise_not": torch.bitwise_not,
    "sum": torch.sum,
    "prod": torch.prod,
    "mean": torch.mean,
    "std": torch.std,
    "cumsum": lambda x: torch.cumsum(x, 0),
    "amax": torch.amax,
    "argmax": torch.argmax,
    "any": torch.any,
    "all": torch.all,
    "relu": torch.relu,
    "square": torch.square,
    "softmax": lambda x: torch.softmax(x, 0),
    "matmul": lambda x: x[None] @ x[:, None],
    "count_nonzero": torch.count_nonzero,
    "logsumexp": lambda x: torch.logsumexp(x, 0),
    "div_floor_by_2": lambda x: torch.div(x, 2, rounding_mode="floor"),
}


def result(function, *inputs) -> int:
    """Index into DTYPES of the result's dtype; -1 where PyTorch refuses."""
    try:
        return DTYPES.index(function(*inputs).dtype)
    except (RuntimeError, TypeError):
        return -1


def grid(function, rows, columns) -> torch.Tensor:
    return torch.tensor([[result(function, a, b) for b in columns] for a in rows])


def add_cases(store) -> dict:
    """Adds the tables; returns the lists that give rows and columns their meaning."""
    tensors = [torch.ones(2, dtype=d) for d in DTYPES]
    scalars = [torch.ones((), dtype=d) for d in DTYPES]
    for op in BINARY:
        function = getattr(torch, op)
        store.table(f"promotion.{op}/tensor_tensor", grid(function, tensors, tensors))
        store.table(f"promotion.{op}/tensor_zero_dim", grid(function, tensors, scalars))
        store.table(f"promotion.{op}/zero_dim_tensor", grid(function, scalars, tensors))
        if op not in ("maximum", "atan2", "logical_and"):
            store.table(f"promotion.{op}/tensor_number", grid(function, tensors, NUMBERS.values()))
            store.table(f"promotion.{op}/zero_dim_number", grid(function, scalars, NUMBERS.values()))
    for name, function in UNARY.items():
        store.table(f"promotion.{name}/unary", torch.tensor([result(function, x) for x in tensors]))
    return {"dtypes": [dtype_name(d) for d in DTYPES], "numbers": list(NUMBERS), "binary": BINARY, "unary": list(UNARY)}
