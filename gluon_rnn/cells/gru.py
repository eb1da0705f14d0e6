"""The gated recurrent unit, section 6.7."""
from __future__ import annotations

from typing import Any, Tuple

from mxnet import nd
from mxnet.gluon import rnn

from .gluon_layer import GluonLayer
from .ops import Inputs, State, dot, sigmoid, tanh
from .scratch import Scratch


class GRU(Scratch):
    """The gated recurrent unit (Cho et al., 2014), equations of section 6.7.1.

    The candidate comes in two forms. The book's, the default, resets the state before its product with W_hh:
    tanh(X W_xh + (R * H) W_hh + b_h). `reset_after=True` resets the product, as Gluon, cuDNN and PyTorch do:
    tanh(X W_xh + R * (H W_hh) + b_h), to which `inner_bias=True` adds their second bias, R * (H W_hh + b_hh).
    With the same weights the two forms are different networks.
    """

    def __init__(self, num_inputs: int, num_hiddens: int, *, reset_after: bool = False, inner_bias: bool = False,
                 ctx: Any = None):
        super().__init__(num_inputs, num_hiddens, ctx=ctx)
        if inner_bias and not reset_after:
            raise ValueError('inner_bias needs reset_after=True: the book\'s form has no place for it')
        self.reset_after = reset_after
        self.W_xz, self.W_hz, self.b_z = self.gate('z')     # update gate
        self.W_xr, self.W_hr, self.b_r = self.gate('r')     # reset gate
        self.W_xh, self.W_hh, self.b_h = self.gate('h')     # candidate
        self.b_hh = self.parameter('b_hh', nd.zeros(num_hiddens, ctx=self.ctx)) if inner_bias else 0

    def step(self, X: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """One step. X: (batch_size, num_inputs); state: (H,), (batch_size, num_hiddens). Returns H and (H,)."""
        H, = state
        Z = sigmoid(dot(X, self.W_xz) + dot(H, self.W_hz) + self.b_z)
        R = sigmoid(dot(X, self.W_xr) + dot(H, self.W_hr) + self.b_r)
        if self.reset_after:
            H_tilde = tanh(dot(X, self.W_xh) + R * (dot(H, self.W_hh) + self.b_hh) + self.b_h)
        else:
            H_tilde = tanh(dot(X, self.W_xh) + dot(R * H, self.W_hh) + self.b_h)
        H = Z * H + (1 - Z) * H_tilde
        return H, (H,)


def gluon_gru(num_inputs: int, num_hiddens: int, *, num_layers: int = 1, bidirectional: bool = False,
              ctx: Any = None) -> GluonLayer:
    """`rnn.GRU`, section 6.7.3: equal to `GRU(reset_after=True)`, and not to the book's form."""
    return GluonLayer(rnn.GRU(num_hiddens, num_layers, bidirectional=bidirectional, input_size=num_inputs), 'gru', ctx=ctx)
