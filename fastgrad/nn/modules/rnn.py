"""Recurrent layers and cells: RNN, LSTM, GRU over whole or packed sequences; RNNCell, LSTMCell, GRUCell for one step."""

import math
import warnings

import fastgrad as fg
from fastgrad._ops import _recurrent_layer

from .. import functional as F
from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
MODES = list(GATES)  # as the engine numbers them


def layer_of(mode, input, states, weights, reverse=False, batch_sizes=None):
    """One layer in one direction: the outputs and the last states.

    Args:
        input: (steps, batch, features), or with batch_sizes (rows, features), the rows of a PackedSequence.
        states: h, or h and c of an LSTM, each (batch, size).
        weights: w_ih, w_hh, b_ih, b_hh (None without biases), w_hr or None.
        batch_sizes: how many sequences each step has, a list that does not grow; None: all have all steps.
    """
    h, c = (states[0], None) if len(states) == 1 else states
    return _recurrent_layer(input, h, c, *weights, MODES.index(mode), reverse, batch_sizes)


def layers_of(mode, input, states, weights, bidirectional, dropout, batch_sizes=None):
    """All layers and directions: the output and, for each state, the last of all layers.

    Args: those of layer_of, states and weights for each layer and direction in turn; dropout: of what goes from layer to layer.
    """
    directions = 2 if bidirectional else 1
    last = []
    for first in range(0, len(weights), directions):
        if first and dropout:
            input = F.dropout(input, dropout, True)
        outputs = []
        for place in range(first, first + directions):
            output, *state = layer_of(mode, input, [s[place] for s in states], weights[place], place > first, batch_sizes)
            outputs.append(output)
            last.append(state)
        input = outputs[0] if directions == 1 else fg.cat(outputs, -1)
    return input, [fg.stack(parts) for parts in zip(*last)]


