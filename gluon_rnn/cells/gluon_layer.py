"""A `gluon.rnn` layer behind the same contract as the hand-written networks."""
from __future__ import annotations

from typing import Any, Dict, Tuple

import mxnet as mx
from mxnet import gluon, init, nd

from .layout import PACKED, pack, unpack
from .network import BookParams, Network
from .ops import Inputs, OneHot, State
from .scratch import SIGMA


class GluonLayer(Network):
    """A layer of `gluon.rnn` (sections 6.5, 6.7.3 and 6.8.3), hybridized, its weights drawn from N(0, 0.01).

    cell: 'rnn', 'gru' or 'lstm'. Differs from the hand-written networks in what the field calls the layer's form: two
    biases a gate, and a GRU that resets after the product with W_hh (`layout.py`).
    """

    def __init__(self, layer: Any, cell: str, *, ctx: Any = None):
        self.layer, self.cell, self.ctx = layer, cell, ctx or mx.cpu()
        layer.initialize(init.Normal(SIGMA), ctx=self.ctx)
        layer.hybridize(static_alloc=True, static_shape=True)
        self.bidirectional = layer._dir == 2
        self.num_inputs, self.num_outputs = layer._input_size, layer._hidden_size * layer._dir
        self.num_states = len(layer.state_info())

    def begin_state(self, batch_size: int) -> State:
        return tuple(self.layer.begin_state(batch_size, ctx=self.ctx))

    def __call__(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        X = inputs.dense() if isinstance(inputs, OneHot) else inputs
        outputs, state = self.layer(X, list(state))
        return outputs, tuple(state)

    def carry(self, state: State) -> State:
        if not self.bidirectional:
            return state
        # (num_layers * 2, batch_size, num_hiddens), the directions taking turns: the odd ones start anew
        rows = [[s[i:i + 1] if i % 2 == 0 else s[i:i + 1].zeros_like() for i in range(s.shape[0])] for s in state]
        return tuple(nd.concat(*row, dim=0) for row in rows)

    def _all(self) -> Dict[str, gluon.Parameter]:
        prefix = len(self.layer.prefix)
        return {name[prefix:]: parameter for name, parameter in self.layer.collect_params().items()}

    def parameters(self) -> Dict[str, nd.NDArray]:
        return {name: p.data(self.ctx) for name, p in self._all().items() if p.grad_req != 'null'}

    def freeze_second_bias(self) -> None:
        """Hold each gate's second bias at zero, so that SGD moves the sum of the two as the book's one bias moves."""
        for name, parameter in self._all().items():
            if name.endswith('h2h_bias'):
                parameter.set_data(nd.zeros(parameter.shape))
                parameter.grad_req = 'null'

    def _parts(self) -> Dict[str, str]:
        """The book's prefix of each layer and direction ('layer1.backward.') -> Gluon's ('r1_')."""
        deep = self.layer._num_layers > 1
        directions = {'l': 'forward.', 'r': 'backward.'} if self.bidirectional else {'l': ''}
        return {f'layer{i}.' * deep + name: f'{letter}{i}_'
                for i in range(self.layer._num_layers) for letter, name in directions.items()}

    def book_params(self) -> BookParams:
        own, params = self._all(), {}
        for book, short in self._parts().items():
            packed = {name: own[short + name].data(self.ctx).asnumpy() for name in PACKED}
            params.update({book + name: value for name, value in unpack(packed, self.cell).items()})
        return params

    def load_book_params(self, params: BookParams) -> None:
        own, values, used = self._all(), {}, set()
        for book, short in self._parts().items():
            part = {name[len(book):]: value for name, value in params.items() if name.startswith(book)}
            used |= {book + name for name in part}
            values.update({short + name: value for name, value in pack(part, self.cell).items()})
        if params.keys() - used:
            raise ValueError(f'the weights are of another network: not wanted {sorted(params.keys() - used)}')
        for name, value in values.items():
            if own[name].shape != value.shape:
                raise ValueError(f'{name} must have shape {own[name].shape}, got {value.shape}')
        for name, value in values.items():
            own[name].set_data(nd.array(value, ctx=self.ctx))
