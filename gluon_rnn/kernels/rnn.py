"""The simple recurrent network, equation (6.2), and its back-propagation through time (section 6.6)."""
from __future__ import annotations

from typing import Any

from .activations import sigmoid, tanh
from .compiling import kernel, meet
from .products import multiply, pack_panels
from .tile import PANEL
from .walk import Share, add_output_gradient, places

TANH, RELU, SIGMOID = 0, 1, 2


@kernel
def rnn_forward(S: Any, H: Any, panels: Any, activation: int, lengths: Any, reverse: bool, share: Share, meeting: Any) -> None:
    """H_t = φ(X_t W_xh + H_{t-1} W_hh + b_h), S holding X W_xh + b_h; the walk of one thread's share (`walk.py`)."""
    first, last, left, right = share.first, share.last, share.left * PANEL, share.right * PANEL
    for s in range(S.shape[0]):
        t, before, after = places(s, S.shape[0], reverse)
        multiply(H[before:before + 1, first:last, :panels.shape[1]], panels[share.left:share.right],
                 S[t:t + 1, first:last, left:right], True)
        for r in range(first, last):
            if t < lengths[r]:
                _activate(S[t, r, left:right], H[after, r, left:right], activation)
            else:
                H[after, r, left:right] = H[before, r, left:right]
        if share.number > 1:
            meet(meeting, share.number)


@kernel
def rnn_backward(S: Any, H: Any, panels: Any, activation: int, dY: Any, offset: int, num_hiddens: int, dH: Any, dS: Any,
                 lengths: Any, reverse: bool, share: Share, meeting: Any) -> None:
    """The gradient of the same walk, from its end: dA_t = dH_t * φ'(A_t), dH_{t-1} = dA_t W_hhᵀ, where H_t = φ(A_t).

    dY (T, B, columns): that of the outputs, of this direction from column `offset` on; dH (1, B, width): that of the last state,
    in the end that of the first. S becomes dA, and dS (panels, T, B, PANEL) the same for the weights. panels: of W_hhᵀ.
    """
    first, last, left, right = share.first, share.last, share.left * PANEL, share.right * PANEL
    for s in range(S.shape[0] - 1, -1, -1):
        t, _, after = places(s, S.shape[0], reverse)
        for r in range(first, last):
            if t < lengths[r]:
                add_output_gradient(dH[0, r], dY[t, r], left, right, offset, num_hiddens)
                _inside(S[t, r, left:right], H[after, r, left:right], dH[0, r, left:right], activation)
            else:
                S[t, r, left:right] = 0
        if share.number > 1:
            meet(meeting, share.number)
        multiply(S[t:t + 1, first:last, :panels.shape[1]], panels[share.left:share.right], dH[:, first:last, left:right], True)
        pack_panels(S[t:t + 1, first:last, left:right], dS[share.left:share.right], t, first)


@kernel
def _activate(A: Any, H: Any, activation: int) -> None:
    """H = activation(A)."""
    zero = A.dtype.type(0)
    if activation == TANH:
        for j in range(A.shape[0]):
            H[j] = tanh(A[j])
    elif activation == RELU:
        for j in range(A.shape[0]):
            H[j] = A[j] if not A[j] < zero else zero
    else:
        for j in range(A.shape[0]):
            H[j] = sigmoid(A[j])


@kernel
def _inside(A: Any, H: Any, dH: Any, activation: int) -> None:
    """A becomes the gradient of what stands inside the activation, dH zero."""
    zero, one = A.dtype.type(0), A.dtype.type(1)
    if activation == TANH:
        for j in range(A.shape[0]):
            A[j] = dH[j] * (one - H[j] * H[j])
            dH[j] = zero
    elif activation == RELU:
        for j in range(A.shape[0]):
            A[j] = dH[j] if H[j] > zero else zero
            dH[j] = zero
    else:
        for j in range(A.shape[0]):
            A[j] = dH[j] * H[j] * (one - H[j])
            dH[j] = zero
