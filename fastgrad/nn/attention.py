"""Attention around the engine's own: scaled_dot_product_attention, multi_head_attention_forward.

Masks of bools say who may take part in scaled_dot_product_attention and who may not in multi_head_attention_forward, as in PyTorch;
masks of floats are added to the scores.
"""

import math

import fastgrad as fg
from fastgrad._engine import Tensor
from fastgrad._ops import _attention, dropout, linear


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False):
    """softmax(scale Q K^T + mask) V.

    Args:
        query: (*, heads, L, E).
        key: (*, heads, S, E).
        value: (*, heads, S, Ev).
        attn_mask: broadcast to (*, heads, L, S): bools, True where a key takes part, or floats, which are added.
        dropout_p: probability with which a weight is dropped; in evaluation too.
        is_causal: query i sees keys 0 to i.
        scale: factor of the scores, 1 / sqrt(E) by default.
        enable_gqa: key and value may have fewer heads, each serving several of query's.

    Returns: (*, heads, L, Ev).
    Source: Vaswani et al., Attention is all you need, 2017.
    """
    if not (isinstance(query, Tensor) and isinstance(key, Tensor) and isinstance(value, Tensor)):
        name, given = next(one for one in (("query", query), ("key", key), ("value", value)) if not isinstance(one[1], Tensor))
        raise TypeError(f"scaled_dot_product_attention(): argument '{name}' must be Tensor, not {type(given).__name__}")
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(f"Expected query, key, and value to have the same dtype, but got query.dtype: {query.dtype} key.dtype: "
                           f"{key.dtype} and value.dtype: {value.dtype} instead.")
    if query.dim() < 2 or key.dim() < 2 or value.dim() < 2:
        raise RuntimeError(f"Expected query, key, and value to all be at least 2 dimensional, but got query.dim: {query.dim()}, "
                           f"key.dim: {key.dim()} and value.dim: {value.dim()} instead.")
    if is_causal and attn_mask is not None:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if attn_mask is not None and attn_mask.dtype not in (fg.bool, query.dtype):
        if attn_mask.dtype != fg.float32:
            raise RuntimeError(f"Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                               f"{attn_mask.dtype} and  query.dtype: {query.dtype} instead.")
        attn_mask = attn_mask.to(query.dtype)
    if scale is None:
        scale = 1 / math.sqrt(query.size(-1)) if query.size(-1) else math.inf
    if not enable_gqa:
        return _attention(query, key, value, attn_mask, dropout_p, is_causal, scale)
    heads = query.size(-3)
    if heads % key.size(-3) or heads % value.size(-3):
        raise RuntimeError("Number of heads in key and value must divide the number of heads in query")
    return grouped_attention(query, key, value, attn_mask, dropout_p, is_causal, scale)


def grouped_attention(query, key, value, mask, dropout_p, is_causal, scale):
    """Key and value have fewer heads: each serves a group of query's, a dimension along which it broadcasts."""
    heads, groups = query.size(-3), max(key.size(-3), value.size(-3))
    if min(key.size(-3), value.size(-3)) < groups:
        key, value = (t.repeat_interleave(groups // t.size(-3), -3) for t in (key, value))
    query = query.unflatten(-3, (groups, heads // groups))
    key, value = key.unsqueeze(-3), value.unsqueeze(-3)
    if mask is not None and mask.dim() > 2:
        mask = mask.unsqueeze(-3) if mask.size(-3) == 1 else mask.unflatten(-3, (groups, heads // groups))
    return _attention(query, key, value, mask, dropout_p, is_causal, scale).flatten(-4, -3)


def float_mask(mask, name, dtype):
    """A mask to add: of floats as it is, of bools with -inf where True."""
    if mask is None:
        return None
    if mask.dtype != fg.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if mask.dtype == fg.bool:
        return fg.zeros(mask.shape, dtype=dtype).masked_fill(mask, -math.inf)
    return mask


def check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads):
    """Whether there is a batch; raises where the shapes do not agree."""
    if query.dim() not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor")
    kind = "batched" if query.dim() == 3 else "unbatched"
    if key.dim() != query.dim() or value.dim() != query.dim():
        raise AssertionError(f"For {kind} ({query.dim()}-D) `query`, expected `key` and `value` to be {query.dim()}-D but found "
                             f"{key.dim()}-D and {value.dim()}-D tensors respectively")
    if key_padding_mask is not None and key_padding_mask.dim() != query.dim() - 1:
        raise AssertionError(f"For {kind} ({query.dim()}-D) `query`, expected `key_padding_mask` to be `None` or {query.dim() - 1}-D but "
                             f"found {key_padding_mask.dim()}-D tensor instead")
    if attn_mask is not None:
        if attn_mask.dim() not in (2, 3):
            raise AssertionError(f"For {kind} ({query.dim()}-D) `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found "
                                 f"{attn_mask.dim()}-D tensor instead")
        if query.dim() == 2 and attn_mask.dim() == 3 and attn_mask.size(0) != num_heads:
            raise AssertionError(f"Expected `attn_mask` shape to be {(num_heads, query.shape[0], key.shape[0])} but got {attn_mask.shape}")
    return query.dim() == 3


def projected(query, key, value, in_proj_weight, separate, bias):
    """Query, key and value after their input projections: one product where they are the same tensor."""
    size = query.size(-1)
    if separate is None:
        if query is key and key is value:
            return linear(query, in_proj_weight, bias).chunk(3, -1)
        if key is value:
            q_weight, kv_weight = in_proj_weight.split([size, 2 * size])
            q_bias, kv_bias = (None, None) if bias is None else bias.split([size, 2 * size])
            return linear(query, q_weight, q_bias), *linear(key, kv_weight, kv_bias).chunk(2, -1)
        separate = in_proj_weight.chunk(3)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    return tuple(linear(x, w, b) for x, w, b in zip((query, key, value), separate, biases))


def multi_head_attention_forward(query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v,
                                 add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None,
                                 need_weights=True, attn_mask=None, use_separate_proj_weight=False, q_proj_weight=None,
                                 k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None, average_attn_weights=True,
                                 is_causal=False):
    """Attention of several heads between projections; see nn.MultiheadAttention.

    Args:
        query, key, value: (L, batch, E), (S, batch, kdim), (S, batch, vdim), or the same without a batch.
        in_proj_weight, in_proj_bias: of the three input projections, one below the other; with use_separate_proj_weight
            q_proj_weight, k_proj_weight and v_proj_weight instead.
        bias_k, bias_v: one more key and value, or None.
        add_zero_attn: one more key and value of zeros.
        key_padding_mask: (batch, S), True (or -inf) for keys to leave out.
        attn_mask: (L, S) or (batch * heads, L, S), True (or -inf) where a key is left out.
        static_k, static_v: (batch * heads, S, E / heads), instead of projected ones.
        need_weights: also return the weights, averaged over heads with average_attn_weights.
        is_causal: a hint that attn_mask is causal.
    """
    batched = check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if not batched:
        same_key, same_value = key is query, value is key
        query = query.unsqueeze(1)
        key = query if same_key else key.unsqueeze(1)
        value = key if same_value else value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, embed = query.shape
    if embed != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {embed}")
    head = embed // num_heads
    if head * num_heads != embed:
        raise AssertionError(f"embed_dim {embed} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    elif key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    key_padding_mask = float_mask(key_padding_mask, "key_padding_mask", query.dtype)
    attn_mask = float_mask(attn_mask, "attn_mask", query.dtype)
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = projected(query, key, value, in_proj_weight, separate, in_proj_bias)
    if attn_mask is not None:
        wanted = (length, key.size(0)) if attn_mask.dim() == 2 else (batch * num_heads, length, key.size(0))
        if tuple(attn_mask.shape) != wanted:
            raise RuntimeError(f"The shape of the {attn_mask.dim()}D attn_mask is {attn_mask.shape}, but should be {wanted}.")
        if attn_mask.dim() == 2:
            attn_mask = attn_mask.unsqueeze(0)
    extra = 0
    if bias_k is not None and bias_v is not None:
        k, v = fg.cat([k, bias_k.repeat(1, batch, 1)]), fg.cat([v, bias_v.repeat(1, batch, 1)])
        extra += 1

    def by_heads(t, static):
        if static is None:
            return t.reshape(t.size(0), batch * num_heads, head).transpose(0, 1)
        if static.size(0) != batch * num_heads or static.size(2) != head:
            raise AssertionError(f"expecting static key and value of sizes {(batch * num_heads, head)}, got {static.shape}")
        return static

    q, k, v = by_heads(q, None), by_heads(k, static_k), by_heads(v, static_v)
    if add_zero_attn:
        k, v = (fg.cat([t, t.new_zeros((t.size(0), 1, head))], 1) for t in (k, v))
        extra += 1

    def with_extra(mask):
        return mask if mask is None or not extra else fg.cat([mask, mask.new_zeros((*mask.shape[:-1], extra))], -1)

    attn_mask, key_padding_mask = with_extra(attn_mask), with_extra(key_padding_mask)
    source = k.size(1)
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (batch, source):
            raise AssertionError(f"expecting key_padding_mask shape of {(batch, source)}, but got {key_padding_mask.shape}")
        padding = key_padding_mask.view(batch, 1, 1, source).expand(-1, num_heads, -1, -1).reshape(batch * num_heads, 1, source)
        attn_mask = padding if attn_mask is None else attn_mask + padding
    p = dropout_p if training else 0.0
    if not need_weights:
        if attn_mask is not None:
            attn_mask = attn_mask.unsqueeze(0) if attn_mask.size(0) == 1 else attn_mask.view(batch, num_heads, attn_mask.size(1), source)
        out = scaled_dot_product_attention(*(t.view(batch, num_heads, t.size(1), head) for t in (q, k, v)), attn_mask, p)
        out = out.permute(2, 0, 1, 3).reshape(length * batch, embed)
        out = linear(out, out_proj_weight, out_proj_bias).unflatten(0, (length, batch))
        return (out if batched else out.squeeze(1)), None
    scores = (q * math.sqrt(1 / head)) @ k.transpose(-2, -1)
    weights = (scores if attn_mask is None else scores + attn_mask).softmax(-1)
    if p:
        weights = dropout(weights, p, True)
    out = (weights @ v).transpose(0, 1).reshape(length * batch, embed)
    out = linear(out, out_proj_weight, out_proj_bias).unflatten(0, (length, batch))
    weights = weights.view(batch, num_heads, length, source)
    if average_attn_weights:
        weights = weights.mean(1)
    return (out, weights) if batched else (out.squeeze(1), weights.squeeze(0))
