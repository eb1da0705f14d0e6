"""The recurrent language models of gluon_rnn in PyTorch.

This file imports torch alone. Copied beside a file that `scripts/export.py RUN --format torch` has written, it runs the model:

    model, vocabulary = load_model('model.pt')
    print(generate(model, vocabulary, '分开', 50))

A network is a loop *by hand*, as the PyTorch ports of the book write it, or a *layer*, `torch.nn.RNN`, `GRU` or `LSTM`, whose
state_dict keys are those of the ports' `RNNModel`. A state is a tuple, inputs are (num_steps, batch_size, num_inputs).
"""
from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional

FORMAT = 'gluon_rnn torch 2'        # 2: with a digest
State = Tuple[Tensor, ...]


@dataclass(frozen=True)
class ModelSettings:
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

    def __post_init__(self) -> None:
        if self.layer and self.cell == 'gru' and not self.reset_after:
            raise ValueError("nn.GRU resets after the product with W_hh, the book's GRU before it: they are different networks, "
                             "take the form by hand")


class Loop(nn.Module):
    """A recurrent layer as a loop: `step` holds its equations. A state's arrays are (batch_size, num_hiddens)."""
    gates: str

    def __init__(self, num_inputs: int, num_hiddens: int):
        super().__init__()
        self.num_hiddens = num_hiddens
        for gate in self.gates:
            self.register_parameter(f'W_x{gate}', new_weight(num_inputs, num_hiddens))
            self.register_parameter(f'W_h{gate}', new_weight(num_hiddens, num_hiddens))
            self.register_parameter(f'b_{gate}', nn.Parameter(torch.zeros(num_hiddens)))

    def forward(self: Any, inputs: Tensor, state: State) -> Tuple[Tensor, State]:
        outputs = []
        for X in inputs:
            H, state = self.step(X, state)
            outputs.append(H)
        return torch.stack(outputs), state


class RNN(Loop):
    gates = 'h'

    def step(self: Any, X: Tensor, state: State) -> Tuple[Tensor, State]:
        H, = state
        H = self.phi(torch.matmul(X, self.W_xh) + torch.matmul(H, self.W_hh) + self.b_h)
        return H, (H,)


class GRU(Loop):
    gates = 'zrh'

    def step(self: Any, X: Tensor, state: State) -> Tuple[Tensor, State]:
        H, = state
        Z = torch.sigmoid(torch.matmul(X, self.W_xz) + torch.matmul(H, self.W_hz) + self.b_z)
        R = torch.sigmoid(torch.matmul(X, self.W_xr) + torch.matmul(H, self.W_hr) + self.b_r)
        if self.reset_after:
            H_tilde = torch.tanh(torch.matmul(X, self.W_xh) + R * torch.matmul(H, self.W_hh) + self.b_h)
        else:
            H_tilde = torch.tanh(torch.matmul(X, self.W_xh) + torch.matmul(R * H, self.W_hh) + self.b_h)
        H = Z * H + (1 - Z) * H_tilde
        return H, (H,)


class LSTM(Loop):
    gates = 'ifoc'

    def step(self: Any, X: Tensor, state: State) -> Tuple[Tensor, State]:
        H, C = state
        I = torch.sigmoid(torch.matmul(X, self.W_xi) + torch.matmul(H, self.W_hi) + self.b_i)
        F = torch.sigmoid(torch.matmul(X, self.W_xf) + torch.matmul(H, self.W_hf) + self.b_f)
        O = torch.sigmoid(torch.matmul(X, self.W_xo) + torch.matmul(H, self.W_ho) + self.b_o)
        C_tilde = torch.tanh(torch.matmul(X, self.W_xc) + torch.matmul(H, self.W_hc) + self.b_c)
        C = F * C + I * C_tilde
        H = O * torch.tanh(C)
        return H, (H, C)


