"""Recurrent networks: RNN, LSTM and GRU over sequences, and their single steps."""

import math
import numbers
import warnings

import hearth

from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module

__all__ = ["RNNBase", "RNN", "LSTM", "GRU", "RNNCellBase", "RNNCell", "LSTMCell", "GRUCell"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _apply_permutation(tensor, permutation, dim: int = 1):
    return tensor.index_select(dim, permutation)


def apply_permutation(tensor, permutation, dim: int = 1):
    """The old name of tensor.index_select(dim, permutation)."""
    warnings.warn(
        "`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` instead",
        FutureWarning,
        stacklevel=2,
    )
    return _apply_permutation(tensor, permutation, dim)


def _check_options(input_size, hidden_size, num_layers, dropout, proj_size, mode):
    if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(value, int):
            raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
    if hidden_size <= 0:
        raise ValueError("hidden_size must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if mode not in _GATES:
        raise ValueError("Unrecognized RNN mode: " + mode)


class RNNBase(Module):
    """The base of RNN, LSTM and GRU: parameters, checks, and the way through layers, directions and packed input."""

    __constants__ = [
        "mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional",
        "proj_size",
    ]  # fmt: skip

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device=None,
        dtype=None,
    ) -> None:  # fmt: skip
        super().__init__()
        _check_options(input_size, hidden_size, num_layers, dropout, proj_size, mode)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._flat_weights_names = []
        self._all_weights = []
        for layer in range(num_layers):
            for direction in range(2 if bidirectional else 1):
                self._make_layer(layer, direction, {"device": device, "dtype": dtype})
        self.reset_parameters()

    def _make_layer(self, layer, direction, kind):
        rows = _GATES[self.mode] * self.hidden_size
        seen = self.proj_size if self.proj_size > 0 else self.hidden_size
        columns = self.input_size if layer == 0 else seen * (2 if self.bidirectional else 1)
        shapes = {"weight_ih": (rows, columns), "weight_hh": (rows, seen)}
        if self.bias:
            shapes.update(bias_ih=(rows,), bias_hh=(rows,))
        if self.proj_size > 0:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        end = f"_l{layer}" + ("_reverse" if direction else "")
        names = [name + end for name in shapes]
        for name, shape in zip(names, shapes.values()):
            setattr(self, name, Parameter(hearth.empty(shape, **kind)))
        self._flat_weights_names.extend(names)
        self._all_weights.append(names)

    @property
    def _flat_weights(self):
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @property
    def all_weights(self):
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing: only GPUs want the weights in one piece of memory."""

    def reset_parameters(self) -> None:
        """Draw all parameters anew, uniform within 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def __setstate__(self, state):
        state = dict(state)
        # These are made from the parameters; checkpoints of PyTorch carry copies.
        for name in ("_flat_weights", "_flat_weight_refs"):
            state.pop(name, None)
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)
        if "_flat_weights_names" not in self.__dict__:
            self._flat_weights_names = [name for names in self._all_weights for name in names]

    def check_input(self, input, batch_sizes) -> None:
        """Raise ValueError, RuntimeError for an input of the wrong dtype, dimensions or size."""
        weight = self._flat_weights[0]
        if input.dtype != weight.dtype and not hearth.is_autocast_enabled(input.device.type):
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(self, input, batch_sizes):
        """(layers * directions, batch, size) of the hidden state."""
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        size = self.proj_size if self.proj_size > 0 else self.hidden_size
        return (self.num_layers * (2 if self.bidirectional else 1), batch, size)

    def check_hidden_size(self, hx, expected_hidden_size, msg: str = "Expected hidden size {}, got {}") -> None:
        """Raise RuntimeError for a state of another size."""
        if hx.size() != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(tuple(expected_hidden_size), list(hx.size())))

    def check_forward_args(self, input, hidden, batch_sizes) -> None:
        """Check input and hidden state."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx, permutation):
        """The state with its batch in another order."""
        return hx if permutation is None else _apply_permutation(hx, permutation)

    def extra_repr(self) -> str:
        s = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            s += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            s += f", num_layers={self.num_layers}"
        if self.bias is not True:
            s += f", bias={self.bias}"
        if self.batch_first is not False:
            s += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            s += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            s += f", bidirectional={self.bidirectional}"
        return s

    def _zeros(self, input, batch, size):
        layers = self.num_layers * (2 if self.bidirectional else 1)
        return hearth.zeros(layers, batch, size, dtype=input.dtype, device=input.device)

    def _options(self):
        return (self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)

    def _unpack(self, input):
        """(data, batch_sizes, sorted_indices, unsorted_indices, batched), the first as a batch unless packed."""
        if isinstance(input, PackedSequence):
            return (*input, True)
        if input.dim() not in (2, 3):
            raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        batched = input.dim() == 3
        if not batched:
            input = input.unsqueeze(0 if self.batch_first else 1)
        return input, None, None, None, batched

    def _repack(self, output, packed, batch_sizes, sorted_indices, unsorted_indices, batched):
        if packed:
            return PackedSequence(output, batch_sizes, sorted_indices, unsorted_indices)
        return output if batched else output.squeeze(0 if self.batch_first else 1)

    def _check_state_dim(self, hx, batched):
        if hx.dim() != (3 if batched else 2):
            kind, want = ("batched 3-D", 3) if batched else ("unbatched 2-D", 2)
            raise RuntimeError(f"For {kind} input, hx should also be {want}-D but got {hx.dim()}-D tensor")

    def _forward_one_state(self, function, input, hx):
        """The call of a net with one state (RNN, GRU)."""
        packed = isinstance(input, PackedSequence)
        input, batch_sizes, sorted_indices, unsorted_indices, batched = self._unpack(input)
        if hx is not None and not packed:
            self._check_state_dim(hx, batched)
            hx = hx if batched else hx.unsqueeze(1)
        if hx is None:
            hx = self._zeros(input, self.get_expected_hidden_size(input, batch_sizes)[1], self.hidden_size)
        else:
            hx = self.permute_hidden(hx, sorted_indices)
        self.check_forward_args(input, hx, batch_sizes)
        if packed:
            output, hidden = function(input, batch_sizes, hx, self._flat_weights, *self._options())
        else:
            output, hidden = function(input, hx, self._flat_weights, *self._options(), self.batch_first)
        hidden = self.permute_hidden(hidden, unsorted_indices)
        output = self._repack(output, packed, batch_sizes, sorted_indices, unsorted_indices, batched)
        return output, hidden if batched else hidden.squeeze(1)


class RNN(RNNBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu. Input [L, N, input_size] (batch first on request).

    Options: input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False, dropout=0.0,
    bidirectional=False. Returns (output [L, N, directions * hidden], hidden [layers * directions, N, hidden]).
    """

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__("RNN_TANH" if self.nonlinearity == "tanh" else "RNN_RELU", *args, **kwargs)

    def forward(self, input, hx=None):
        return self._forward_one_state(hearth.rnn_tanh if self.mode == "RNN_TANH" else hearth.rnn_relu, input, hx)


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber 1997). Input [L, N, input_size] (batch first on request).

    Options as RNN, and proj_size. Returns (output, (hidden, cell)).
    """

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input, batch_sizes):
        """(layers * directions, batch, hidden_size) of the cell state."""
        layers, batch, _ = self.get_expected_hidden_size(input, batch_sizes)
        return (layers, batch, self.hidden_size)

    def check_forward_args(self, input, hidden, batch_sizes) -> None:
        """Check input, hidden and cell state."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(
            hidden[0], self.get_expected_hidden_size(input, batch_sizes), "Expected hidden[0] size {}, got {}"
        )
        self.check_hidden_size(
            hidden[1], self.get_expected_cell_size(input, batch_sizes), "Expected hidden[1] size {}, got {}"
        )

    def permute_hidden(self, hx, permutation):
        """The two states with their batch in another order."""
        if permutation is None:
            return hx
        return _apply_permutation(hx[0], permutation), _apply_permutation(hx[1], permutation)

    def _check_states_dim(self, hx, batched):
        want = 3 if batched else 2
        if hx[0].dim() != want or hx[1].dim() != want:
            kind = "batched 3-D" if batched else "unbatched 2-D"
            raise RuntimeError(
                f"For {kind} input, hx and cx should also be {want}-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )

    def forward(self, input, hx=None):
        packed = isinstance(input, PackedSequence)
        input, batch_sizes, sorted_indices, unsorted_indices, batched = self._unpack(input)
        if hx is None:
            _, batch, size = self.get_expected_hidden_size(input, batch_sizes)
            hx = (self._zeros(input, batch, size), self._zeros(input, batch, self.hidden_size))
        else:
            if not packed:
                self._check_states_dim(hx, batched)
                hx = hx if batched else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))
            hx = self.permute_hidden(hx, sorted_indices)
        self.check_forward_args(input, hx, batch_sizes)
        if packed:
            output, *state = hearth.lstm(input, batch_sizes, hx, self._flat_weights, *self._options())
        else:
            output, *state = hearth.lstm(input, hx, self._flat_weights, *self._options(), self.batch_first)
        state = self.permute_hidden(tuple(state), unsorted_indices)
        output = self._repack(output, packed, batch_sizes, sorted_indices, unsorted_indices, batched)
        return output, state if batched else (state[0].squeeze(1), state[1].squeeze(1))


