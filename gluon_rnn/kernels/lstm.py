"""Long short-term memory, section 6.8.1, and its back-propagation through time."""
from __future__ import annotations

from typing import Any

from .activations import sigmoid, tanh
from .compiling import kernel, meet
from .products import multiply, pack_panels
from .tile import PANEL
from .walk import Share, add_output_gradient, places


@kernel
def lstm_forward(S: Any, H: Any, C: Any, panels: Any, lengths: Any, reverse: bool, share: Share, meeting: Any) -> None:
    """The walk of one thread's share (`walk.py`); gates in the order I, F, O, C_tilde, S holding X W_x + b of each.

    C (T + 1, B, width): the memory cells, as H.
    """
    first, last, left, right = share.first, share.last, share.left * PANEL, share.right * PANEL
    num_hiddens, panels_each = panels.shape[1], panels.shape[0] // 4
    width = panels_each * PANEL
    for s in range(S.shape[0]):
        t, before, after = places(s, S.shape[0], reverse)
        for gate in range(4):
            multiply(H[before:before + 1, first:last, :num_hiddens],
                     panels[gate * panels_each + share.left:gate * panels_each + share.right],
                     S[t:t + 1, first:last, gate * width + left:gate * width + right], True)
        for r in range(first, last):
            if t < lengths[r]:
                _cell(S[t, r, left:right], S[t, r, width + left:width + right], S[t, r, 2 * width + left:2 * width + right],
                      S[t, r, 3 * width + left:3 * width + right], C[before, r, left:right], C[after, r, left:right],
                      H[after, r, left:right])
            else:
                H[after, r, left:right] = H[before, r, left:right]
                C[after, r, left:right] = C[before, r, left:right]
        if share.number > 1:
            meet(meeting, share.number)


@kernel
def lstm_backward(S: Any, H: Any, C: Any, panels: Any, dY: Any, offset: int, num_hiddens: int, dH: Any, dC: Any, dS: Any,
                  lengths: Any, reverse: bool, share: Share, meeting: Any) -> None:
    """The gradient of the same walk, from its end; d of a gate is that of what stands inside its activation.

    dO = dH * tanh(C_t) σ'      dC_t = dC + dH * O (1 - tanh²(C_t))     dI = dC_t * C_tilde σ'      dF = dC_t * C_{t-1} σ'
    dC_tilde = dC_t * I tanh'   dC_{t-1} = dC_t * F     dH_{t-1} = [dI, dF, dO, dC_tilde] [W_hi, W_hf, W_ho, W_hc]ᵀ

    dY (T, B, columns): that of the outputs, of this direction from column `offset` on; dH, dC (1, B, width): those of the last
    state, in the end those of the first. S becomes dI, dF, dO, dC_tilde, and dS (4 x panels, T, B, PANEL) the same for the
    weights. panels: of the transposed W_h, (panels, 4 x width, PANEL), rows past each gate's hidden units zero.
    """
    first, last, left, right = share.first, share.last, share.left * PANEL, share.right * PANEL
    panels_each, width = dS.shape[0] // 4, panels.shape[1] // 4
    for s in range(S.shape[0] - 1, -1, -1):
        t, before, after = places(s, S.shape[0], reverse)
        for r in range(first, last):
            I, F = S[t, r, left:right], S[t, r, width + left:width + right]
            O, C_tilde = S[t, r, 2 * width + left:2 * width + right], S[t, r, 3 * width + left:3 * width + right]
            if t < lengths[r]:
                add_output_gradient(dH[0, r], dY[t, r], left, right, offset, num_hiddens)
                _inside(I, F, O, C_tilde, C[before, r, left:right], C[after, r, left:right], dH[0, r, left:right],
                        dC[0, r, left:right])
            else:
                I[:] = 0
                F[:] = 0
                O[:] = 0
                C_tilde[:] = 0
        if share.number > 1:
            meet(meeting, share.number)
        multiply(S[t:t + 1, first:last, :4 * width], panels[share.left:share.right], dH[:, first:last, left:right], True)
        for gate in range(4):
            pack_panels(S[t:t + 1, first:last, gate * width + left:gate * width + right],
                        dS[gate * panels_each + share.left:gate * panels_each + share.right], t, first)


# Below, loops of few arrays each: LLVM turns a loop into vector code only where it can check that none of them overlap.
@kernel
def _cell(I: Any, F: Any, O: Any, C_tilde: Any, C_before: Any, C: Any, H: Any) -> None:
    """The gates become their activations; C = F * C_before + I * C_tilde, H = O * tanh(C)."""
    for gate in (I, F, O):
        for j in range(gate.shape[0]):
            gate[j] = sigmoid(gate[j])
    for j in range(C_tilde.shape[0]):
        C_tilde[j] = tanh(C_tilde[j])
    for j in range(C.shape[0]):
        C[j] = F[j] * C_before[j] + I[j] * C_tilde[j]
    for j in range(H.shape[0]):
        H[j] = O[j] * tanh(C[j])


@kernel
def _inside(I: Any, F: Any, O: Any, C_tilde: Any, C_before: Any, C: Any, dH: Any, dC: Any) -> None:
    """The gates become the gradients of what stands inside their activations, dC that of the memory cell before, dH zero."""
    zero, one = I.dtype.type(0), I.dtype.type(1)
    for j in range(O.shape[0]):
        o, tanh_C = O[j], tanh(C[j])
        dC[j] += dH[j] * o * (one - tanh_C * tanh_C)
        O[j] = dH[j] * tanh_C * o * (one - o)
        dH[j] = zero
    for j in range(I.shape[0]):
        i, c = I[j], C_tilde[j]
        I[j] = dC[j] * c * i * (one - i)
        C_tilde[j] = dC[j] * i * (one - c * c)
    for j in range(F.shape[0]):
        d, f = dC[j], F[j]
        F[j] = d * C_before[j] * f * (one - f)
        dC[j] = d * f
