"""The simple recurrent network, sections 6.2, 6.4 and 6.5."""
from __future__ import annotations

from typing import Any, Tuple

import mxnet as mx
from mxnet import gluon, init, nd
from mxnet.gluon import rnn

from .base import Network
from .gluon_layer import GluonLayer
from .ops import ACTIVATIONS, Inputs, OneHot, State, dot
from .scratch import SIGMA, Scratch


class RNN(Scratch):
    """Elman's network, equation (6.2): H_t = φ(X_t W_xh + H_{t-1} W_hh + b_h).

    activation: φ, 'tanh' (section 6.4), 'relu' (what `rnn.RNN` is unless told otherwise, and so section 6.5) or 'sigmoid'.
    """

    def __init__(self, num_inputs: int, num_hiddens: int, *, activation: str = 'tanh', ctx: Any = None):
        super().__init__(num_inputs, num_hiddens, ctx=ctx)
        self.activation = check_activation(activation)
        self.W_xh, self.W_hh, self.b_h = self.gate('h')

    def step(self, X: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """One step. X: (batch_size, num_inputs); state: (H,), (batch_size, num_hiddens). Returns H and (H,)."""
        phi = ACTIVATIONS[self.activation]
        H, = state
        H = phi(dot(X, self.W_xh) + dot(H, self.W_hh) + self.b_h)
        return H, (H,)


def gluon_rnn(num_inputs: int, num_hiddens: int, *, activation: str = 'tanh', num_layers: int = 1,
              bidirectional: bool = False, ctx: Any = None) -> GluonLayer:
    """The same network as `rnn.RNN`, section 6.5. Its two biases add up to b_h.

    Raises ValueError for 'sigmoid' with several layers or directions, which `gluon.rnn` does not have.
    """
    if check_activation(activation) == 'sigmoid':
        if num_layers > 1 or bidirectional:
            raise ValueError("gluon.rnn has activation 'sigmoid' in a single layer only: stack layers, or use 'tanh' or 'relu'")
        return GluonSigmoidRNN(num_inputs, num_hiddens, ctx=ctx)
    return GluonLayer(rnn.RNN(num_hiddens, num_layers, activation=activation, bidirectional=bidirectional,
                              input_size=num_inputs), 'rnn', ctx=ctx)


class GluonSigmoidRNN(GluonLayer):
    """φ = sigmoid: `rnn.RNN` does not have it, `rnn.RNNCell` does, unrolled over the steps."""

    def __init__(self, num_inputs: int, num_hiddens: int, *, ctx: Any = None):
        self.layer, self.cell, self.ctx = rnn.RNNCell(num_hiddens, 'sigmoid', input_size=num_inputs), 'rnn', ctx or mx.cpu()
        self.layer.initialize(init.Normal(SIGMA), ctx=self.ctx)
        self.layer.hybridize()
        self.num_inputs, self.num_outputs, self.num_states, self.bidirectional = num_inputs, num_hiddens, 1, False

    def run(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        X = inputs.dense() if isinstance(inputs, OneHot) else inputs
        outputs, state = self.layer.unroll(X.shape[0], X, list(state), layout='TNC', merge_outputs=True)
        return outputs, tuple(state)

    run_lengths = Network.run_lengths

    def _all(self) -> dict[str, gluon.Parameter]:
        return {f'l0_{name}': parameter for name, parameter in super()._all().items()}

    def _parts(self) -> dict[str, str]:
        return {'': 'l0_'}


def check_activation(activation: str) -> str:
    if activation not in ACTIVATIONS:
        raise ValueError(f'activation must be one of {", ".join(ACTIVATIONS)}, got {activation!r}')
    return activation
