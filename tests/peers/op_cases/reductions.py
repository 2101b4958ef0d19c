# Cases of reductions, cumulative ops, sorting and searching.

import torch

from op_store import integers, numbers, positive

inf, nan = float("inf"), float("nan")
WITH_NAN = torch.tensor([[1.0, nan, 3.0], [4.0, 5.0, 5.0], [-inf, inf, 0.0]])
TIES = torch.tensor([[2.0, 1.0, 2.0, 1.0], [3.0, 3.0, 3.0, 3.0], [-0.0, 0.0, -1.0, 0.0]])


def over_dims(store) -> None:
    x = numbers("reduce", 2, 3, 5)
    for op in ("sum", "mean", "logsumexp", "amax", "amin"):
        function = getattr(torch, op)
        for name, dim in (("first", 0), ("last", -1), ("two", [0, 2]), ("all", [0, 1, 2])):
            store.add(op, name, function, x, dim=dim)
        store.add(op, "keep", function, x, dim=[1], keepdim=True)
    for op in ("var", "std"):
        function = getattr(torch, op)
        store.add(op, "all", function, x)
        store.add(op, "last", function, x, dim=-1)
        store.add(op, "two_biased", function, x, dim=[0, 2], correction=0, keepdim=True)
        store.add(op, "offset", function, numbers("offset", 4, 9, shift=1000.0), dim=1)
    store.add("var_mean", "last", torch.var_mean, x, dim=-1)
    for op in ("sum", "mean", "prod"):
        store.add(op, "whole", getattr(torch, op), x)
        store.add(op, "zero_dim", getattr(torch, op), numbers("zero_dim"))
    store.add("prod", "dim", torch.prod, x, dim=1)
    store.add("prod", "zeros", torch.prod, torch.tensor([[1.0, 0.0, 3.0], [0.0, 0.0, 2.0], [1.0, 2.0, 3.0]]), dim=1)
    store.add("sum", "long", torch.sum, numbers("long", 3, 1037), dim=1)
    store.add("sum", "tall", torch.sum, numbers("tall", 517, 3), dim=0)
    store.add("sum", "empty", torch.sum, numbers("empty", 0, 3), dim=0)
    store.add("mean", "empty", torch.mean, numbers("empty", 0, 3), dim=0)
    store.add("prod", "empty", torch.prod, numbers("empty", 0, 3), dim=0)
    store.add("nansum", "nan", torch.nansum, WITH_NAN[:2], dim=1)
    store.add("nanmean", "nan", torch.nanmean, WITH_NAN[:2], dim=1)
    store.add(
        "logsumexp",
        "infinite",
        torch.logsumexp,
        torch.tensor([[-inf, -inf], [inf, 1.0], [-inf, 2.0], [1000.0, 1000.0]]),
        grad=False,
        dim=1,
    )
    for name, p in (("0", 0), ("1", 1), ("2", 2), ("3", 3), ("inf", inf), ("minus_inf", -inf), ("half", 0.5)):
        store.add(
            "norm", f"p{name}", lambda t, p, dim: torch.linalg.vector_norm(t, float(p), dim), x, p=str(p), dim=[1]
        )
    store.add("norm", "zero", torch.linalg.vector_norm, torch.zeros(3))


