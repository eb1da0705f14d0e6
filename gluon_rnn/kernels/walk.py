"""The walk over the steps, as far as the three networks share it.

A batch's rows do not depend on each other: each thread walks its own rows through all steps and meets nobody. Where there are
more threads than rows are worth, several walk the same rows, each with its own columns of the hidden units, and meet after
each product that reads what all of them have made.

Each direction of a layer has, with T steps, B rows, and the hidden units filled up to whole panels (`width` columns):
    S (T, B, gates x width)     X W_x + b, then the gates in its place, then the gradients of what stands inside the activations
    H (T + 1, B, width)         the state before step 1, after step 1, ...; of a direction from the end, H[T] is the first
    C (T + 1, B, width)         the LSTM's memory cells, as H
    E (T, B, width)             the GRU's R * H, or its M = H W_hh + b_hh, then dM
    dS, dM (panels, T, B, PANEL)    the gradients in S and E once more, as the weights' gradients read them
S, H, C and E have one panel of columns more, unused, so that no slice of them is contiguous: Numba then compiles each kernel
for one layout.
"""
from __future__ import annotations

from typing import Any, NamedTuple, Tuple

from .compiling import fetch_add, kernel
from .products import multiply, sum_of_squares
from .tile import PANEL


class Share(NamedTuple):
    """One thread's part: rows first to last, panels left to right of each gate; `number` threads share these rows."""
    first: int
    last: int
    left: int
    right: int
    number: int


@kernel
def places(s: int, num_steps: int, reverse: bool) -> Tuple[int, int, int]:
    """Places of the s-th step of a walk: the step t, where the state before it lies, and where the state after it goes."""
    if reverse:
        return num_steps - 1 - s, num_steps - s, num_steps - 1 - s
    return s, s, s + 1


@kernel
def gather(indices: Any, lengths: Any, W: Any, b: Any, S: Any, gate: int, width: int, share: Share) -> None:
    """S = X W_x + b of one gate for one-hot X: a row of W for each index. indices (T, B); W (num_inputs, num_hiddens)."""
    num_hiddens = W.shape[1]
    left, right = share.left * PANEL, min(share.right * PANEL, num_hiddens)
    for t in range(S.shape[0]):
        for r in range(share.first, share.last):
            row = S[t, r, gate * width:(gate + 1) * width]
            if t < lengths[r]:
                x = W[indices[t, r]]
                for j in range(left, right):
                    row[j] = x[j] + b[j]
            else:
                row[left:right] = 0
            row[right:share.right * PANEL] = 0


@kernel
def project(X: Any, panels: Any, b: Any, S: Any, gates: int, share: Share, block: int) -> None:
    """S = X W_x + b for dense X (T, B, num_inputs), `block` steps at a time; b (gates x width,)."""
    num_steps, panels_each = S.shape[0], panels.shape[0] // gates
    for start in range(0, num_steps, block):
        stop = min(start + block, num_steps)
        for gate in range(gates):
            left, right = gate * panels_each + share.left, gate * panels_each + share.right
            for t in range(start, stop):
                for r in range(share.first, share.last):
                    S[t, r, left * PANEL:right * PANEL] = b[left * PANEL:right * PANEL]
            multiply(X[start:stop, share.first:share.last], panels[left:right],
                     S[start:stop, share.first:share.last, left * PANEL:right * PANEL], True)


@kernel
def add_output_gradient(dH: Any, dY: Any, left: int, right: int, offset: int, num_hiddens: int) -> None:
    """dH += dY at a row's columns left to right. dH (width,); dY: the row's gradient of all outputs, these from offset on."""
    for j in range(left, min(right, num_hiddens)):
        dH[j] += dY[offset + j]


@kernel
def scatter(panels: Any, slots: Any, G: Any, squares: Any, next_panel: Any) -> None:
    """The gradient of W_x for one-hot X: row r of D is added to row slots[r] of G, none where that is below 0.

    panels (number, T, B, PANEL): of D, from `pack_panels`; G (different indices, columns), squares (number,): the sum of squares
    of a panel's columns. Each thread takes the next panel that nobody has. next_panel: (1,) of int64, zero at first.
    """
    number, T, B, _ = panels.shape
    while True:
        p = fetch_add(next_panel, 0)
        if p >= number:
            break
        left = p * PANEL
        for slot in range(G.shape[0]):
            for j in range(PANEL):
                G[slot, left + j] = 0
        for t in range(T):
            for r in range(B):
                slot = slots[t * B + r]
                if slot >= 0:
                    for j in range(PANEL):
                        G[slot, left + j] += panels[p, t, r, j]
        squares[p] = sum_of_squares(G[:, left:left + PANEL])


@kernel
def find_slots(indices: Any, lengths: Any, slot_of: Any, slots: Any, found: Any) -> int:
    """Number the different indices of a batch. Returns how many there are, the indices in found in the order of their coming.

    indices (T, B); slots (T x B,): the number of each index, -1 past a row's length; slot_of (num_inputs,): all -1, and left so.
    """
    number, B = 0, indices.shape[1]
    for t in range(indices.shape[0]):
        for r in range(B):
            if t >= lengths[r]:
                slots[t * B + r] = -1
                continue
            index = indices[t, r]
            if slot_of[index] < 0:
                slot_of[index] = number
                found[number] = index
                number += 1
            slots[t * B + r] = slot_of[index]
    for slot in range(number):
        slot_of[found[slot]] = -1
    return number
