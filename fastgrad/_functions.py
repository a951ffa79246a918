"""Functions that PyTorch has at its top level beside those of nn.functional: losses whose reduction is a number, recurrent layers over
lists of parameters, in-place dropouts, norms of matrices, and the operations that leave indices or masks beside their result.
Which of them a program sees is said in `_FROM` (__init__.py).
"""

import fastgrad as fg
from fastgrad.composites import dropouts
from fastgrad.nn import functional as F
from fastgrad.nn.modules.rnn import layer_of, layers_of

REDUCTIONS = ("none", "mean", "sum")        # by PyTorch's numbers


def reduction_of(name, number):
    """The word for a number; these functions reduce nothing unless told to."""
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{name}(): argument 'reduction' must be int, not {type(number).__name__}")
    if not 0 <= number < len(REDUCTIONS):
        raise ValueError(f"{name}: reduction must be 0 (none), 1 (mean) or 2 (sum), got {number}")
    return REDUCTIONS[number]


# ---- losses

def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=0, zero_infinity=False):
    """nn.functional.ctc_loss; reduction: 0 none, 1 mean, 2 sum."""
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction_of("ctc_loss", reduction), zero_infinity)


def kl_div(input, target, reduction=0, *, log_target=False):
    """nn.functional.kl_div; reduction: 0 none, 1 mean, 2 sum."""
    how = reduction_of("kl_div", reduction)
    loss = F.kl_div(input, target, reduction="none", log_target=log_target)
    return loss if how == "none" else loss.mean() if how == "mean" else loss.sum()


def poisson_nll_loss(input, target, log_input, full, eps, reduction):
    """nn.functional.poisson_nll_loss; reduction: 0 none, 1 mean, 2 sum."""
    return F.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=reduction_of("poisson_nll_loss", reduction))


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=0):
    """nn.functional.cosine_embedding_loss; reduction: 0 none, 1 mean, 2 sum."""
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=reduction_of("cosine_embedding_loss", reduction))


def hinge_embedding_loss(input, target, margin=1.0, reduction=0):
    """nn.functional.hinge_embedding_loss; reduction: 0 none, 1 mean, 2 sum."""
    return F.hinge_embedding_loss(input, target, margin, reduction=reduction_of("hinge_embedding_loss", reduction))


def margin_ranking_loss(input1, input2, target, margin=0.0, reduction=0):
    """nn.functional.margin_ranking_loss; reduction: 0 none, 1 mean, 2 sum."""
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=reduction_of("margin_ranking_loss", reduction))


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction=0):
    """nn.functional.triplet_margin_loss; reduction: 0 none, 1 mean, 2 sum."""
    return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=reduction_of("triplet_margin_loss", reduction))


# ---- images

def adaptive_max_pool1d(input, output_size):
    """The maxima of windows, and where they are."""
    return F.adaptive_max_pool1d(input, output_size, return_indices=True)


def affine_grid_generator(theta, size, align_corners):
    """nn.functional.affine_grid."""
    return F.affine_grid(theta, size, align_corners)


# ---- dropouts

def native_dropout(input, p, train):
    """dropout, and the mask of what it kept; train: None counts as True."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"native_dropout: p must be between 0 and 1, got {p}")
    if train is False or not input.numel():
        return input.clone(), fg.ones_like(input, dtype=fg.bool)
    if p == 1:
        return input * 0, fg.zeros_like(input, dtype=fg.bool)
    mask = fg.empty_like(input, dtype=fg.bool).bernoulli_(1 - p)
    return input * mask * (1 / (1 - p)), mask


def dropout_(input, p, train):
    """dropout, written over the input."""
    return F.dropout(input, p, train, inplace=True)


def alpha_dropout_(input, p, train):
    """alpha_dropout, written over the input."""
    return dropouts.drop(input, p, train, True, by_channel=False, alpha=True)


def feature_dropout_(input, p, train):
    """feature_dropout, written over the input."""
    return dropouts.drop(input, p, train, True, by_channel=True, alpha=False)


def feature_alpha_dropout_(input, p, train):
    """feature_alpha_dropout, written over the input."""
    return dropouts.drop(input, p, train, True, by_channel=True, alpha=True)


# ---- norms

def frobenius_norm(input, dim, keepdim=False):
    """The 2-norm of the elements over dimensions."""
    return fg.linalg.vector_norm(input, 2, dim, keepdim)


def nuclear_norm(input, dim=(-2, -1), keepdim=False):
    """The sum of the singular values of matrices."""
    if isinstance(dim, bool):
        dim, keepdim = (-2, -1), dim
    return fg.linalg.matrix_norm(input, "nuc", dim, keepdim)


# ---- recurrent layers

def layers(mode, input, states, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """All layers over whole sequences: the output, and for each state that of all layers."""
    if len(states) != (2 if mode == "LSTM" else 1):
        raise RuntimeError(f"{mode.lower()}: wrong number of states, got {len(states)}")
    directions = 2 if bidirectional else 1
    count = len(params) // (num_layers * directions)            # 2 or 4 for each layer and direction, and one more with projections
    if count * num_layers * directions != len(params) or count not in ((4, 5) if has_biases else (2, 3)):
        raise RuntimeError(f"{mode.lower()}: got an incorrect number of RNN parameters, {len(params)}")
    weights = []
    for first in range(0, len(params), count):
        own = list(params[first:first + count])
        weights.append(own[:2] + (own[2:4] if has_biases else [None, None]) + (own[-1:] if count % 2 else [None]))
    output, last = layers_of(mode, input.transpose(0, 1) if batch_first else input, states, weights, bidirectional, dropout if train else 0)
    return output.transpose(0, 1) if batch_first else output, *last


def lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """An LSTM's layers over (steps, batch, features): (output, h, c).

    Args:
        hx: h and c of every layer and direction.
        params: for each layer and direction w_ih, w_hh, then b_ih and b_hh if has_biases, and w_hr if states are projected.
        dropout, train: the probability of dropping between layers, and whether to.
    """
    return layers("LSTM", input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)


def gru(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """A GRU's layers: (output, h); arguments as for lstm, hx the state alone."""
    return layers("GRU", input, [hx], params, has_biases, num_layers, dropout, train, bidirectional, batch_first)


def rnn_tanh(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """Elman's layers with tanh: (output, h); arguments as for gru."""
    return layers("RNN_TANH", input, [hx], params, has_biases, num_layers, dropout, train, bidirectional, batch_first)


def rnn_relu(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """Elman's layers with relu: (output, h); arguments as for gru."""
    return layers("RNN_RELU", input, [hx], params, has_biases, num_layers, dropout, train, bidirectional, batch_first)


def step(mode, input, states, w_ih, w_hh, b_ih, b_hh):
    return layer_of(mode, input.unsqueeze(0), states, (w_ih, w_hh, b_ih, b_hh, None))[1:]


def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of an LSTM over (batch, features): (h', c') from hx = (h, c)."""
    return tuple(step("LSTM", input, hx, w_ih, w_hh, b_ih, b_hh))


def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of a GRU: h' from hx = h."""
    return step("GRU", input, [hx], w_ih, w_hh, b_ih, b_hh)[0]


def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of Elman's network with tanh."""
    return step("RNN_TANH", input, [hx], w_ih, w_hh, b_ih, b_hh)[0]


def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of Elman's network with relu."""
    return step("RNN_RELU", input, [hx], w_ih, w_hh, b_ih, b_hh)[0]
