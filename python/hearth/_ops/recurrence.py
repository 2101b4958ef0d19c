"""Recurrent networks over sequences, padded or packed, and their single steps."""

import hearth

from .._function import function


def _linear(x, weight, bias):
    return hearth.nn.functional.linear(x, weight, bias)


def _layers(kind, rows, sizes, states, params, tail, projected):
    has_biases, num_layers, dropout, train, bidirectional = tail
    each = (4 if has_biases else 2) + (1 if projected else 0)
    expected = num_layers * (2 if bidirectional else 1) * each
    if len(params) != expected:
        raise RuntimeError(f"{kind}: expected {expected} weights for {num_layers} layers, got {len(params)}")
    cell = states[1] if len(states) > 1 else None
    return hearth._C._nn_recurrent(
        kind, rows, sizes, states[0], cell, params, has_biases, projected, dropout, train, bidirectional
    )


def _call(kind, args, kwargs):
    """The two forms of the functions below: (input, hx, ...) and (data, batch_sizes, hx, ...)."""
    two_states = kind == "lstm"
    packed = "batch_sizes" in kwargs or (len(args) > 1 and isinstance(args[1], hearth.Tensor))
    if packed and not two_states and "batch_sizes" not in kwargs:
        # The hx of these is a tensor too: the packed form is known by the tensor after it.
        packed = len(args) > 2 and isinstance(args[2], hearth.Tensor) or "hx" in kwargs
    names = ["params", "has_biases", "num_layers", "dropout", "train", "bidirectional"]
    names = ["data", "batch_sizes", "hx", *names] if packed else ["input", "hx", *names, "batch_first"]
    values = dict(zip(names, args))
    for key, value in kwargs.items():
        if key not in names or key in values:
            raise TypeError(f"{kind}() got an unexpected argument '{key}'")
        values[key] = value
    if len(args) > len(names) or any(n not in values for n in names):
        raise TypeError(f"{kind}() takes ({', '.join(names)}), and got {len(args) + len(kwargs)} arguments")
    states = tuple(values["hx"]) if two_states else (values["hx"],)
    params = list(values["params"])
    tail = [values[n] for n in ("has_biases", "num_layers", "dropout", "train", "bidirectional")]
    projected = two_states and len(params) > (4 if tail[0] else 2) * tail[1] * (2 if tail[4] else 1)
    if packed:
        return _layers(kind, values["data"], values["batch_sizes"].tolist(), states, params, tail, projected)
    x = values["input"].transpose(0, 1) if values["batch_first"] else values["input"]
    steps, batch = x.shape[:2]
    output, *last = _layers(kind, x.reshape(steps * batch, -1), [batch] * steps, states, params, tail, projected)
    output = output.reshape(steps, batch, -1)
    return (output.transpose(0, 1) if values["batch_first"] else output, *last)


@function()
def lstm(*args, **kwargs):
    """LSTM over (input, (h, c), weights, has_biases, num_layers, dropout, train, bidirectional, batch_first).

    input [T, N, inputs], states [layers * directions, N, size]; packed: (data, batch_sizes, (h, c), weights, ...).
    Returns (output, h, c).
    """
    return _call("lstm", args, kwargs)


@function()
def gru(*args, **kwargs):
    """GRU over (input, h, weights, has_biases, num_layers, dropout, train, bidirectional, batch_first), as lstm."""
    return _call("gru", args, kwargs)


@function()
def rnn_tanh(*args, **kwargs):
    """Plain recurrent net with tanh, as gru."""
    return _call("tanh", args, kwargs)


@function()
def rnn_relu(*args, **kwargs):
    """Plain recurrent net with relu, as gru."""
    return _call("relu", args, kwargs)


def _check_cell(input, hx, w_ih, w_hh):
    if input.size(1) != w_ih.size(1):
        raise RuntimeError(f"input has inconsistent input_size: got {input.size(1)} expected {w_ih.size(1)}")
    if hx.size(0) != input.size(0):
        raise RuntimeError(
            f"Input batch size {input.size(0)} doesn't match hidden0 batch size {hx.size(0)}"
        )
    if hx.size(1) != w_hh.size(1):
        raise RuntimeError(f"hidden0 has inconsistent hidden_size: got {hx.size(1)}, expected {w_hh.size(1)}")


@function()
def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One LSTM step: input [N, inputs], hx ([N, hidden], [N, hidden]); returns (h, c)."""
    hidden, cell = hx
    _check_cell(input, hidden, w_ih, w_hh)
    i, f, g, o = (_linear(input, w_ih, b_ih) + _linear(hidden, w_hh, b_hh)).chunk(4, 1)
    cell = hearth.sigmoid(f) * cell + hearth.sigmoid(i) * hearth.tanh(g)
    return hearth.sigmoid(o) * hearth.tanh(cell), cell


@function()
def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One GRU step: input [N, inputs], hx [N, hidden]; returns h."""
    _check_cell(input, hx, w_ih, w_hh)
    x_reset, x_update, x_new = _linear(input, w_ih, b_ih).chunk(3, 1)
    h_reset, h_update, h_new = _linear(hx, w_hh, b_hh).chunk(3, 1)
    update = hearth.sigmoid(x_update + h_update)
    new = hearth.tanh(x_new + hearth.sigmoid(x_reset + h_reset) * h_new)
    return (hx - new) * update + new


@function()
def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step with tanh: input [N, inputs], hx [N, hidden]; returns h."""
    _check_cell(input, hx, w_ih, w_hh)
    return hearth.tanh(_linear(input, w_ih, b_ih) + _linear(hx, w_hh, b_hh))


@function()
def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step with relu: input [N, inputs], hx [N, hidden]; returns h."""
    _check_cell(input, hx, w_ih, w_hh)
    return hearth.relu(_linear(input, w_ih, b_ih) + _linear(hx, w_hh, b_hh))