def extremes(store) -> None:
    x = numbers("extreme", 3, 4, 5)
    for op in ("max", "min"):
        function = getattr(torch, op)
        store.add(op, "whole", function, x)
        store.add(op, "dim", function, x, dim=1)
        store.add(op, "keep", function, x, dim=-1, keepdim=True)
        store.add(op, "ties_whole", function, TIES[:2])
        store.add(op, "ties_dim", function, TIES, dim=1)
        store.add(op, "nan", function, WITH_NAN, grad=False, dim=1)
        store.add("a" + op, "ties", getattr(torch, "a" + op), TIES, dim=1)
        store.add("arg" + op, "whole", getattr(torch, "arg" + op), x)
        store.add("arg" + op, "dim", getattr(torch, "arg" + op), x, dim=1, keepdim=True)
        store.add("arg" + op, "ties", getattr(torch, "arg" + op), TIES, dim=1)
        store.add("arg" + op, "nan", getattr(torch, "arg" + op), WITH_NAN, dim=1)
        store.add(op, "int64", function, integers("ext", -50, 50, 3, 4), dim=1)
    for op in ("any", "all"):
        function = getattr(torch, op)
        truth = torch.tensor([[True, True, False], [False, False, False], [True, True, True]])
        store.add(op, "dim", function, truth, dim=1)
        store.add(op, "whole", function, truth)
        store.add(op, "float", function, torch.tensor([[0.0, nan], [0.0, -0.0]]), grad=False, dim=1)
        store.add(op, "empty", function, torch.zeros(0, 2, dtype=torch.bool), dim=0)
    store.add("count_nonzero", "dim", torch.count_nonzero, integers("cnz", 0, 3, 4, 6), dim=1)
    store.add("median", "dim", torch.median, x, dim=2)
    store.add("kthvalue", "dim", torch.kthvalue, x, k=2, dim=2)
    store.add("sum", "int32", torch.sum, integers("isum", -9, 9, 3, 4, dtype=torch.int32), dim=0)
    store.add("sum", "bool", torch.sum, integers("bsum", 0, 2, 3, 4).bool(), dim=1)
    store.add("prod", "int64", torch.prod, integers("iprod", -4, 5, 3, 4), dim=1)


def cumulative(store) -> None:
    x = numbers("cumulative", 3, 4, 5)
    for op in ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"):
        for dim in (0, 1, 2):
            store.add(op, f"dim{dim}", getattr(torch, op), x, dim=dim)
    store.add("cumprod", "zeros", torch.cumprod, torch.tensor([[1.0, 0.0, 3.0, 2.0], [0.0, 2.0, 0.0, 1.0]]), dim=1)
    store.add("cumsum", "int64", torch.cumsum, integers("cumsum", -9, 9, 3, 4), dim=1)
    store.add("cumsum", "bool", torch.cumsum, integers("cumsumb", 0, 2, 3, 4).bool(), dim=1)
    store.add("cummax", "ties", torch.cummax, TIES, dim=1)
    store.add("cummax", "nan", torch.cummax, WITH_NAN, grad=False, dim=1)
    store.add("diff", "twice", torch.diff, x, n=2, dim=1)


def ordering(store) -> None:
    x = numbers("ordering", 3, 4, 5)
    for name, descending in (("up", False), ("down", True)):
        store.add("sort", name, torch.sort, x, dim=1, descending=descending)
        store.add("sort", f"ties_{name}", torch.sort, TIES, dim=1, descending=descending, stable=True)
        store.add("sort", f"nan_{name}", torch.sort, WITH_NAN, grad=False, dim=1, descending=descending, stable=True)
        store.add("argsort", name, torch.argsort, x, dim=-1, descending=descending)
        store.add("topk", name, torch.topk, x, k=3, dim=-1, largest=descending)
        store.add("topk", f"dim_{name}", torch.topk, x, k=2, dim=0, largest=descending)
    store.add("topk", "nan", torch.topk, torch.tensor([1.0, nan, 3.0, inf, -inf]), grad=False, k=3)
    store.add("sort", "int64", torch.sort, integers("sorti", -9, 9, 20), stable=True)
    store.add("sort", "long", torch.sort, integers("sortl", 0, 50, 300).float(), stable=True)
    values = integers("unique", 0, 6, 15)
    store.add("unique", "all", torch.unique, values, sorted=True, return_inverse=True, return_counts=True)
    store.add("bincount", "plain", torch.bincount, values, minlength=9)
    store.add("bincount", "weights", torch.bincount, values, positive("bincount", 15), grad=False)
    edges = torch.tensor([-1.0, 0.0, 0.0, 1.5])
    store.add("searchsorted", "left", torch.searchsorted, edges, torch.tensor([-2.0, -1.0, 0.0, 1.0, 9.0]), grad=False)
    store.add(
        "searchsorted",
        "right",
        torch.searchsorted,
        edges,
        torch.tensor([-2.0, -1.0, 0.0, 1.0, 9.0]),
        grad=False,
        right=True,
    )


def low_precision(store) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        x = numbers("lowsum", 3, 300).to(dtype)
        store.add("sum", str(dtype)[6:], torch.sum, x, grad=False, dim=1)
        store.add("mean", str(dtype)[6:], torch.mean, x, grad=False, dim=1)


def add_cases(store) -> None:
    over_dims(store)
    extremes(store)
    cumulative(store)
    ordering(store)
    low_precision(store)
