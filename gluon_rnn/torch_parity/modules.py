"""The recurrent language models of gluon_rnn in PyTorch.

This file imports torch alone. Copied beside a file that `scripts/export.py RUN --format torch` has written, it runs the model:

    model, vocabulary = load_model('model.pt')
    print(generate(model, vocabulary, '分开', 50))

The networks come in two forms. *By hand* is the loop over steps as the PyTorch ports of the book write it, with the book's names
for the weights. *Layer* is `torch.nn.RNN`, `GRU` or `LSTM`, whose state_dict keys (`rnn.weight_ih_l0`, …, `dense.bias`) are those
of the ports' `RNNModel`. The contract is gluon_rnn's: a state is a tuple, inputs of a network are (num_steps, batch_size,
num_inputs).
"""
from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

FORMAT = 'gluon_rnn torch 2'        # 2: with a digest
State = Tuple[Tensor, ...]


@dataclass(frozen=True)
class Settings:
    """A language model, in plain types."""
    vocab_size: int
    cell: str = 'gru'               # 'rnn', 'gru' or 'lstm'
    layer: bool = False             # the torch.nn layer; else the loop by hand
    num_hiddens: int = 256
    num_layers: int = 1
    bidirectional: bool = False
    backward_hiddens: int = 0       # of the second direction; 0: as many as the first has
    activation: str = 'tanh'        # of the 'rnn': 'tanh', 'relu' or 'sigmoid'
    reset_after: bool = False       # of the 'gru': reset the product with W_hh, as the layer does, not the state
    dropout: float = 0              # between layers
    residual: bool = False          # each layer but the first adds what it reads to what it gives
    both_forward: bool = False      # a published mistake: the second direction reads from the start, too

    def __post_init__(self) -> None:
        if self.layer and self.cell == 'gru' and not self.reset_after:
            raise ValueError("nn.GRU resets after the product with W_hh, the book's GRU before it: they are different networks, "
                             "take the form by hand")


class ByHand(nn.Module):
    """A recurrent layer as a loop: `step` holds its equations."""
    gates: str
    num_states = 1

    def __init__(self, num_inputs: int, num_hiddens: int):
        super().__init__()
        self.num_inputs, self.num_outputs = num_inputs, num_hiddens
        for gate in self.gates:
            self.register_parameter(f'W_x{gate}', new_weight(num_inputs, num_hiddens))
            self.register_parameter(f'W_h{gate}', new_weight(num_hiddens, num_hiddens))
            self.register_parameter(f'b_{gate}', nn.Parameter(torch.zeros(num_hiddens)))

    def begin_state(self, batch_size: int) -> State:
        return tuple(torch.zeros(batch_size, self.num_outputs) for _ in range(self.num_states))

    def step(self, X: Tensor, state: State) -> Tuple[Tensor, State]:
        raise NotImplementedError

    def forward(self, inputs: Tensor, state: State) -> Tuple[Tensor, State]:
        outputs = []
        for X in inputs:
            H, state = self.step(X, state)
            outputs.append(H)
        return torch.stack(outputs), state

    def carry(self, state: State) -> State:
        return state


class RNN(ByHand):
    gates = 'h'
    W_xh: Tensor
    W_hh: Tensor
    b_h: Tensor

    def __init__(self, num_inputs: int, num_hiddens: int, activation: str = 'tanh'):
        super().__init__(num_inputs, num_hiddens)
        self.phi = {'tanh': torch.tanh, 'relu': torch.relu, 'sigmoid': torch.sigmoid}[activation]

    def step(self, X: Tensor, state: State) -> Tuple[Tensor, State]:
        H, = state
        H = self.phi(torch.matmul(X, self.W_xh) + torch.matmul(H, self.W_hh) + self.b_h)
        return H, (H,)


class GRU(ByHand):
    gates = 'zrh'
    W_xz: Tensor
    W_hz: Tensor
    b_z: Tensor
    W_xr: Tensor
    W_hr: Tensor
    b_r: Tensor
    W_xh: Tensor
    W_hh: Tensor
    b_h: Tensor

    def __init__(self, num_inputs: int, num_hiddens: int, reset_after: bool = False):
        super().__init__(num_inputs, num_hiddens)
        self.reset_after = reset_after

    def step(self, X: Tensor, state: State) -> Tuple[Tensor, State]:
        H, = state
        Z = torch.sigmoid(torch.matmul(X, self.W_xz) + torch.matmul(H, self.W_hz) + self.b_z)
        R = torch.sigmoid(torch.matmul(X, self.W_xr) + torch.matmul(H, self.W_hr) + self.b_r)
        if self.reset_after:
            H_tilde = torch.tanh(torch.matmul(X, self.W_xh) + R * torch.matmul(H, self.W_hh) + self.b_h)
        else:
            H_tilde = torch.tanh(torch.matmul(X, self.W_xh) + torch.matmul(R * H, self.W_hh) + self.b_h)
        H = Z * H + (1 - Z) * H_tilde
        return H, (H,)