class GRU(RNNBase):
    """Gated recurrent unit (Cho et al. 2014). Input [L, N, input_size] (batch first on request).

    Options as RNN. Returns (output, hidden).
    """

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input, hx=None):
        return self._forward_one_state(hearth.gru, input, hx)


class RNNCellBase(Module):
    """The parameters of a single step."""

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device=None, dtype=None
    ) -> None:
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self.weight_ih = Parameter(hearth.empty((num_chunks * hidden_size, input_size), **kind))
        self.weight_hh = Parameter(hearth.empty((num_chunks * hidden_size, hidden_size), **kind))
        for name in ("bias_ih", "bias_hh"):
            value = Parameter(hearth.empty(num_chunks * hidden_size, **kind)) if bias else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew, uniform within 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        s = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            s += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            s += f", nonlinearity={self.nonlinearity}"
        return s

    def _check(self, tensor, what):
        if tensor.dim() not in (1, 2):
            raise ValueError(f"{self._get_name()}: Expected {what} to be 1D or 2D, got {tensor.dim()}D instead")

    def _step(self, function, input, hx):
        """One step of a cell with one state; a single sample is taken as a batch of one."""
        self._check(input, "input")
        if hx is not None:
            self._check(hx, "hidden")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            hx = hearth.zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)
        elif not batched:
            hx = hx.unsqueeze(0)
        result = function(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return result if batched else result.squeeze(0)


class RNNCell(RNNCellBase):
    """One step of RNN: input [N, input_size] or [input_size], state [N, hidden_size]."""

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device=None, dtype=None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(hearth.rnn_tanh_cell if self.nonlinearity == "tanh" else hearth.rnn_relu_cell, input, hx)


class LSTMCell(RNNCellBase):
    """One step of LSTM: input [N, input_size], states ([N, hidden_size], [N, hidden_size])."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device=None, dtype=None) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=4, device=device, dtype=dtype)

    def forward(self, input, hx=None):
        self._check(input, "input")
        if hx is not None:
            self._check(hx[0], "hx[0]")
            self._check(hx[1], "hx[1]")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            zeros = hearth.zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)
            hx = (zeros, zeros)
        elif not batched:
            hx = (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        hidden, cell = hearth.lstm_cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return (hidden, cell) if batched else (hidden.squeeze(0), cell.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of GRU: input [N, input_size], state [N, hidden_size]."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device=None, dtype=None) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=3, device=device, dtype=dtype)

    def forward(self, input, hx=None):
        return self._step(hearth.gru_cell, input, hx)
