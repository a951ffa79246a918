"""Transformers: encoder and decoder layers, stacks of them, and the whole."""

import copy

import fastgrad as fg

from .. import functional as F
from .. import init
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module

__all__ = ["Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer"]


def _activation(given):
    if not isinstance(given, str):
        return given
    if given == "relu":
        return F.relu
    if given == "gelu":
        return F.gelu
    raise RuntimeError(f"activation should be relu/gelu, not {given}")


def _relu_or_gelu(activation):
    """1 for relu, 2 for gelu, 0 for others."""
    if activation is F.relu or isinstance(activation, fg.nn.ReLU):
        return 1
    return 2 if activation is F.gelu or isinstance(activation, fg.nn.GELU) else 0


def _causal_mask(size, dtype=None, device=None):
    return fg.full((size, size), float("-inf"), dtype=dtype, device=device).triu(diagonal=1)


def _is_causal(mask, given, size):
    """What is_causal says, or else whether the mask is the causal one."""
    if given is not None or mask is None:
        return bool(given)
    if tuple(mask.shape)[-2:] != (size, size):
        return False
    causal = fg.ones((size, size), dtype=fg.bool).triu(1) if mask.dtype == fg.bool else _causal_mask(size, mask.dtype)
    return bool((mask == causal).all())


def _length(x, batch_first):
    return x.size(1) if x.dim() == 3 and batch_first else x.size(0)


def _as_bool(padding):
    return padding if padding.dtype == fg.bool else padding != 0


def _has_fused_form(layer):
    """Whether PyTorch has one fused operation for an encoder layer; only then does its encoder leave padding out."""
    if not isinstance(layer, TransformerEncoderLayer) or layer.norm_first:
        return False
    attention = layer.self_attn
    return bool(attention.batch_first and attention.in_proj_bias is not None and attention.num_heads % 2 == 0
                and layer.activation_relu_or_gelu and layer.norm1.eps == layer.norm2.eps)


class _Layer(Module):
    """What encoder and decoder layers share."""

    __constants__ = ["norm_first"]

    def _feed_forward_parts(self, d_model, dim_feedforward, dropout, bias, made):
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **made)

    def _norms_and_dropouts(self, count, d_model, eps, dropout, bias, made):
        for i in range(count):
            setattr(self, f"norm{i + 1}", fg.nn.LayerNorm(d_model, eps=eps, bias=bias, **made))
        for i in range(count):
            setattr(self, f"dropout{i + 1}", Dropout(dropout))

    def _attend(self, attention, x, memory, mask, padding, is_causal, drop):
        return drop(attention(x, memory, memory, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal and mask is not None,
                              need_weights=False)[0])

    def _feed_forward(self, x, drop):
        return drop(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and a feed-forward network, each with a residual connection and a norm.

    Args:
        d_model: features of input and output.
        nhead: heads of the attention.
        dim_feedforward: features between the two linear layers.
        dropout: probability, in three places.
        activation: "relu", "gelu" or a function.
        layer_norm_eps: eps of the norms.
        batch_first: whether the batch comes before the sequence.
        norm_first: norms before attention and feed-forward instead of after.
        bias: whether the linear layers and norms have biases.
    Source: Vaswani et al., Attention is all you need, 2017.
    """

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation=F.relu, layer_norm_eps=1e-5, batch_first=False,
                 norm_first=False, bias=True, device=None, dtype=None):
        super().__init__()
        made = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **made)
        self._feed_forward_parts(d_model, dim_feedforward, dropout, bias, made)
        self.norm_first = norm_first
        self._norms_and_dropouts(2, d_model, layer_norm_eps, dropout, bias, made)
        self.activation = _activation(activation)
        self.activation_relu_or_gelu = _relu_or_gelu(self.activation)    # read by PyTorch's layer too, once a file is loaded there

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        x = src
        if self.norm_first:
            y = self.norm1(x)
            x = x + self._attend(self.self_attn, y, y, src_mask, src_key_padding_mask, is_causal, self.dropout1)
            return x + self._feed_forward(self.norm2(x), self.dropout2)
        x = self.norm1(x + self._attend(self.self_attn, x, x, src_mask, src_key_padding_mask, is_causal, self.dropout1))
        return self.norm2(x + self._feed_forward(x, self.dropout2))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's output and a feed-forward network; arguments as for TransformerEncoderLayer."""

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation=F.relu, layer_norm_eps=1e-5, batch_first=False,
                 norm_first=False, bias=True, device=None, dtype=None):
        super().__init__()
        made = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, bias=bias, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, bias=bias, **made)
        self._feed_forward_parts(d_model, dim_feedforward, dropout, bias, made)
        self.norm_first = norm_first
        self._norms_and_dropouts(3, d_model, layer_norm_eps, dropout, bias, made)
        self.activation = _activation(activation)

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None,
                tgt_is_causal=False, memory_is_causal=False):
        def to_itself(x):
            return self._attend(self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal, self.dropout1)

        def to_memory(x):
            return self._attend(self.multihead_attn, x, memory, memory_mask, memory_key_padding_mask, memory_is_causal, self.dropout2)

        x = tgt
        if self.norm_first:
            x = x + to_itself(self.norm1(x))
            x = x + to_memory(self.norm2(x))
            return x + self._feed_forward(self.norm3(x), self.dropout3)
        x = self.norm1(x + to_itself(x))
        x = self.norm2(x + to_memory(x))
        return self.norm3(x + self._feed_forward(x, self.dropout3))


