"""The gated recurrent unit, section 6.7."""
from __future__ import annotations

from typing import Any, Dict, Tuple

from mxnet import nd
from mxnet.gluon import rnn

from . import hybrid
from .gluon_layer import GluonLayer
from .hybrid import GRADIENTS, Hybrid, Named, Sym, Times
from .ops import State, Step, affine, dot, linear, sigmoid, tanh
from .scratch import Scratch


class GRU(Scratch):
    """The gated recurrent unit (Cho et al., 2014), equations of section 6.7.1.

    The candidate comes in two forms. The book's, the default, resets the state before its product with W_hh:
    tanh(X W_xh + (R * H) W_hh + b_h). `reset_after=True` resets the product, as Gluon, cuDNN and PyTorch do:
    tanh(X W_xh + R * (H W_hh) + b_h), to which `inner_bias=True` adds their second bias, R * (H W_hh + b_hh).
    With the same weights the two forms are different networks.

    `affine(X, W_x, H, W_h, b)` is X W_x + H W_h + b.
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

    def step(self, X: Step, state: State) -> Tuple[nd.NDArray, State]:
        """One step. X: (batch_size, num_inputs); state: (H,), (batch_size, num_hiddens). Returns H and (H,)."""
        H, = state
        Z = sigmoid(affine(X, self.W_xz, H, self.W_hz, self.b_z))
        R = sigmoid(affine(X, self.W_xr, H, self.W_hr, self.b_r))
        if self.reset_after:
            H_tilde = tanh(linear(X, self.W_xh, self.b_h) + R * (dot(H, self.W_hh) + self.b_hh))
        else:
            H_tilde = tanh(affine(X, self.W_xh, R * H, self.W_hh, self.b_h))
        H = Z * H + (1 - Z) * H_tilde
        return H, (H,)


class HybridGRU(Hybrid, GRU):
    """The same in both forms, compiled; its gradient by hand, d standing for the gradient of what is inside an activation.

    dH_tilde = dH * (1 - Z) tanh'       dZ = dH * (H_{t-1} - H_tilde) σ'
    book's form:    dR = dH_tilde W_hh^T * H_{t-1} σ'       dH_{t-1} = dH * Z + dH_tilde W_hh^T * R + dZ W_hz^T + dR W_hr^T
    reset after:    dR = dH_tilde * M σ',  M = H_{t-1} W_hh + b_hh
                    dH_{t-1} = dH * Z + (dH_tilde * R) W_hh^T + dZ W_hz^T + dR W_hr^T
    """
    gates = ('z', 'r', 'h')

    @property
    def kept(self) -> Tuple[str, ...]:      # type: ignore[override]
        return ('H', 'Z', 'R', 'H_tilde', 'M' if self.reset_after else 'RH')

    def inner_biases(self) -> Dict[str, str]:
        inner = {'z': 'b_z', 'r': 'b_r'}
        if not self.reset_after:
            return {**inner, 'h': 'b_h'}
        return {**inner, 'h': 'b_hh'} if 'b_hh' in self.params else inner

    def outer_biases(self) -> Dict[str, str]:
        return {'h': 'b_h'} if self.reset_after else {}

    def forward_step(self, X: Named, state: Named, times: Times) -> Named:
        H = state.H
        Z = hybrid.sigmoid(X.z + times(H, 'z'))
        R = hybrid.sigmoid(X.r + times(H, 'r'))
        if self.reset_after:
            M = times(H, 'h')
            H_tilde, kept = hybrid.tanh(X.h + R * M), {'M': M}
        else:
            RH = R * H
            H_tilde, kept = hybrid.tanh(X.h + times(RH, 'h')), {'RH': RH}
        return Named(H=H_tilde + Z * (H - H_tilde), Z=Z, R=R, H_tilde=H_tilde, **kept)

    def slopes(self, kept: Named, before: Named) -> Named:
        return Named(Z=kept.Z, R=kept.R,
                     to_z=GRADIENTS['sigmoid'](before.H - kept.H_tilde, kept.Z),
                     to_r=GRADIENTS['sigmoid'](kept.M if self.reset_after else before.H, kept.R),
                     to_h=GRADIENTS['tanh'](1 - kept.Z, kept.H_tilde))

    def backward_step(self, grad: Named, slope: Named, times: Times) -> Tuple[Named, Named]:
        dH_tilde, dZ = grad.H * slope.to_h, grad.H * slope.to_z
        if self.reset_after:
            dR, back = dH_tilde * slope.to_r, times(dH_tilde * slope.R, 'h')
        else:
            dRH = times(dH_tilde, 'h')
            dR, back = dRH * slope.to_r, dRH * slope.R
        return Named(z=dZ, r=dR, h=dH_tilde), Named(H=[grad.H * slope.Z, back, times(dZ, 'z'), times(dR, 'r')])

    def hidden_products(self, kept: Named, before: Named, grad: Named) -> Dict[str, Tuple[Sym, Sym]]:
        h = (before.H, grad.h * kept.R) if self.reset_after else (kept.RH, grad.h)
        return {'z': (before.H, grad.z), 'r': (before.H, grad.r), 'h': h}


def gluon_gru(num_inputs: int, num_hiddens: int, *, num_layers: int = 1, bidirectional: bool = False,
              ctx: Any = None) -> GluonLayer:
    """`rnn.GRU`, section 6.7.3: equal to `GRU(reset_after=True)`, and not to the book's form."""
    return GluonLayer(rnn.GRU(num_hiddens, num_layers, bidirectional=bidirectional, input_size=num_inputs), 'gru', ctx=ctx)