class LanguageModel(nn.Module):
    """Characters -> one-hot vectors -> recurrent network `rnn` -> output layer (W_hq and b_q by hand, else `dense`)."""

    def __init__(self, settings: ModelSettings):
        super().__init__()
        self.settings = settings
        self.rnn, num_outputs = network(settings)
        if settings.layer:
            self.dense = nn.Linear(num_outputs, settings.vocab_size)
        else:
            self.W_hq = new_weight(num_outputs, settings.vocab_size)
            self.b_q = nn.Parameter(torch.zeros(settings.vocab_size))

    def forward(self, X: Tensor, state: State) -> Tuple[Tensor, State]:
        """X: (batch_size, num_steps), int64. Returns logits (num_steps * batch_size, vocab_size), time-major, and the state."""
        outputs, state = self.run(self.rnn, functional.one_hot(X.T, self.settings.vocab_size).float(), state)
        return self.output(outputs), self.carry(self.rnn, state)

    def output(self, Hs: Tensor) -> Tensor:
        """The logits; by hand step by step, as the ports have it."""
        return self.dense(Hs.flatten(0, 1)) if self.settings.layer else torch.cat([H @ self.W_hq + self.b_q for H in Hs])

    def run(self, part: Any, inputs: Tensor, state: State) -> Tuple[Tensor, State]:
        """The outputs of a part of the network, and its last state."""
        if isinstance(part, Loop):
            return part(inputs, state)
        if isinstance(part, nn.RNNBase):        # takes and gives its H alone, or H and C together
            outputs, last = part(inputs, state if len(state) > 1 else state[0])
            return outputs, last if isinstance(last, tuple) else (last,)
        pieces = shares(state, len(part))
        if 'from_end' in part:
            H_forward, last = self.run(part['from_start'], inputs, pieces[0])
            H_backward, first = self.run(part['from_end'], inputs.flip(0), pieces[1])
            return torch.cat((H_forward, H_backward.flip(0)), dim=2), last + first
        H = inputs
        states: List[Tensor] = []
        for i, (layer, piece) in enumerate(zip(part.values(), pieces)):     # each reads the hidden states of the one below
            H = functional.dropout(H, self.settings.dropout, self.training and i > 0)
            H_layer, piece = self.run(layer, H, piece)
            H = H + H_layer if i and self.settings.residual else H_layer
            states += piece
        return H, tuple(states)

    def carry(self, part: Any, state: State) -> State:
        """The state for the text that follows: a direction from the end begins anew."""
        if isinstance(part, nn.ModuleDict):
            pieces = [self.carry(*both) for both in zip(part.values(), shares(state, len(part)))]
            if 'from_end' in part:
                pieces[1] = tuple(torch.zeros_like(s) for s in pieces[1])
            return tuple(s for piece in pieces for s in piece)
        if isinstance(part, nn.RNNBase) and part.bidirectional:       # its directions take turns
            forward = torch.arange(state[0].shape[0]).reshape(-1, 1, 1) % 2 == 0
            return tuple(torch.where(forward, s, 0) for s in state)
        return state

    def begin_state(self, batch_size: int) -> State:
        shapes = [(part.num_layers * (1 + part.bidirectional), batch_size, part.hidden_size) if isinstance(part, nn.RNNBase)
                  else (batch_size, part.num_hiddens) for part in self.rnn.modules() if isinstance(part, (nn.RNNBase, Loop))]
        return tuple(torch.zeros(shape) for shape in shapes for _ in range(1 + (self.settings.cell == 'lstm')))


def shares(state: State, parts: int) -> List[State]:
    """The state of each of so many like parts."""
    size = len(state) // parts
    return [state[k * size:(k + 1) * size] for k in range(parts)]


def network(s: ModelSettings) -> Tuple[nn.Module, int]:
    """The recurrent network that the settings describe, in parts where no layer can hold it; the number of its outputs."""
    backward_hiddens = s.backward_hiddens or s.num_hiddens
    num_outputs = s.num_hiddens + backward_hiddens * s.bidirectional
    if s.layer and backward_hiddens == s.num_hiddens and not s.residual and (s.num_layers == 1 or not s.dropout):
        return direction(s, s.vocab_size, s.num_hiddens, num_layers=s.num_layers, bidirectional=s.bidirectional), num_outputs
    layers = {}
    for i, num_inputs in enumerate([s.vocab_size] + [num_outputs] * (s.num_layers - 1)):
        layers[f'layer{i}'] = direction(s, num_inputs, s.num_hiddens)
        if s.bidirectional:
            back = direction(s, num_inputs, backward_hiddens)
            layers[f'layer{i}'] = nn.ModuleDict({'from_start': layers[f'layer{i}'], 'from_end': back})
    return nn.ModuleDict(layers) if len(layers) > 1 else layers['layer0'], num_outputs


def direction(s: ModelSettings, *sizes: int, **more: Any) -> nn.Module:
    """One layer in one direction; of torch.nn, several in both where more says so. sizes: inputs and hidden units."""
    if s.layer:
        more.update({'nonlinearity': s.activation} if s.cell == 'rnn' else {})
        return {'rnn': nn.RNN, 'gru': nn.GRU, 'lstm': nn.LSTM}[s.cell](*sizes, **more)
    loop: Any = {'rnn': RNN, 'gru': GRU, 'lstm': LSTM}[s.cell](*sizes)
    loop.phi, loop.reset_after = getattr(torch, s.activation), s.reset_after
    return loop


def new_weight(*shape: int) -> nn.Parameter:
    """Drawn from N(0, 0.01), as the book and its ports have it."""
    return nn.Parameter(torch.randn(shape) * 0.01)


def load_model(path: Any) -> Tuple[LanguageModel, str]:
    """The model and its vocabulary, a text in which a character's place is its index. No program hidden in the file is run.

    Raises ValueError for another file or a damaged one, OSError if it cannot be read.
    """
    data = Path(path).read_bytes()
    try:
        saved = torch.load(io.BytesIO(data), weights_only=True)
        if saved['format'] != FORMAT:
            raise ValueError(f'it is a {str(saved["format"])[:40]!r}')
        digest = saved.pop('sha256')
        if digest != digest_of(saved):        # PyTorch itself checks nothing of what it reads
            raise ValueError('its contents are not what was exported')
        model = LanguageModel(ModelSettings(**saved['settings']))
        model.load_state_dict(saved['state_dict'])
    except Exception as error:      # torch.load has no errors of its own: whatever it stumbles over comes out
        said = (str(error).splitlines() or [''])[0][:120]
        raise ValueError(f'{path} is no whole model that gluon_rnn has exported ({type(error).__name__}: {said}): write one by '
                         f'scripts/export.py RUN --format torch') from None
    return model.eval(), saved['vocabulary']


def digest_of(saved: Dict[str, Any]) -> str:
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