class TransformerEncoder(Module):
    """Copies of an encoder layer, one after the other.

    Args:
        encoder_layer: the layer that is copied.
        num_layers: how many copies.
        norm: a module for the output, or None.
        enable_nested_tensor: whether padded places of the output are zeros (before `norm`) in evaluation without gradients, where
            PyTorch leaves them out of its computation; see `_skips_padding`.
        mask_check: False claims that all padding is at the end, so that it need not be checked.
    """

    __constants__ = ["norm"]

    def __init__(self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor and _has_fused_form(encoder_layer)
        self.mask_check = mask_check

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        batch_first = self.layers[0].self_attn.batch_first if self.num_layers else False
        causal = _is_causal(mask, is_causal, _length(src, batch_first))
        skips_padding = self._skips_padding(src, mask, src_key_padding_mask)
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=causal)
        if skips_padding:
            src = src.masked_fill(_as_bool(src_key_padding_mask).unsqueeze(-1), 0)
        return src if self.norm is None else self.norm(src)

    def _skips_padding(self, src, mask, padding):
        """Whether PyTorch's encoder would compute the places that are not padding only, and give zeros at the others."""
        if not self.use_nested_tensor or mask is not None or padding is None or src.dim() != 3:
            return False
        first = self.layers[0]
        if first.training or fg.is_autocast_enabled("cpu") or not fg.backends.mha.get_fastpath_enabled():
            return False
        if fg.is_grad_enabled() and (src.requires_grad or any(p.requires_grad for p in first.parameters())):
            return False
        padded = _as_bool(padding)
        return not self.mask_check or bool((padded[:, 1:] >= padded[:, :-1]).all())


class TransformerDecoder(Module):
    """Copies of a decoder layer, one after the other; arguments as for TransformerEncoder."""

    __constants__ = ["norm"]

    def __init__(self, decoder_layer, num_layers, norm=None):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None,
                tgt_is_causal=None, memory_is_causal=False):
        batch_first = self.layers[0].self_attn.batch_first if self.num_layers else False
        causal = _is_causal(tgt_mask, tgt_is_causal, _length(tgt, batch_first))
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                        memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal, memory_is_causal=memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias: of the layers.
        num_encoder_layers, num_decoder_layers: layers of either.
        custom_encoder, custom_decoder: modules instead of them.
    Source: Vaswani et al., Attention is all you need, 2017.
    """

    def __init__(self, d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048, dropout=0.1,
                 activation=F.relu, custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-5, batch_first=False, norm_first=False,
                 bias=True, device=None, dtype=None):
        super().__init__()
        made = {"device": device, "dtype": dtype}
        given = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        self.encoder = custom_encoder
        if custom_encoder is None:
            layer = TransformerEncoderLayer(*given, **made)
            self.encoder = TransformerEncoder(layer, num_encoder_layers, fg.nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made))
        self.decoder = custom_decoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(*given, **made)
            self.decoder = TransformerDecoder(layer, num_decoder_layers, fg.nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made))
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None, tgt_key_padding_mask=None,
                memory_key_padding_mask=None, src_is_causal=None, tgt_is_causal=None, memory_is_causal=False):
        if src.dim() == 3 and src.size(0 if self.batch_first else 1) != tgt.size(0 if self.batch_first else 1):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
                            memory_is_causal=memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz, device=None, dtype=None):
        """-inf above the diagonal, 0 elsewhere."""
        return _causal_mask(sz, dtype, device)
