"""The output layer, softmax and cross entropy, block by block while the logits are in the cache; and what lies between layers."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from .activations import exp_not_above_zero
from .compiling import kernel, larger, row_kernel
from .products import multiply, pack_panels
from .walk import Share


@kernel
def output_and_loss(Y: Any, panels: Any, panels_T: Any, b_q: Any, labels: Any, loss: Any, logits: Any, dD: Any, dY: Any,
                    num_rows: int, learn: bool, start: int, stop: int, share: Share) -> None:
    """Logits, cross entropy, and their gradients, of steps start to stop for one thread's rows.

    Y (T, B, num_hiddens), labels (T, B); loss (T, B) float64: -log of the label's probability. logits (steps, rows, columns):
    room for those of a block. learn: dD (panels, T, B, PANEL) becomes the gradient of the mean loss of num_rows labels by the
    logits, and dY that by Y; else they are left as they were. panels, panels_T: of W_hq and of W_hq transposed.
    """
    first, last, vocab_size = share.first, share.last, b_q.shape[0]
    for begin in range(start, stop, logits.shape[0]):
        end = min(begin + logits.shape[0], stop)
        for top in range(first, last, logits.shape[1]):
            bottom = min(top + logits.shape[1], last)
            block = logits[:end - begin, :bottom - top]
            multiply(Y[begin:end, top:bottom], panels, block, False)
            for t in range(begin, end):
                for r in range(top, bottom):
                    row = logits[t - begin, r - top, :vocab_size]       # not of `block`: this way it is known to have no gaps
                    loss[t, r] = softmax_cross_entropy(row, b_q, labels[t, r], num_rows, learn)
            if learn:
                multiply(block[:, :, :vocab_size], panels_T, dY[begin:end, top:bottom], False)
                pack_panels(block, dD, begin, top)


@row_kernel
def softmax_cross_entropy(row: Any, b: Any, label: int, num_rows: int, learn: bool) -> Any:
    """-log softmax(row + b)[label]. learn: row becomes its gradient over num_rows, (softmax - one-hot label) / num_rows."""
    largest = row[0] + b[0]
    for j in range(row.shape[0]):
        logit = row[j] + b[j]
        row[j] = logit
        largest = larger(logit, largest)
    at_label = np.float64(row[label]) - np.float64(largest)
    if not learn:
        total = row.dtype.type(0)
        for j in range(row.shape[0]):
            total += exp_not_above_zero(row[j] - largest)
        return math.log(total) - at_label
    total = row.dtype.type(0)
    for j in range(row.shape[0]):
        e = exp_not_above_zero(row[j] - largest)
        row[j] = e
        total += e
    scale = row.dtype.type(1) / (total * row.dtype.type(num_rows))
    for j in range(row.shape[0]):
        row[j] *= scale
    row[label] -= row.dtype.type(1) / row.dtype.type(num_rows)
    return math.log(total) - at_label


@kernel
def put_outputs(H: Any, Y: Any, offset: int, num_hiddens: int, lengths: Any, reverse: bool, add: bool, share: Share) -> None:
    """Y[t] at columns from offset on = the state after step t, zero past a row's length. add: to what Y holds."""
    for t in range(Y.shape[0]):
        after = t if reverse else t + 1
        for r in range(share.first, share.last):
            y, h = Y[t, r, offset:offset + num_hiddens], H[after, r, :num_hiddens]
            if not add:
                for j in range(num_hiddens):
                    y[j] = h[j] if t < lengths[r] else 0
            elif t < lengths[r]:
                for j in range(num_hiddens):
                    y[j] += h[j]


@kernel
def multiply_by_mask(X: Any, mask: Any, out: Any, share: Share) -> None:
    """out = X * mask, each (T, B, columns), for one thread's rows."""
    for t in range(mask.shape[0]):
        for r in range(share.first, share.last):
            for j in range(mask.shape[2]):
                out[t, r, j] = X[t, r, j] * mask[t, r, j]


@kernel
def draw_mask(mask: Any, rate: float, key: int, share: Share) -> None:
    """Dropout (Srivastava et al., 2014): 0 with probability `rate`, else 1 / (1 - rate).

    mask (T, B, columns), by a function of key, step, row and column: the finalizer of splitmix64 (Steele et al., 2014) on key
    + the number's place.
    """
    kept, least = mask.dtype.type(1 / (1 - rate)), np.uint64(rate * 2.0 ** 53)
    zero = mask.dtype.type(0)
    for t in range(mask.shape[0]):
        for r in range(share.first, share.last):
            place = np.uint64((t * mask.shape[1] + r) * mask.shape[2])
            for j in range(mask.shape[2]):
                mask[t, r, j] = kept if (mix(np.uint64(key) + place + np.uint64(j)) >> np.uint64(11)) >= least else zero


@kernel
def mix(x: Any) -> Any:
    """64 bits that look random, from a counter."""
    x = x * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
