"""The gated recurrent unit, section 6.7.1, in both forms, and its back-propagation through time."""
from __future__ import annotations

from typing import Any

from .activations import sigmoid, tanh
from .compiling import kernel, meet
from .products import multiply, pack_panels
from .tile import PANEL
from .walk import Share, add_output_gradient, places


@kernel
def gru_forward(S: Any, H: Any, E: Any, panels: Any, reset_after: bool, b_hh: Any, lengths: Any, reverse: bool, share: Share,
                meeting: Any) -> None:
    """The walk of one thread's share (`walk.py`); gates in the order Z, R, H_tilde, S holding X W_x + b of each.

    Book's form: H_tilde = tanh(X W_xh + (R * H) W_hh + b_h); E (T, B, width) becomes R * H.
    reset_after: H_tilde = tanh(X W_xh + R * M + b_h), M = H W_hh + b_hh; E becomes M. b_hh (width,): zeros where there is none.
    """
    first, last, left, right = share.first, share.last, share.left * PANEL, share.right * PANEL
    num_hiddens, panels_each = panels.shape[1], panels.shape[0] // 3
    width = panels_each * PANEL
    for s in range(S.shape[0]):
        t, before, after = places(s, S.shape[0], reverse)
        H_before = H[before:before + 1, first:last, :num_hiddens]
        for gate in range(2):
            multiply(H_before, panels[gate * panels_each + share.left:gate * panels_each + share.right],
                     S[t:t + 1, first:last, gate * width + left:gate * width + right], True)
        if reset_after:
            for r in range(first, last):
                E[t, r, left:right] = b_hh[left:right]
            multiply(H_before, panels[2 * panels_each + share.left:2 * panels_each + share.right],
                     E[t:t + 1, first:last, left:right], True)
        for r in range(first, last):
            Z, R = S[t, r, left:right], S[t, r, width + left:width + right]
            if t >= lengths[r]:
                E[t, r, left:right] = 0
            elif reset_after:
                _reset_product(Z, R, S[t, r, 2 * width + left:2 * width + right], E[t, r, left:right])
            else:
                _reset_state(Z, R, H[before, r, left:right], E[t, r, left:right])
        if not reset_after:
            if share.number > 1:
                meet(meeting, share.number)
            multiply(E[t:t + 1, first:last, :num_hiddens], panels[2 * panels_each + share.left:2 * panels_each + share.right],
                     S[t:t + 1, first:last, 2 * width + left:2 * width + right], True)
        for r in range(first, last):
            if t < lengths[r]:
                _update(S[t, r, left:right], S[t, r, 2 * width + left:2 * width + right], H[before, r, left:right],
                        H[after, r, left:right])
            else:
                H[after, r, left:right] = H[before, r, left:right]
        if share.number > 1:
            meet(meeting, share.number)


