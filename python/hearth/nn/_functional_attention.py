"""nn.functional: linear layers and attention."""
import math
import warnings

import hearth

from .. import _C
from .._function import function
from ._functional_dropout import dropout

_op = function("hidden", module=globals())


def _complex_linear(input, weight, bias):
    made = hearth.matmul(input, weight.t() if weight.dim() == 2 else weight)
    return made if bias is None else made + bias


@_op
def linear(input, weight, bias=None):
    """input weight^T + bias."""
    if weight.dim() == 2 and input.is_floating_point() and input.dim() and input.dtype == weight.dtype:
        if bias is None or (bias.dim() == 1 and bias.shape[0] == weight.shape[0] and bias.dtype == input.dtype):
            return _C._nn_linear(input, weight, bias)
    if weight.dim() not in (1, 2):
        raise RuntimeError(f"linear: weight must have one or two dimensions, got {list(weight.shape)}")
    return _complex_linear(input, weight, bias)


@_op
def bilinear(input1, input2, weight, bias=None):
    """input1^T weight[o] input2 + bias[o] for each output o."""
    if input1.dim() != input2.dim():
        raise RuntimeError("bilinear(): input dimensions do not match: got " f"{input1.dim()} and {input2.dim()}")
    for d in range(input1.dim() - 1):
        if input1.shape[d] != input2.shape[d]:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {d}: got {input1.shape[d]} and "
                               f"{input2.shape[d]}")
    if input1.shape[-1] != weight.shape[1] or input2.shape[-1] != weight.shape[2]:
        raise RuntimeError(f"bilinear(): input sizes do not match weight sizes: got {input1.shape[-1]} and "
                           f"{input2.shape[-1]} but expected {weight.shape[1]} and {weight.shape[2]}")
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected "
                           f"{weight.shape[0]}")
    batch = list(input1.shape[:-1])
    count = math.prod(batch)
    a, b = input1.reshape(count, input1.shape[-1]), input2.reshape(count, input2.shape[-1])
    outputs, left, right = weight.shape
    # [count, outputs, right], then the sum over the right one.
    mixed = hearth.matmul(a, weight.permute(1, 0, 2).reshape(left, outputs * right)).reshape(count, outputs, right)
    made = hearth.matmul(mixed, b.unsqueeze(-1)).reshape([*batch, outputs])
    return made if bias is None else made + bias


@_op
def conv_tbc(input, weight, bias, pad=0):
    """conv1d of [time, batch, channels] with weight [width, in, out]."""
    made = hearth.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return made.permute(2, 0, 1)


@_op
def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None,
                                 enable_gqa=False):
    """softmax(query key^T scale + mask) value."""
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.dim() < 2:
            raise RuntimeError(f"scaled_dot_product_attention: {name} must be at least 2 dimensional, got {x.dim()}")
    if is_causal and attn_mask is not None:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if attn_mask is not None and attn_mask.dtype not in (_C.bool, query.dtype):
        if attn_mask.dtype != _C.float32:
            raise RuntimeError("Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                               f"{attn_mask.dtype} and query.dtype: {query.dtype} instead.")
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p}")
    if dropout_p == 0:
        return _C._nn_attention(query, key, value, attn_mask, is_causal, scale, enable_gqa)
    return _attention_with_dropout(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)


def _attention_with_dropout(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa):
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    # The root of the scale goes to either side, as where PyTorch composes the same.
    root = math.sqrt(abs(scale))
    scores = hearth.matmul(query * math.copysign(root, scale), (key * root).transpose(-2, -1))
    if is_causal:
        attn_mask = hearth.ones(query.shape[-2], key.shape[-2], dtype=_C.bool).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == _C.bool else scores + attn_mask
    blind = (scores == -math.inf).all(-1, keepdim=True)
    weights = scores.masked_fill(blind, 0).softmax(-1).masked_fill(blind, 0)
    return hearth.matmul(dropout(weights, dropout_p, True), value)