class LSTM(ByHand):
    gates = 'ifoc'
    W_xi: Tensor
    W_hi: Tensor
    b_i: Tensor
    W_xf: Tensor
    W_hf: Tensor
    b_f: Tensor
    W_xo: Tensor
    W_ho: Tensor
    b_o: Tensor
    W_xc: Tensor
    W_hc: Tensor
    b_c: Tensor
    num_states = 2

    def step(self, X: Tensor, state: State) -> Tuple[Tensor, State]:
        H, C = state
        I = torch.sigmoid(torch.matmul(X, self.W_xi) + torch.matmul(H, self.W_hi) + self.b_i)
        F = torch.sigmoid(torch.matmul(X, self.W_xf) + torch.matmul(H, self.W_hf) + self.b_f)
        O = torch.sigmoid(torch.matmul(X, self.W_xo) + torch.matmul(H, self.W_ho) + self.b_o)
        C_tilde = torch.tanh(torch.matmul(X, self.W_xc) + torch.matmul(H, self.W_hc) + self.b_c)
        C = F * C + I * C_tilde
        H = O * torch.tanh(C)
        return H, (H, C)


class Layer(nn.Module):
    """What the torch.nn layers below have in common: the contract of a network here around `nn.RNNBase`.

    A state is (H,) or (H, C), each (num_layers * directions, batch_size, num_hiddens).
    """
    num_states = 1
    bidirectional: bool
    num_layers: int
    hidden_size: int

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def num_outputs(self) -> int:
        return self.hidden_size * self.directions

    def begin_state(self, batch_size: int) -> State:
        shape = (self.num_layers * self.directions, batch_size, self.hidden_size)
        return tuple(torch.zeros(shape) for _ in range(self.num_states))

    def carry(self, state: State) -> State:
        if not self.bidirectional:
            return state
        forward = torch.arange(state[0].shape[0]).reshape(-1, 1, 1) % 2 == 0     # the directions take turns
        return tuple(torch.where(forward, s, 0) for s in state)


class RNNLayer(Layer, nn.RNN):
    def forward(self, inputs: Tensor, state: State) -> Tuple[Tensor, State]:  # type: ignore[override]
        outputs, H = nn.RNN.forward(self, inputs, *state)
        return outputs, (H,)


class GRULayer(Layer, nn.GRU):
    def forward(self, inputs: Tensor, state: State) -> Tuple[Tensor, State]:  # type: ignore[override]
        outputs, H = nn.GRU.forward(self, inputs, *state)
        return outputs, (H,)


class LSTMLayer(Layer, nn.LSTM):
    num_states = 2

    def forward(self, inputs: Tensor, state: State) -> Tuple[Tensor, State]:  # type: ignore[override]
        H, C = state
        return nn.LSTM.forward(self, inputs, (H, C))


class SigmoidLayer(nn.Module):
    """What `nn.RNN(nonlinearity='sigmoid')` would be if there were one: the same names, two biases."""
    num_states = 1

    def __init__(self, num_inputs: int, num_hiddens: int):
        super().__init__()
        self.num_outputs = num_hiddens
        self.weight_ih_l0, self.weight_hh_l0 = new_weight(num_hiddens, num_inputs), new_weight(num_hiddens, num_hiddens)
        self.bias_ih_l0, self.bias_hh_l0 = (nn.Parameter(torch.zeros(num_hiddens)) for _ in range(2))

    def begin_state(self, batch_size: int) -> State:
        return (torch.zeros(batch_size, self.num_outputs),)

    def forward(self, inputs: Tensor, state: State) -> Tuple[Tensor, State]:
        H, = state
        outputs = []
        for X in inputs:
            H = torch.sigmoid(functional.linear(X, self.weight_ih_l0, self.bias_ih_l0)
                              + functional.linear(H, self.weight_hh_l0, self.bias_hh_l0))
            outputs.append(H)
        return torch.stack(outputs), (H,)

    def carry(self, state: State) -> State:
        return state