@kernel
def gru_backward(S: Any, H: Any, E: Any, panels: Any, reset_after: bool, dRH: Any, dY: Any, offset: int, num_hiddens: int,
                 dH: Any, dS: Any, dM: Any, lengths: Any, reverse: bool, share: Share, meeting: Any) -> None:
    """The gradient of the same walk, from its end; d of a gate is that of what stands inside its activation.

    dH_tilde = dH * (1 - Z) tanh'       dZ = dH * (H_{t-1} - H_tilde) σ'
    book's form:    dRH = dH_tilde W_hhᵀ, dR = dRH * H_{t-1} σ'     dH_{t-1} = dH * Z + dRH * R + [dZ, dR] [W_hz, W_hr]ᵀ
    reset_after:    dM = dH_tilde * R, dR = dH_tilde * M σ'         dH_{t-1} = dH * Z + dM W_hhᵀ + [dZ, dR] [W_hz, W_hr]ᵀ

    dY (T, B, columns): that of the outputs, of this direction from column `offset` on; dH (1, B, width): that of the last state,
    in the end that of the first. S becomes dZ, dR, dH_tilde, and dS (3 x panels, T, B, PANEL) the same for the weights; E
    becomes dM in the second form, and dM the same for the weights. dRH (1, B, width): room for it.
    panels: of the transposed W_h, (panels, 3 x width, PANEL), rows past each gate's hidden units zero.
    """
    first, last, left, right = share.first, share.last, share.left * PANEL, share.right * PANEL
    panels_each, width = dS.shape[0] // 3, panels.shape[1] // 3
    W_zr, W_h = panels[share.left:share.right, :2 * width], panels[share.left:share.right, 2 * width:]
    for s in range(S.shape[0] - 1, -1, -1):
        t, before, _ = places(s, S.shape[0], reverse)
        for r in range(first, last):
            Z, R = S[t, r, left:right], S[t, r, width + left:width + right]
            H_tilde = S[t, r, 2 * width + left:2 * width + right]
            if t >= lengths[r]:
                Z[:] = 0
                R[:] = 0
                H_tilde[:] = 0
                E[t, r, left:right] = 0
                continue
            add_output_gradient(dH[0, r], dY[t, r], left, right, offset, num_hiddens)
            _inside_candidate(Z, H_tilde, H[before, r, left:right], dH[0, r, left:right])
            if reset_after:
                _inside_reset_product(R, H_tilde, E[t, r, left:right])
        if share.number > 1:
            meet(meeting, share.number)
        if reset_after:
            multiply(E[t:t + 1, first:last, :width], W_h, dH[:, first:last, left:right], True)
        else:
            multiply(S[t:t + 1, first:last, 2 * width:3 * width], W_h, dRH[:, first:last, left:right], False)
            for r in range(first, last):
                if t < lengths[r]:
                    _inside_reset(S[t, r, width + left:width + right], dRH[0, r, left:right], H[before, r, left:right],
                                  dH[0, r, left:right])
            if share.number > 1:
                meet(meeting, share.number)
        multiply(S[t:t + 1, first:last, :2 * width], W_zr, dH[:, first:last, left:right], True)
        for gate in range(3):
            pack_panels(S[t:t + 1, first:last, gate * width + left:gate * width + right],
                        dS[gate * panels_each + share.left:gate * panels_each + share.right], t, first)
        if reset_after:
            pack_panels(E[t:t + 1, first:last, left:right], dM[share.left:share.right], t, first)


@kernel
def _reset_state(Z: Any, R: Any, H: Any, RH: Any) -> None:
    """Z, R = σ(Z), σ(R); RH = R * H."""
    for j in range(Z.shape[0]):
        r = sigmoid(R[j])
        Z[j] = sigmoid(Z[j])
        R[j] = r
        RH[j] = r * H[j]


@kernel
def _reset_product(Z: Any, R: Any, A: Any, M: Any) -> None:
    """Z, R = σ(Z), σ(R); A += R * M, inside the tanh of H_tilde."""
    for j in range(Z.shape[0]):
        r = sigmoid(R[j])
        Z[j] = sigmoid(Z[j])
        R[j] = r
        A[j] += r * M[j]


@kernel
def _update(Z: Any, A: Any, H_before: Any, H: Any) -> None:
    """A becomes H_tilde = tanh(A); H = Z * H_before + (1 - Z) * H_tilde."""
    one = Z.dtype.type(1)
    for j in range(Z.shape[0]):
        h = tanh(A[j])
        A[j] = h
        H[j] = Z[j] * H_before[j] + (one - Z[j]) * h


@kernel
def _inside_candidate(Z: Any, H_tilde: Any, H: Any, dH: Any) -> None:
    """H_tilde and Z become the gradients of what stands inside their activations, dH becomes dH * Z."""
    one = Z.dtype.type(1)
    for j in range(Z.shape[0]):
        z, h, d = Z[j], H_tilde[j], dH[j]
        H_tilde[j] = d * (one - z) * (one - h * h)
        Z[j] = d * (H[j] - h) * z * (one - z)
        dH[j] = d * z


@kernel
def _inside_reset(R: Any, dRH: Any, H: Any, dH: Any) -> None:
    """R becomes the gradient of what stands inside its σ; dH += dRH * R."""
    one = R.dtype.type(1)
    for j in range(R.shape[0]):
        r, d = R[j], dRH[j]
        R[j] = d * H[j] * r * (one - r)
        dH[j] += d * r


@kernel
def _inside_reset_product(R: Any, dH_tilde: Any, M: Any) -> None:
    """R becomes the gradient of what stands inside its σ, M its own: dM = dH_tilde * R."""
    one = R.dtype.type(1)
    for j in range(R.shape[0]):
        r, d = R[j], dH_tilde[j]
        R[j] = d * M[j] * r * (one - r)
        M[j] = d * r
