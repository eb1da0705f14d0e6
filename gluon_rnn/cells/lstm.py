"""Long short-term memory, section 6.8."""
from __future__ import annotations

from typing import Any, Tuple

from mxnet import nd
from mxnet.gluon import rnn

from . import hybrid
from .gluon_layer import GluonLayer
from .hybrid import GRADIENTS, Hybrid, Named, Times
from .ops import State, Step, affine, sigmoid, tanh
from .scratch import Scratch


class LSTM(Scratch):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), equations of section 6.8.1.

    `affine(X, W_x, H, W_h, b)` is X W_x + H W_h + b.
    """
    state_names = ('H', 'C')

    def __init__(self, num_inputs: int, num_hiddens: int, *, ctx: Any = None):
        super().__init__(num_inputs, num_hiddens, ctx=ctx)
        self.W_xi, self.W_hi, self.b_i = self.gate('i')     # input gate
        self.W_xf, self.W_hf, self.b_f = self.gate('f')     # forget gate
        self.W_xo, self.W_ho, self.b_o = self.gate('o')     # output gate
        self.W_xc, self.W_hc, self.b_c = self.gate('c')     # candidate memory

    def step(self, X: Step, state: State) -> Tuple[nd.NDArray, State]:
        """One step. X: (batch_size, num_inputs); state: (H, C), each (batch_size, num_hiddens). Returns H and (H, C)."""
        H, C = state
        I = sigmoid(affine(X, self.W_xi, H, self.W_hi, self.b_i))
        F = sigmoid(affine(X, self.W_xf, H, self.W_hf, self.b_f))
        O = sigmoid(affine(X, self.W_xo, H, self.W_ho, self.b_o))
        C_tilde = tanh(affine(X, self.W_xc, H, self.W_hc, self.b_c))
        C = F * C + I * C_tilde
        H = O * tanh(C)
        return H, (H, C)


class HybridLSTM(Hybrid, LSTM):
    """The same, compiled; its gradient by hand, d standing for the gradient of what is inside an activation.

    dO = dH * tanh(C) σ'    dC_t = dC + dH * O tanh'    dI = dC_t * C_tilde σ'    dF = dC_t * C_{t-1} σ'
    dC_tilde = dC_t * I tanh'    dC_{t-1} = dC_t * F    dH_{t-1} = dI W_hi^T + dF W_hf^T + dO W_ho^T + dC_tilde W_hc^T
    """
    gates, kept = ('i', 'f', 'o', 'c'), ('H', 'C', 'I', 'F', 'O', 'C_tilde', 'tanh_C')

    def forward_step(self, X: Named, state: Named, times: Times) -> Named:
        H, C = state.H, state.C
        I = hybrid.sigmoid(X.i + times(H, 'i'))
        F = hybrid.sigmoid(X.f + times(H, 'f'))
        O = hybrid.sigmoid(X.o + times(H, 'o'))
        C_tilde = hybrid.tanh(X.c + times(H, 'c'))
        C = F * C + I * C_tilde
        tanh_C = hybrid.tanh(C)
        return Named(H=O * tanh_C, C=C, I=I, F=F, O=O, C_tilde=C_tilde, tanh_C=tanh_C)

    def slopes(self, kept: Named, before: Named) -> Named:
        sigmoid, tanh = GRADIENTS['sigmoid'], GRADIENTS['tanh']
        return Named(F=kept.F, to_o=sigmoid(kept.tanh_C, kept.O), to_C=tanh(kept.O, kept.tanh_C),
                     to_i=sigmoid(kept.C_tilde, kept.I), to_f=sigmoid(before.C, kept.F), to_c=tanh(kept.I, kept.C_tilde))

    def backward_step(self, grad: Named, slope: Named, times: Times) -> Tuple[Named, Named]:
        dC = grad.C + grad.H * slope.to_C
        d = Named(i=dC * slope.to_i, f=dC * slope.to_f, o=grad.H * slope.to_o, c=dC * slope.to_c)
        return d, Named(H=[times(getattr(d, gate), gate) for gate in self.gates], C=[dC * slope.F])


def gluon_lstm(num_inputs: int, num_hiddens: int, *, num_layers: int = 1, bidirectional: bool = False,
               ctx: Any = None) -> GluonLayer:
    """`rnn.LSTM`, section 6.8.3. Its two biases of a gate add up to the book's one."""
    return GluonLayer(rnn.LSTM(num_hiddens, num_layers, bidirectional=bidirectional, input_size=num_inputs), 'lstm', ctx=ctx)
