# Cases of gather, scatter, indexing, joining and shape ops.

import torch
import torch.nn.functional as F

from op_store import integers, numbers

MASK = torch.tensor(
    [[True, False, True, False, True], [False, False, True, True, False], [True, True, False, False, False]]
)


def gather_scatter(store) -> None:
    x, rows = numbers("gather", 3, 5), integers("rows", 0, 3, 2, 5)
    columns = integers("columns", 0, 5, 3, 4)
    store.add("gather", "dim0", lambda t, i, dim: torch.gather(t, dim, i), x, rows, dim=0)
    store.add("gather", "dim1", lambda t, i, dim: torch.gather(t, dim, i), x, columns, dim=1)
    distinct = torch.stack([torch.randperm(5, generator=torch.Generator().manual_seed(i))[:4] for i in range(3)])
    source = numbers("source", 3, 4)
    store.add("scatter", "dim1", lambda t, i, s, dim: t.scatter(dim, i, s), x, distinct, source, dim=1)
    store.add("scatter", "value", lambda t, i, dim, value: t.scatter(dim, i, value), x, columns, dim=1, value=2.5)
    store.add("scatter_add", "dim1", lambda t, i, s, dim: t.scatter_add(dim, i, s), x, columns, source, dim=1)
    store.add("scatter_add", "dim0", lambda t, i, s, dim: t.scatter_add(dim, i, s), x, rows, numbers("s0", 2, 5), dim=0)
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for include in (True, False):
            store.add(
                "scatter_reduce",
                f"{reduce}_{'with' if include else 'without'}_self",
                lambda t, i, s, dim, reduce, include_self: t.scatter_reduce(
                    dim, i, s, reduce, include_self=include_self
                ),
                x,
                columns,
                source,
                dim=1,
                reduce=reduce,
                include_self=include,
            )


def whole_slices(store) -> None:
    x, columns = numbers("gather", 3, 5), integers("columns", 0, 5, 3, 4)
    pick = torch.tensor([2, 0, 2, 1])
    store.add("index_select", "dim0", lambda t, i, dim: t.index_select(dim, i), x, pick, dim=0)
    store.add("index_select", "dim1", lambda t, i, dim: t.index_select(dim, i), x, pick, dim=1)
    store.add(
        "index_add",
        "repeated",
        lambda t, i, s, dim, alpha: t.index_add(dim, i, s, alpha=alpha),
        x,
        pick,
        numbers("ia", 4, 5),
        dim=0,
        alpha=0.5,
    )
    store.add(
        "index_copy", "dim1", lambda t, i, s, dim: t.index_copy(dim, i, s), x, pick[1:], numbers("ic", 3, 3), dim=1
    )
    store.add("index_fill", "dim1", lambda t, i, dim, value: t.index_fill(dim, i, value), x, pick, dim=1, value=-1.5)
    store.add("take", "flat", torch.take, x, integers("take", -15, 15, 2, 4))
    store.add("take_along_dim", "dim1", torch.take_along_dim, x, columns, dim=1)


def masks(store) -> None:
    x = numbers("masks", 3, 5)
    store.add("masked_fill", "scalar", lambda t, m, value: t.masked_fill(m, value), x, MASK, value=-7.0)
    store.add("masked_fill", "broadcast", lambda t, m, value: t.masked_fill(m, value), x, MASK[0], value=float(3))
    store.add("masked_select", "basic", torch.masked_select, x, MASK)
    store.add("masked_scatter", "basic", lambda t, m, s: t.masked_scatter(m, s), x, MASK, numbers("ms", 10))
    store.add("nonzero", "basic", torch.nonzero, MASK)
    store.add("one_hot", "basic", F.one_hot, integers("onehot", 0, 4, 2, 3), num_classes=5)


def brackets(store) -> None:
    """The kwarg `index` is the Python expression; i, j are in1, in2 (m: a boolean in1)."""
    x, i, j = numbers("brackets", 4, 3, 5), torch.tensor([2, 0, -1, 2]), torch.tensor([[1], [0]])
    k = torch.tensor([0, 2, 1, -2])
    mask = torch.tensor([True, False, False, True])

    def get(name, text, *indices):
        store.add(
            "getitem",
            name,
            lambda t, *a, index: eval(f"t[{index}]", {"t": t, "i": a and a[0], "j": a[-1:] and a[-1], "m": a and a[0]}),
            x,
            *indices,
            index=text,
        )

    get("int", "1")
    get("negative", "-1, ..., 2")
    get("slice", "1:4:2, :, ::3")
    get("none", "None, 2, :, None")
    get("ellipsis", "..., 1:3")
    get("one_tensor", "i", i)
    get("middle_tensor", ":, j", j % 3)
    get("two_tensors", "i, :, j", i, k)
    get("two_adjacent", ":, i, j", torch.tensor([2, 0, -1]), torch.tensor([4, 1, 1]))
    get("broadcast", "i, j", i, j)
    get("mask", "m", mask)
    get("mask_slice", "m, 1:, None", mask)
    get("full_mask", "m", x > 0.5)


