# Cases of matrix products, attention, embedding and rotary positions.

import torch
import torch.nn.functional as F

from op_store import integers, numbers

MATMUL = {
    "dot": ((5,), (5,)),
    "matrix_vector": ((3, 5), (5,)),
    "vector_matrix": ((5,), (5, 4)),
    "plain": ((3, 5), (5, 4)),
    "tails": ((33, 65), (65, 17)),
    "batch": ((2, 3, 5), (2, 5, 4)),
    "broadcast": ((2, 1, 3, 5), (4, 5, 2)),
    "batch_vector": ((2, 3, 5), (5,)),
    "vector_batch": ((5,), (2, 5, 4)),
    "row": ((1, 7), (7, 1)),
    "no_inner": ((3, 0), (0, 4)),
    "no_rows": ((0, 5), (5, 4)),
}
EINSUM = {
    "matmul": ("ij,jk->ik", (3, 4), (4, 5)),
    "implicit": ("ij,jk", (3, 4), (4, 5)),
    "trace": ("ii->", (4, 4)),
    "diagonal": ("ii->i", (4, 4)),
    "outer": ("i,j->ij", (3,), (4,)),
    "heads": ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    "sum_all": ("ijk->", (2, 3, 4)),
    "transpose": ("ijk->kji", (2, 3, 4)),
    "ellipsis": ("...ij,...jk->...ik", (2, 3, 4), (4, 5)),
    "three": ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    "bilinear": ("bn,anm,bm->ba", (2, 3), (4, 3, 5), (2, 5)),
}


def products(store) -> None:
    for name, (left, right) in MATMUL.items():
        store.add("matmul", name, torch.matmul, numbers("mm_a", *left), numbers("mm_b", *right))
    store.add("bmm", "basic", torch.bmm, numbers("bmm_a", 3, 2, 5), numbers("bmm_b", 3, 5, 4))
    scales = dict(beta=0.5, alpha=2.0)
    store.add("addmm", "scaled", torch.addmm, numbers("am", 4), numbers("am_a", 3, 5), numbers("am_b", 5, 4), **scales)
    store.add(
        "baddbmm",
        "scaled",
        torch.baddbmm,
        numbers("ba", 3, 2, 4),
        numbers("ba_a", 3, 2, 5),
        numbers("ba_b", 3, 5, 4),
        **scales,
    )
    store.add("addmv", "scaled", torch.addmv, numbers("mv", 3), numbers("mv_a", 3, 5), numbers("mv_b", 5), **scales)
    store.add("outer", "basic", torch.outer, numbers("outer_a", 3), numbers("outer_b", 4))
    store.add("dot", "basic", torch.dot, numbers("dot_a", 37), numbers("dot_b", 37))
    store.add("kron", "basic", torch.kron, numbers("kron_a", 2, 3), numbers("kron_b", 3, 2))
    store.add(
        "tensordot", "one", torch.tensordot, numbers("td_a", 2, 3, 4), numbers("td_b", 4, 3, 5), dims=([1, 2], [1, 0])
    )
    for name, (text, *shapes) in EINSUM.items():
        store.add(
            "einsum",
            name,
            lambda *t, equation: torch.einsum(equation, *t),
            *(numbers(f"ein{i}", *s) for i, s in enumerate(shapes)),
            equation=text,
        )


def more_products(store) -> None:
    x, w, b = numbers("lin_x", 2, 3, 19), numbers("lin_w", 13, 19), numbers("lin_b", 13)
    store.add("linear", "bias", F.linear, x, w, b)
    store.add("linear", "plain", F.linear, x, w)
    store.add("matmul", "int64", torch.matmul, integers("mmi_a", -9, 9, 3, 5), integers("mmi_b", -9, 9, 5, 4))
    for dtype in (torch.bfloat16, torch.float16):
        store.add(
            "matmul",
            str(dtype)[6:],
            torch.matmul,
            numbers("mml_a", 5, 70).to(dtype),
            numbers("mml_b", 70, 9).to(dtype),
            grad=False,
        )
    store.add("cdist", "two", torch.cdist, numbers("cd_a", 3, 4), numbers("cd_b", 5, 4), p=2.0)
    store.add("cosine_similarity", "dim1", F.cosine_similarity, numbers("cs_a", 3, 4), numbers("cs_b", 3, 4), dim=1)


def attention(store) -> None:
    def qkv(name, queries, keys, heads, kv_heads, width=8, batch=2):
        return (
            numbers(name + "q", batch, heads, queries, width),
            numbers(name + "k", batch, kv_heads, keys, width),
            numbers(name + "v", batch, kv_heads, keys, width),
        )

    attend = F.scaled_dot_product_attention
    store.add("attention", "plain", attend, *qkv("plain", 5, 7, 2, 2))
    store.add("attention", "causal", attend, *qkv("causal", 7, 7, 2, 2), is_causal=True)
    store.add("attention", "scale", attend, *qkv("scale", 5, 7, 2, 2), is_causal=False, scale=0.7)
    store.add("attention", "gqa", attend, *qkv("gqa", 6, 6, 4, 2), is_causal=True, enable_gqa=True)
    store.add("attention", "mqa", attend, *qkv("mqa", 5, 9, 3, 1), enable_gqa=True)
    store.add(
        "attention", "long", attend, *qkv("long", 70, 70, 2, 1, width=12, batch=1), is_causal=True, enable_gqa=True
    )
    store.add("attention", "one_query", attend, *qkv("one", 1, 133, 2, 1, batch=1), enable_gqa=True)
    store.add("attention", "float_mask", attend, *qkv("fmask", 5, 7, 2, 2), numbers("fmask", 5, 7))
    mask = integers("bmask", 0, 3, 2, 1, 5, 7).bool()
    mask[..., 0] = True
    store.add("attention", "bool_mask", attend, *qkv("bmask", 5, 7, 2, 2), mask)


def rotate_half(x, theta, offset):
    """Rotary positions as Hugging Face lays them out: the pair of lane i is lane i + D/2."""
    angles = frequencies(x, theta, offset)
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], -1)


def rotate_pairs(x, theta, offset):
    """Rotary positions as llama2.c lays them out: the pair of lane 2i is lane 2i + 1."""
    angles = frequencies(x, theta, offset)
    even, odd = x[..., ::2], x[..., 1::2]
    turned = torch.stack([even * angles.cos() - odd * angles.sin(), odd * angles.cos() + even * angles.sin()], -1)
    return turned.flatten(-2)


def frequencies(x, theta, offset):
    width = x.shape[-1]
    inverse = theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    return (torch.arange(x.shape[0], dtype=torch.float64) + offset)[:, None, None] * inverse


def lookup(store) -> None:
    ids = torch.tensor([[1, 4, 1], [0, 6, 2]])
    store.add("embedding", "repeated", lambda i, w: F.embedding(i, w), ids, numbers("emb", 7, 5))
    store.add(
        "embedding",
        "padding",
        lambda i, w, padding_idx: F.embedding(i, w, padding_idx=padding_idx),
        ids,
        numbers("emb", 7, 5),
        padding_idx=1,
    )
    for name, offset in (("start", 0), ("later", 1000)):
        store.add("rotary_half", name, rotate_half, numbers("rot", 6, 2, 8), theta=10000.0, offset=offset)
        store.add("rotary_pairs", name, rotate_pairs, numbers("rot", 6, 2, 8), theta=10000.0, offset=offset)


def add_cases(store) -> None:
    products(store)
    more_products(store)
    attention(store)
    lookup(store)
