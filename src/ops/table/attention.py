"""Attention."""
from row import kernel, structured

kernel("attention_forward", "T T T T b8", "float", cut="outer")
kernel("attention_shares", "T T", "float", cut="first")
kernel("attention_backward", "T T T T T T b8", "float", cut="outer")

structured("_attention(query, key, value, attn_mask, dropout_p: float, is_causal: bool, scale: float)",
           "softmax(scale query key^T + attn_mask) value, dropped out, over the last two dimensions; batches broadcast.",
           entry="attention_entry", backward="attention_backward", function="functional", method=False, node="ScaledDotProductFlashAttentionForCpu")