class Composite(nn.Module):
    """A network made of named networks; its state is theirs, one after the other."""
    num_outputs: int

    def __init__(self, parts: Dict[str, Any]):
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.num_states = sum(part.num_states for part in parts.values())

    def parts(self) -> List[Any]:
        return list(self.children())

    def begin_state(self, batch_size: int) -> State:
        return tuple(s for part in self.parts() for s in part.begin_state(batch_size))

    def split_state(self, state: State) -> Sequence[State]:
        pieces, start = [], 0
        for part in self.parts():
            pieces.append(state[start:start + part.num_states])
            start += part.num_states
        return pieces

    def carry(self, state: State) -> State:
        return tuple(s for part, piece in zip(self.parts(), self.split_state(state)) for s in part.carry(piece))


class BiRNN(Composite):
    """Two networks over one sequence, the second from its end. (`forward` is a taken name here: they are called from_….)"""

    from_start: Any
    from_end: Any

    def __init__(self, from_start: Any, from_end: Any):
        super().__init__({'from_start': from_start, 'from_end': from_end})
        self.num_outputs = from_start.num_outputs + from_end.num_outputs

    def forward(self, inputs: Tensor, state: State) -> Tuple[Tensor, State]:
        ahead, back = self.split_state(state)
        H_forward, last = self.from_start(inputs, ahead)
        H_backward, first = self.from_end(inputs.flip(0), back)
        return torch.cat((H_forward, H_backward.flip(0)), dim=2), last + first

    def carry(self, state: State) -> State:
        ahead, back = self.split_state(state)
        return self.from_start.carry(ahead) + tuple(torch.zeros_like(s) for s in back)


class BothForward(BiRNN):
    """Both directions read from the start."""

    def forward(self, inputs: Tensor, state: State) -> Tuple[Tensor, State]:
        first, second = self.split_state(state)
        H_first, last_first = self.from_start(inputs, first)
        H_second, last_second = self.from_end(inputs, second)
        return torch.cat((H_first, H_second), dim=2), last_first + last_second

    def carry(self, state: State) -> State:
        return Composite.carry(self, state)


class DeepRNN(Composite):
    """Layers, each reading the hidden states of the one below, with dropout between them."""

    def __init__(self, layers: Sequence[Any], dropout: float = 0, residual: bool = False):
        super().__init__({f'layer{i}': layer for i, layer in enumerate(layers)})
        self.dropout, self.residual, self.num_outputs = dropout, residual, layers[-1].num_outputs

    def forward(self, inputs: Tensor, state: State) -> Tuple[Tensor, State]:
        H = inputs
        last: State = ()
        for i, (layer, piece) in enumerate(zip(self.parts(), self.split_state(state))):
            H = functional.dropout(H, self.dropout, self.training and i > 0)
            H_layer, piece = layer(H, piece)
            H = H + H_layer if i and self.residual else H_layer
            last += piece
        return H, last


class LanguageModel(nn.Module):
    """Characters -> one-hot vectors -> recurrent network `rnn` -> output layer (W_hq and b_q by hand, else `dense`)."""
    rnn: Any

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings = settings
        self.rnn = network(settings)
        if settings.layer:
            self.dense = nn.Linear(self.rnn.num_outputs, settings.vocab_size)
        else:
            self.W_hq = new_weight(self.rnn.num_outputs, settings.vocab_size)
            self.b_q = nn.Parameter(torch.zeros(settings.vocab_size))

    def forward(self, X: Tensor, state: State) -> Tuple[Tensor, State]:
        """X: (batch_size, num_steps), int64. Returns logits (num_steps * batch_size, vocab_size), time-major, and the state."""
        inputs = functional.one_hot(X.T, self.settings.vocab_size).float()
        outputs, state = self.rnn(inputs, state)
        return self.output(outputs), self.rnn.carry(state)

    def output(self, outputs: Tensor) -> Tensor:
        if self.settings.layer:
            return self.dense(outputs.reshape(-1, outputs.shape[2]))
        return torch.cat([torch.matmul(H, self.W_hq) + self.b_q for H in outputs])     # step by step, as the ports have it

    def begin_state(self, batch_size: int) -> State:
        return self.rnn.begin_state(batch_size)