def _canonical_mask(mask, name, other_dtype, target, check_other=True):
    """A bool mask as numbers to add; others are checked."""
    if mask is None:
        return None
    if mask.dtype != _C.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if check_other and other_dtype is not None and mask.dtype != other_dtype:
        warnings.warn(f"Support for mismatched {name} and attn_mask is deprecated. Use same type for both instead.",
                      stacklevel=3)
    if mask.is_floating_point():
        return mask
    return hearth.zeros_like(mask, dtype=target).masked_fill_(mask, -math.inf)


def _in_projection_packed(query, key, value, weight, bias):
    size = query.shape[-1]
    if key is value and query is key:
        parts = linear(query, weight, bias).unflatten(-1, (3, size)).unbind(-2)
        return [part.contiguous() for part in parts]
    w, b = weight.chunk(3), (None,) * 3 if bias is None else bias.chunk(3)
    return [linear(x, w[i], b[i]) for i, x in enumerate((query, key, value))]


def _check_mha_shapes(query, key, value, key_padding_mask, attn_mask, num_heads):
    """Whether there is a batch; AssertionError for shapes that do not fit."""
    def need(condition, text):
        if not condition:
            raise AssertionError(text)

    need(query.dim() in (2, 3), f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor")
    rank = query.dim()
    need(key.dim() == rank and value.dim() == rank, f"For {rank}-D `query`, expected `key` and `value` to be {rank}-D but found "
         f"{key.dim()}-D and {value.dim()}-D tensors respectively")
    if key_padding_mask is not None:
        need(key_padding_mask.dim() == rank - 1, f"For {rank}-D `query`, expected `key_padding_mask` to be `None` or "
             f"{rank - 1}-D but found {key_padding_mask.dim()}-D tensor instead")
    if attn_mask is not None:
        need(attn_mask.dim() in (2, 3), f"expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor "
             "instead")
        if rank == 2 and attn_mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            need(tuple(attn_mask.shape) == expected, f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}")
    return rank == 3


def _projected(query, key, value, p):
    if not p["use_separate_proj_weight"]:
        if p["in_proj_weight"] is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        return _in_projection_packed(query, key, value, p["in_proj_weight"], p["in_proj_bias"])
    weights = [p[name] for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight")]
    for name, weight in zip("qkv", weights):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
    biases = (None,) * 3 if p["in_proj_bias"] is None else p["in_proj_bias"].chunk(3)
    return [linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]


def _check_heads(query, key, value, p):
    size, heads = query.shape[-1], p["num_heads"]
    if size != p["embed_dim_to_check"]:
        raise AssertionError(f"was expecting embedding dimension of {p['embed_dim_to_check']}, but got {size}")
    if size % heads:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {heads}")
    if p["use_separate_proj_weight"]:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    elif key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    return heads, size // heads


def _mask_3d(attn_mask, batch, heads, target, source):
    if attn_mask is None:
        return None
    if attn_mask.dim() == 2:
        if tuple(attn_mask.shape) != (target, source):
            raise RuntimeError(f"The shape of the 2D attn_mask is {attn_mask.shape}, but should be {(target, source)}.")
        return attn_mask.unsqueeze(0)
    if tuple(attn_mask.shape) != (batch * heads, target, source):
        raise RuntimeError(f"The shape of the 3D attn_mask is {attn_mask.shape}, but should be "
                           f"{(batch * heads, target, source)}.")
    return attn_mask


def _padded(mask):
    return None if mask is None else _C._nn_pad(mask, [0, 1], "constant", 0)


def _heads_first(x, batch, heads, width, static, name):
    if static is None:
        return x.reshape(x.shape[0], batch * heads, width).transpose(0, 1)
    if static.shape[0] != batch * heads:
        raise AssertionError(f"expecting {name}.size(0) of {batch * heads}, but got {static.shape[0]}")
    if static.shape[2] != width:
        raise AssertionError(f"expecting {name}.size(2) of {width}, but got {static.shape[2]}")
    return static


def _attend(q, k, v, mask, batch, heads, width, p, causal):
    """(the output rows, the weights or None)."""
    target, source = q.shape[1], k.shape[1]
    drop = p["dropout_p"] if p["training"] else 0.0
    if not p["need_weights"]:
        if mask is not None:
            mask = mask.unsqueeze(0) if mask.shape[0] == 1 and mask.dim() == 3 else mask.reshape(batch, heads, -1, source)
        shaped = [x.reshape(batch, heads, x.shape[1], width) for x in (q, k, v)]
        rows = scaled_dot_product_attention(*shaped, mask, drop, causal)
        return rows.permute(2, 0, 1, 3).reshape(target * batch, heads * width), None
    if causal and mask is None:
        raise AssertionError("FIXME: is_causal not implemented for need_weights")
    scores = hearth.matmul(q * math.sqrt(1.0 / width), k.transpose(-2, -1))
    weights = (scores if mask is None else scores + mask).softmax(-1)
    if drop > 0.0:
        weights = dropout(weights, drop)
    rows = hearth.matmul(weights, v).transpose(0, 1).reshape(target * batch, heads * width)
    return rows, weights


def _causal_mask(p, key_padding_mask):
    """(mask, whether the kernel may use the causal hint instead)."""
    mask, causal = p["attn_mask"], p["is_causal"]
    if causal and mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if causal and key_padding_mask is None and not p["need_weights"]:
        return None, True
    return mask, False


def _multi_head(query, key, value, p):
    batched = _check_mha_shapes(query, key, value, p["key_padding_mask"], p["attn_mask"], p["num_heads"])
    padding = p["key_padding_mask"]
    if not batched:
        shared = key is value, query is key
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        value = key if shared[0] else value
        key, value = (query, query) if all(shared) else (key, value)
        padding = None if padding is None else padding.unsqueeze(0)
    target, batch, size = query.shape
    mask_dtype = None if p["attn_mask"] is None else p["attn_mask"].dtype
    padding = _canonical_mask(padding, "key_padding_mask", mask_dtype, query.dtype)
    mask, causal = _causal_mask(p, padding)
    mask = _canonical_mask(mask, "attn_mask", None, query.dtype, False)
    heads, width = _check_heads(query, key, value, p)
    q, k, v = _projected(query, key, value, p)
    mask = _mask_3d(mask, batch, heads, target, key.shape[0])
    if p["bias_k"] is not None and p["bias_v"] is not None:
        if p["static_k"] is not None or p["static_v"] is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k, v = (hearth.cat([x, p[name].repeat(1, batch, 1)]) for x, name in ((k, "bias_k"), (v, "bias_v")))
        mask, padding = _padded(mask), _padded(padding)
    q = q.reshape(target, batch * heads, width).transpose(0, 1)
    k = _heads_first(k, batch, heads, width, p["static_k"], "static_k")
    v = _heads_first(v, batch, heads, width, p["static_v"], "static_v")
    if p["add_zero_attn"]:
        k, v = (hearth.cat([x, hearth.zeros(batch * heads, 1, width, dtype=x.dtype)], 1) for x in (k, v))
        mask, padding = _padded(mask), _padded(padding)
    source = k.shape[1]
    if padding is not None:
        if tuple(padding.shape) != (batch, source):
            raise AssertionError(f"expecting key_padding_mask shape of {(batch, source)}, but got {padding.shape}")
        padding = padding.reshape(batch, 1, 1, source).expand(-1, heads, -1, -1).reshape(batch * heads, 1, source)
        mask = padding if mask is None else mask + padding
    rows, weights = _attend(q, k, v, mask, batch, heads, width, p, causal)
    output = linear(rows, p["out_proj_weight"], p["out_proj_bias"]).reshape(target, batch, -1)
    if weights is not None:
        weights = weights.reshape(batch, heads, target, source)
        weights = weights.mean(1) if p["average_attn_weights"] else weights
    if batched:
        return output, weights
    return output.squeeze(1), None if weights is None else weights.squeeze(0)


def multi_head_attention_forward(
        query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn,
        dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None, need_weights=True,
        attn_mask=None, use_separate_proj_weight=False, q_proj_weight=None, k_proj_weight=None, v_proj_weight=None,
        static_k=None, static_v=None, average_attn_weights=True, is_causal=False):
    """Attention of several heads with its projections: (output [L, N, E], weights [N, L, S] or None)."""
    parameters = dict(locals())
    for name in ("query", "key", "value"):
        del parameters[name]
    return _multi_head(query, key, value, parameters)
