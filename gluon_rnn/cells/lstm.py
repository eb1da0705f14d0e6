"""Long short-term memory, section 6.8."""
from __future__ import annotations

from typing import Any, Tuple

from mxnet import nd
from mxnet.gluon import rnn

from .gluon_layer import GluonLayer
from .ops import Inputs, State, dot, sigmoid, tanh
from .scratch import Scratch


class LSTM(Scratch):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), equations of section 6.8.1."""
    state_names = ('H', 'C')

    def __init__(self, num_inputs: int, num_hiddens: int, *, ctx: Any = None):
        super().__init__(num_inputs, num_hiddens, ctx=ctx)
        self.W_xi, self.W_hi, self.b_i = self.gate('i')     # input gate
        self.W_xf, self.W_hf, self.b_f = self.gate('f')     # forget gate
        self.W_xo, self.W_ho, self.b_o = self.gate('o')     # output gate
        self.W_xc, self.W_hc, self.b_c = self.gate('c')     # candidate memory

    def step(self, X: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """One step. X: (batch_size, num_inputs); state: (H, C), each (batch_size, num_hiddens). Returns H and (H, C)."""
        H, C = state
        I = sigmoid(dot(X, self.W_xi) + dot(H, self.W_hi) + self.b_i)
        F = sigmoid(dot(X, self.W_xf) + dot(H, self.W_hf) + self.b_f)
        O = sigmoid(dot(X, self.W_xo) + dot(H, self.W_ho) + self.b_o)
        C_tilde = tanh(dot(X, self.W_xc) + dot(H, self.W_hc) + self.b_c)
        C = F * C + I * C_tilde
        H = O * tanh(C)
        return H, (H, C)


def gluon_lstm(num_inputs: int, num_hiddens: int, *, num_layers: int = 1, bidirectional: bool = False,
               ctx: Any = None) -> GluonLayer:
    """`rnn.LSTM`, section 6.8.3. Its two biases of a gate add up to the book's one."""
    return GluonLayer(rnn.LSTM(num_hiddens, num_layers, bidirectional=bidirectional, input_size=num_inputs), 'lstm', ctx=ctx)