def network(s: Settings) -> Any:
    """The recurrent network that the settings describe, its weights new."""
    backward_hiddens = s.backward_hiddens or s.num_hiddens
    parts = s.activation == 'sigmoid' or s.residual or s.both_forward or (s.num_layers > 1 and s.dropout)
    if s.layer and backward_hiddens == s.num_hiddens and not parts:     # one layer of torch.nn holds it all
        return _layer(s, s.vocab_size, s.num_hiddens, num_layers=s.num_layers, bidirectional=s.bidirectional)
    layers, num_inputs = [], s.vocab_size
    for _ in range(s.num_layers):
        direction = _layer if s.layer else _by_hand
        layer = direction(s, num_inputs, s.num_hiddens)
        if s.bidirectional:
            layer = (BothForward if s.both_forward else BiRNN)(layer, direction(s, num_inputs, backward_hiddens))
        layers.append(layer)
        num_inputs = layer.num_outputs
    return layers[0] if len(layers) == 1 else DeepRNN(layers, s.dropout, s.residual)


def _by_hand(s: Settings, num_inputs: int, num_hiddens: int) -> ByHand:
    if s.cell == 'rnn':
        return RNN(num_inputs, num_hiddens, s.activation)
    return LSTM(num_inputs, num_hiddens) if s.cell == 'lstm' else GRU(num_inputs, num_hiddens, s.reset_after)


def _layer(s: Settings, num_inputs: int, num_hiddens: int, **more: Any) -> Any:
    if s.cell == 'rnn':
        if s.activation == 'sigmoid':
            return SigmoidLayer(num_inputs, num_hiddens)
        return RNNLayer(num_inputs, num_hiddens, nonlinearity=s.activation, **more)
    return {'gru': GRULayer, 'lstm': LSTMLayer}[s.cell](num_inputs, num_hiddens, **more)


def new_weight(*shape: int) -> nn.Parameter:
    """Drawn from N(0, 0.01), as the book and its ports have it."""
    return nn.Parameter(torch.randn(shape) * 0.01)


def save_model(model: LanguageModel, vocabulary: Sequence[str], file: Any) -> None:
    """Write a model to a file or its path: weights, settings and vocabulary, all of them tensors or plain types."""
    state_dict = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    saved = {'format': FORMAT, 'settings': asdict(model.settings), 'vocabulary': ''.join(vocabulary), 'state_dict': state_dict}
    torch.save({**saved, 'sha256': _digest(saved)}, file)


def load_model(path: Any) -> Tuple[LanguageModel, str]:
    """The model and its vocabulary, a text in which a character's place is its index.

    Raises ValueError for another file or a damaged one, OSError where it cannot be read. Nothing but weights and plain types is
    ever made of it: no program that may hide in it is run.
    """
    data = Path(path).read_bytes()
    try:
        saved = torch.load(io.BytesIO(data), weights_only=True)
        if saved['format'] != FORMAT:
            raise ValueError(f'it is a {str(saved["format"])[:40]!r}')
        digest = saved.pop('sha256')
        if digest != _digest(saved):        # PyTorch itself checks nothing of what it reads
            raise ValueError('its contents are not what was exported')
        model = LanguageModel(Settings(**saved['settings']))
        model.load_state_dict(saved['state_dict'])
    except Exception as error:      # torch.load has no errors of its own: whatever it stumbles over comes out
        said = (str(error).splitlines() or [''])[0][:120]
        raise ValueError(f'{path} is no whole model that gluon_rnn has exported ({type(error).__name__}: {said}): write one by '
                         f'scripts/export.py RUN --format torch') from None
    return model.eval(), saved['vocabulary']


def _digest(saved: Dict[str, Any]) -> str:
    """The SHA-256 of an exported model: of what describes it, and of every weight."""
    found = hashlib.sha256(json.dumps([saved['format'], saved['settings'], saved['vocabulary']], sort_keys=True).encode())
    for name, value in saved['state_dict'].items():
        found.update(f'{name} {value.dtype} {tuple(value.shape)} '.encode())
        found.update(value.contiguous().numpy().tobytes())
    return found.hexdigest()


@torch.no_grad()
def generate(model: LanguageModel, vocabulary: Sequence[str], prefix: str, num_chars: int) -> str:
    """`prefix`, and the num_chars likeliest characters one after the other."""
    indices = {char: i for i, char in enumerate(vocabulary)}
    output = [indices[char] for char in prefix]
    training = model.training
    model.eval()
    X, state = torch.tensor([output]), model.begin_state(1)
    for _ in range(num_chars):
        logits, state = model(X, state)
        X = logits[-1:].argmax(1, keepdim=True)
        output.append(int(X))
    model.train(training)
    return ''.join(vocabulary[i] for i in output)