def bracket_writes(store) -> None:
    x, i = numbers("brackets", 4, 3, 5), torch.tensor([2, 0, -1, 2])
    mask = torch.tensor([True, False, False, True])

    def put(t, values, *a, index, accumulate):
        result = t.clone()
        return result.index_put(tuple(a), values, accumulate=accumulate)

    store.add(
        "index_put",
        "set",
        put,
        x,
        numbers("ip", 2, 5),
        torch.tensor([2, 0]),
        torch.tensor([1, 2]),
        index="i, j",
        accumulate=False,
    )
    store.add("index_put", "accumulate", put, x, numbers("ip", 4, 3, 5), i, index="i", accumulate=True)
    store.add("index_put", "broadcast", put, x, numbers("ip", 5), i, index="i", accumulate=True)
    store.add("index_put", "mask", put, x, numbers("ip", 2, 3, 5), mask, index="m", accumulate=False)


def assign(t, value, index):
    result = t.clone()
    exec(f"r[{index}] = v", {"r": result, "v": value})
    return result


def shapes(store) -> None:
    x = numbers("shapes", 3, 4, 5)
    for name, index in (("column", ":, 0"), ("slice", "1:, ::2"), ("last", "..., -1")):
        store.add("setitem", name, assign, x, numbers("set", 1), index=index)
    a, b = numbers("cat_a", 2, 3), numbers("cat_b", 2, 3)
    for dim in (0, 1):
        store.add("cat", f"dim{dim}", lambda *t, dim: torch.cat(t, dim), a, b, a * 2, dim=dim)
        store.add("stack", f"dim{dim}", lambda *t, dim: torch.stack(t, dim), a, b, dim=dim)
    store.add("split", "uneven", torch.split, x, split_size_or_sections=2, dim=2)
    store.add("chunk", "three", torch.chunk, x, chunks=3, dim=1)
    store.add("permute", "basic", torch.permute, x, dims=[2, 0, 1])
    store.add("transpose", "basic", torch.transpose, x, dim0=0, dim1=-1)
    store.add("movedim", "basic", torch.movedim, x, source=0, destination=2)
    store.add("flip", "two", torch.flip, x, dims=[0, 2])
    store.add("roll", "one", torch.roll, x, shifts=[2], dims=[1])
    store.add("roll", "two", torch.roll, x, shifts=[1, -2], dims=[0, 2])
    store.add("expand", "basic", lambda t, size: t.expand(size), numbers("expand", 3, 1), size=[2, 3, 4])
    store.add("repeat", "basic", lambda t, repeats: t.repeat(repeats), a, repeats=[2, 1, 2])
    store.add("repeat_interleave", "dim1", torch.repeat_interleave, a, repeats=2, dim=1)
    store.add("tril", "minus", torch.tril, numbers("tri", 2, 4, 5), diagonal=-1)
    store.add("triu", "plus", torch.triu, numbers("tri", 2, 4, 5), diagonal=1)
    store.add("diagonal", "offset", torch.diagonal, x, offset=1, dim1=1, dim2=2)
    store.add("diag", "vector", torch.diag, numbers("diag", 3), diagonal=1)
    store.add(
        "unfold",
        "overlap",
        lambda t, dimension, size, step: t.unfold(dimension, size, step),
        x,
        dimension=2,
        size=3,
        step=1,
    )
    image = numbers("pad", 2, 3, 4, 5)
    store.add("pad", "constant", F.pad, image, pad=[1, 2, 0, 3], value=1.5)
    store.add("pad", "negative", F.pad, image, pad=[-1, 2, -1, -1])
    for mode in ("reflect", "replicate", "circular"):
        store.add("pad", mode, F.pad, image, pad=[1, 2, 2, 1], mode=mode)
    store.add("interpolate", "nearest", F.interpolate, image, scale_factor=2.0, mode="nearest")
    store.add("interpolate", "bilinear", F.interpolate, image, size=[7, 8], mode="bilinear", align_corners=False)
    store.add("interpolate", "bilinear_corners", F.interpolate, image, size=[7, 8], mode="bilinear", align_corners=True)


def add_cases(store) -> None:
    gather_scatter(store)
    whole_slices(store)
    masks(store)
    brackets(store)
    bracket_writes(store)
    shapes(store)
