"""A `gluon.rnn` layer behind the same contract as the hand-written networks."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

import mxnet as mx
import numpy as np
from mxnet import gluon, init, nd

from .base import BookParams, Network, check_weights
from .lengths import Run, run_rows
from .ops import Inputs, OneHot, State, reverse_dense
from .scratch import SIGMA
from .weights import PACKED, pack, unpack


class GluonLayer(Network):
    """A layer of `gluon.rnn` (sections 6.5, 6.7.3 and 6.8.3), hybridized, its weights drawn from N(0, 0.01).

    cell: 'rnn', 'gru' or 'lstm'. Differs from the hand-written networks in what the field calls the layer's form: two
    biases a gate, and a GRU that resets after the product with W_hh (`weights.py`).

    No dropout: on the CPU the fused operator accepts a rate between its layers and silently ignores it.
    """

    def __init__(self, layer: Any, cell: str, *, ctx: Any = None):
        self.layer, self.cell, self.ctx = layer, cell, ctx or mx.cpu()
        if layer._dropout:
            raise ValueError("a fused layer's dropout does nothing on the CPU: put single layers into a DeepRNN with dropout")
        if layer._layout != 'TNC':
            raise ValueError(f"a layer must have layout 'TNC', steps before rows, got {layer._layout!r}: make it without layout")
        layer.initialize(init.Normal(SIGMA), ctx=self.ctx)
        layer.hybridize(static_alloc=True, static_shape=True)
        self.bidirectional = layer._dir == 2
        self.num_inputs, self.num_outputs = layer._input_size, layer._hidden_size * layer._dir
        self.num_states = len(layer.state_info())

    def state_shapes(self, batch_size: int) -> List[Tuple[int, ...]]:
        return [info['shape'] for info in self.layer.state_info(batch_size)]

    def run(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        X = inputs.dense() if isinstance(inputs, OneHot) else inputs
        outputs, state = self.layer(X, list(state))
        return outputs, tuple(state)

    def run_lengths(self, inputs: Inputs, state: State, lengths: np.ndarray) -> Tuple[nd.NDArray, State]:
        """Layer by layer and direction by direction: `use_sequence_length` of the fused operator needs cuDNN."""
        H = inputs.dense() if isinstance(inputs, OneHot) else inputs
        last: List[State] = []
        for i in range(self.layer._num_layers):
            outputs = []
            for k in range(self.layer._dir):
                row = len(last)
                begin = tuple(s[row:row + 1] for s in state)
                X = reverse_dense(H, lengths) if k else H
                Y, end = run_rows(self._one_direction(i, 'lr'[k]), X, begin, lengths)
                outputs.append(reverse_dense(Y, lengths) if k else Y)
                last.append(end)
            H = nd.concat(*outputs, dim=2)
        return H, tuple(nd.concat(*arrays, dim=0) for arrays in zip(*last))

    def _one_direction(self, i: int, letter: str) -> Run:
        """One layer in one direction ('l' from the beginning, 'r' from the end) as the operator that the whole layer runs on."""
        own = self._all()
        packed = nd.concat(*[own[f'{letter}{i}_{name}'].data(self.ctx).reshape((-1,)) for name in PACKED], dim=0)

        def run(X: nd.NDArray, state: State) -> Tuple[nd.NDArray, State]:
            H, *state = nd.RNN(X, packed, *state, state_size=self.layer._hidden_size, num_layers=1, state_outputs=True,
                               mode=self.layer._mode)
            return H, tuple(state)
        return run

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

    def weights(self) -> Dict[str, nd.NDArray]:
        """All arrays by Gluon's names, frozen ones included."""
        return {name: parameter.data(self.ctx) for name, parameter in self._all().items()}

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
        own, values, wanted = self._all(), {}, self.book_params()
        for book in self._parts():      # the one weight that may be left out, and is then zero
            wanted.pop(book + 'b_hh', None)
            if self.cell == 'gru' and book + 'b_hh' in params:
                wanted[book + 'b_hh'] = wanted[book + 'b_h']
        check_weights(wanted, params)
        for book, short in self._parts().items():
            part = {name[len(book):]: value for name, value in params.items() if name.startswith(book)}
            values.update({short + name: value for name, value in pack(part, self.cell).items()})
        for name, value in values.items():
            own[name].set_data(nd.array(value, ctx=self.ctx))
