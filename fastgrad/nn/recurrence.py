"""Recurrences over time as operations of the engine: one layer in one direction, plain or over packed sequences.

All inputs of a layer go through one product; a step is one product and the gates. The layers are in modules/rnn.py.
"""

import fastgrad as fg

from . import functional as F


def rnn_cell(gates, state, weight, bias, activation):
    """h' = activation(input part + W h + b)."""
    return (activation(gates + F.linear(state[0], weight, bias)),)


def lstm_cell(gates, state, weight, bias, projection):
    """c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'), projected where there is a projection."""
    hidden, cell = state
    i, f, g, o = (gates + F.linear(hidden, weight, bias)).chunk(4, -1)
    cell = fg.sigmoid(f) * cell + fg.sigmoid(i) * fg.tanh(g)
    hidden = fg.sigmoid(o) * fg.tanh(cell)
    return (hidden if projection is None else F.linear(hidden, projection), cell)


def gru_cell(gates, state, weight, bias, _):
    """r, z = sigmoid(...), n = tanh(input part + r (W h + b)), h' = n + z (h - n)."""
    hidden = state[0]
    size = hidden.shape[-1]
    rz, n = gates.split([2 * size, size], -1)
    hidden_rz, hidden_n = F.linear(hidden, weight, bias).split([2 * size, size], -1)
    r, z = fg.sigmoid(rz + hidden_rz).chunk(2, -1)
    n = fg.tanh(n + r * hidden_n)
    return (n + z * (hidden - n),)


CELLS = {"RNN_TANH": rnn_cell, "RNN_RELU": rnn_cell, "LSTM": lstm_cell, "GRU": gru_cell}
ACTIVATIONS = {"RNN_TANH": fg.tanh, "RNN_RELU": fg.relu}


def one_layer(mode, input, state, weights, reverse, batch_sizes):
    """One layer in one direction.

    Args:
        input: (steps, batch, features), or with batch_sizes (rows, features), the rows of a PackedSequence.
        state: (h,), or (h, c) of an LSTM, each (batch, size).
        weights: w_ih, w_hh, b_ih, b_hh (None without biases), w_hr or None.
        batch_sizes: how many sequences each step has, a list that does not grow; None: all have all steps.
    Returns:
        The output, laid out as the input, and the last state.
    """
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    cell, extra = CELLS[mode], ACTIVATIONS.get(mode, w_hr)
    gates = F.linear(input, w_ih, b_ih)
    if batch_sizes is None:
        steps = gates.unbind(0)
        outputs = [None] * len(steps)
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            state = cell(steps[t], state, w_hh, b_hh, extra)
            outputs[t] = state[0]
        return fg.stack(outputs), state
    steps = gates.split(batch_sizes)
    walk = packed_backward if reverse else packed_forward
    return walk(cell, steps, batch_sizes, state, w_hh, b_hh, extra)


def packed_forward(cell, steps, batch_sizes, state, w_hh, b_hh, extra):
    """Sequences end as steps go by; their last states are kept, shortest first."""
    outputs, ended = [], []
    for gates, count in zip(steps, batch_sizes):
        if count < state[0].shape[0]:
            ended.append([s[count:] for s in state])
            state = tuple(s[:count] for s in state)
        state = cell(gates, state, w_hh, b_hh, extra)
        outputs.append(state[0])
    ended.append(state)
    return fg.cat(outputs), tuple(fg.cat(parts) for parts in zip(*reversed(ended)))


def packed_backward(cell, steps, batch_sizes, start, w_hh, b_hh, extra):
    """From the last step to the first; a sequence enters at its last element with its first state."""
    outputs, count = [None] * len(steps), batch_sizes[-1]
    state = tuple(s[:count] for s in start)
    for t in reversed(range(len(steps))):
        if batch_sizes[t] > count:
            state = tuple(fg.cat([s, first[count:batch_sizes[t]]]) for s, first in zip(state, start))
            count = batch_sizes[t]
        state = cell(steps[t], state, w_hh, b_hh, extra)
        outputs[t] = state[0]
    return fg.cat(outputs), state