class RNNBase(Module):
    """What the recurrent layers share: parameters, checks, the walk over layers and directions.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size, hidden_size: features of the input and of the state.
        num_layers: layers, each over the outputs of the one before.
        bias: whether the products have biases.
        batch_first: whether input and output are (batch, steps, features).
        dropout: probability with which outputs of all layers but the last are dropped.
        bidirectional: whether each layer also runs backward in time.
        proj_size: size that an LSTM's hidden state is projected to; 0: none.
    """

    __constants__ = ["mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size"]

    def __init__(self, mode, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False,
                 proj_size=0, device=None, dtype=None):
        super().__init__()
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise ValueError("dropout should be a number in range [0, 1] representing the probability of an element being zeroed")
        if dropout > 0 and num_layers == 1:
            warnings.warn("dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
                          f"greater than 1, but got dropout={dropout} and num_layers={num_layers}", stacklevel=2)
        for name, value, kind in (("input_size", input_size, int), ("hidden_size", hidden_size, int), ("bias", bias, bool),
                                  ("batch_first", batch_first, bool)):
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
        for name, value in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self.mode, self.bias, self.batch_first, self.dropout = mode, bias, batch_first, float(dropout)
        self.input_size, self.hidden_size, self.proj_size = input_size, hidden_size, proj_size
        self.num_layers, self.bidirectional = num_layers, bidirectional
        state = proj_size or hidden_size
        directions = 2 if bidirectional else 1
        rows = GATES[mode] * hidden_size
        self._all_weights = []
        for layer in range(num_layers):
            for direction in range(directions):
                columns = input_size if layer == 0 else state * directions
                shapes = {"weight_ih": (rows, columns), "weight_hh": (rows, state)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = [f"{name}_l{layer}{'_reverse' if direction else ''}" for name in shapes]
                for name, shape in zip(names, shapes.values()):
                    setattr(self, name, Parameter(fg.empty(shape, device=device, dtype=dtype)))
                self._all_weights.append(names)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def __getstate__(self):
        """With the two lists that PyTorch's layers keep besides: a file with this layer is to load there."""
        names = [name for group in self._all_weights for name in group]
        return {**super().__getstate__(), "_flat_weights_names": names, "_flat_weights": [getattr(self, name) for name in names]}

    def __setstate__(self, state):
        super().__setstate__({name: value for name, value in state.items() if not name.startswith("_flat_weights")})

    def flatten_parameters(self):
        """Nothing: the weights need no common memory here."""

    @property
    def all_weights(self):
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def extra_repr(self):
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            shown += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            shown += f", num_layers={self.num_layers}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        if self.batch_first is not False:
            shown += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            shown += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            shown += f", bidirectional={self.bidirectional}"
        return shown

    def _weights(self, names):
        found = {name.split("_l")[0]: getattr(self, name) for name in names}
        return [found.get(kind) for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")]

    def check_input(self, input, batch_sizes):
        if not input.is_floating_point():
            raise ValueError(f"RNN input dtype must be floating point, got {input.dtype}")
        wanted = 2 if batch_sizes is not None else 3
        if input.dim() != wanted:
            raise RuntimeError(f"input must have {wanted} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}")
        if input.dtype != self._weights(self._all_weights[0])[0].dtype:
            raise ValueError(f"RNN input and parameter tensors are not of the same dtype, found input tensor with {input.dtype} and "
                             f"parameter tensor with {self._weights(self._all_weights[0])[0].dtype}")

    def check_hidden_size(self, hx, expected_hidden_size, msg="Expected hidden size {}, got {}"):
        if tuple(hx.size()) != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(tuple(expected_hidden_size), list(hx.size())))

    def _check_state(self, states, batch):
        directions = 2 if self.bidirectional else 1
        for i, hx in enumerate(states):
            size = self.hidden_size if i else self.proj_size or self.hidden_size
            message = "Expected hidden size {}, got {}" if len(states) == 1 else f"Expected hidden[{i}] size {{}}, got {{}}"
            self.check_hidden_size(hx, (self.num_layers * directions, batch, size), message)

    def _zeros(self, batch, like):
        layers = self.num_layers * (2 if self.bidirectional else 1)
        sizes = [self.proj_size or self.hidden_size] + ([self.hidden_size] if self.mode == "LSTM" else [])
        return [fg.zeros((layers, batch, size), dtype=like.dtype) for size in sizes]

    def _run(self, input, states, batch_sizes):
        weights = [self._weights(names) for names in self._all_weights]
        return layers_of(self.mode, input, states, weights, self.bidirectional, self.dropout if self.training else 0, batch_sizes)

    def _given_states(self, hx):
        if self.mode != "LSTM":
            return [hx]
        if not isinstance(hx, (tuple, list)) or len(hx) != 2:
            raise RuntimeError("LSTM: the initial state must be a pair (h_0, c_0)")
        return list(hx)

    def _shown_states(self, states):
        return tuple(states) if self.mode == "LSTM" else states[0]

    def _check_dims(self, input, hx):
        name = self._get_name()
        if input.dim() not in (2, 3):
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if hx is None:
            return
        states = self._given_states(hx)
        if any(s.dim() != input.dim() for s in states):
            kind = "batched 3-D" if input.dim() == 3 else "unbatched 2-D"
            got = f"({states[0].dim()}-D, {states[1].dim()}-D) tensors" if len(states) == 2 else f"{states[0].dim()}-D tensor"
            what = "hx and cx" if len(states) == 2 else "hx"
            raise RuntimeError(f"For {kind} input, {what} should also be {input.dim()}-D but got {got}")

    def forward(self, input, hx=None):
        """The outputs of the last layer for every step, and the last state of every layer.

        Args:
            input: (steps, batch, features), (steps, features) without a batch, or a PackedSequence.
            hx: the first state of every layer and direction, (layers * directions, batch, size); a pair for an LSTM; zeros by default.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        self._check_dims(input, hx)
        batched = input.dim() == 3
        if not batched:
            input = input.unsqueeze(1)
        elif self.batch_first:
            input = input.transpose(0, 1)
        self.check_input(input, None)
        if hx is None:
            states = self._zeros(input.size(1), input)
        else:
            states = self._given_states(hx)
            if not batched:
                states = [s.unsqueeze(1) for s in states]
            self._check_state(states, input.size(1))
        if input.size(0) == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        output, last = self._run(input, states, None)
        if not batched:
            return output.squeeze(1), self._shown_states([s.squeeze(1) for s in last])
        return output.transpose(0, 1) if self.batch_first else output, self._shown_states(last)

    def _forward_packed(self, input, hx):
        data, sizes, sorted_indices, unsorted_indices = input
        counts = sizes.tolist()
        self.check_input(data, sizes)
        if hx is None:
            states = self._zeros(counts[0], data)
        else:
            states = [self.permute_hidden(s, sorted_indices) for s in self._given_states(hx)]
            self._check_state(states, counts[0])
        output, last = self._run(data, states, counts)
        last = [self.permute_hidden(s, unsorted_indices) for s in last]
        return PackedSequence(output, sizes, sorted_indices, unsorted_indices), self._shown_states(last)

    def permute_hidden(self, hx, permutation):
        if permutation is None:
            return hx
        if isinstance(hx, tuple):
            return tuple(s.index_select(1, permutation) for s in hx)
        return hx.index_select(1, permutation)


class RNN(RNNBase):
    """h_t = activation(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh); arguments as for RNNBase.

    Args:
        nonlinearity: "tanh" or "relu".

    Shape: (steps, batch, input_size) -> (steps, batch, directions * hidden_size), (layers * directions, batch, hidden_size).
    Example:
        >>> fastgrad.nn.RNN(3, 5)(fastgrad.zeros(7, 2, 3))[0].shape
        torch.Size([7, 2, 5])
    Source: Elman, Finding structure in time, 1990.
    """

    def __init__(self, input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False, dropout=0.0,
                 bidirectional=False, device=None, dtype=None):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        self.nonlinearity = nonlinearity
        super().__init__("RNN_TANH" if nonlinearity == "tanh" else "RNN_RELU", input_size, hidden_size, num_layers, bias, batch_first,
                         dropout, bidirectional, device=device, dtype=dtype)


class LSTM(RNNBase):
    """Long short-term memory: i, f, g, o gates over input and state; arguments as for RNNBase.

    Shape: (steps, batch, input_size) -> output, (h_n, c_n), as for RNN; h has proj_size features where that is given.
    Example:
        >>> fastgrad.nn.LSTM(3, 5)(fastgrad.zeros(7, 2, 3))[1][1].shape
        torch.Size([1, 2, 5])
    Source: Hochreiter and Schmidhuber, Long short-term memory, 1997.
    """

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent unit: r, z, n gates over input and state; arguments as for RNNBase.

    Shape: as for RNN.
    Example:
        >>> fastgrad.nn.GRU(3, 5)(fastgrad.zeros(7, 2, 3))[0].shape
        torch.Size([7, 2, 5])
    Source: Cho et al., Learning phrase representations using RNN encoder-decoder, 2014.
    """

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """One step of a recurrent layer: its parameters and checks."""

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(fg.empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(fg.empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(fg.empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self):
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return shown if nonlinearity == "tanh" else f"{shown}, nonlinearity={nonlinearity}"

    def _step(self, mode, input, states):
        """The next states; missing ones are zeros."""
        name = self._get_name()
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for i, state in enumerate(states):
            if state is not None and state.dim() not in (1, 2):
                what = "hidden" if len(states) == 1 else f"hx[{i}]"
                raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {state.dim()}D instead")
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if x.size(1) != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {x.size(1)} expected {self.input_size}")
        states = [fg.zeros((x.size(0), self.hidden_size), dtype=x.dtype) if s is None else s if batched else s.unsqueeze(0)
                  for s in states]
        for i, state in enumerate(states):
            if state.size(0) != x.size(0):
                raise RuntimeError(f"Input batch size {x.size(0)} doesn't match hidden{i} batch size {state.size(0)}")
            if state.size(1) != self.hidden_size:
                raise RuntimeError(f"hidden{i} has inconsistent hidden_size: got {state.size(1)}, expected {self.hidden_size}")
        _, *states = layer_of(mode, x.unsqueeze(0), states, (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None))
        return tuple(states) if batched else tuple(s.squeeze(0) for s in states)


class RNNCell(RNNCellBase):
    """h' = activation(W_ih x + b_ih + W_hh h + b_hh).

    Args:
        input_size, hidden_size: features of the input and of the state.
        bias: whether there are biases.
        nonlinearity: "tanh" or "relu".
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step("RNN_" + self.nonlinearity.upper(), input, [hx])[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM: (h', c') from the input and (h, c).

    Args:
        input_size, hidden_size: features of the input and of the states.
        bias: whether there are biases.
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        h, c = (None, None) if hx is None else hx
        return self._step("LSTM", input, [h, c])


class GRUCell(RNNCellBase):
    """One step of a GRU.

    Args:
        input_size, hidden_size: features of the input and of the state.
        bias: whether there are biases.
    """

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        return self._step("GRU", input, [hx])[0]
