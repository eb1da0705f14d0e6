"""The update of the weights: the clipped gradient into SGD or Adam, one pass over each weight."""
from __future__ import annotations

import math
from typing import Any

from .compiling import kernel


@kernel
def sgd(W: Any, G: Any, slots: Any, lr: float, shrink: float, first: int, last: int) -> None:
    """W = (1 - shrink) * W - lr * G, of W's rows first to last. W (K, N); G (rows, N or more columns).

    slots (K,): the row of G that is a row's gradient, below 0 where that is zero.
    """
    rate, kept = W.dtype.type(lr), W.dtype.type(1 - shrink)
    for i in range(first, last):
        w, slot = W[i], slots[i]
        if shrink != 0:
            for j in range(W.shape[1]):
                w[j] *= kept
        if slot >= 0:
            for j in range(W.shape[1]):
                w[j] -= rate * G[slot, j]


@kernel
def adam(W: Any, G: Any, slots: Any, mean: Any, var: Any, factor: float, lr: float, shrink: float, l2: float, beta1: float,
         beta2: float, epsilon: float, first: int, last: int) -> None:
    """Adam (Kingma and Ba, 2015) on W's rows first to last; mean and var (K, N): its two moments. slots: as of `sgd`.

    factor: of the gradient, its clipping; lr: with the correction for the first steps; l2: the part of a weight that is added to
    its gradient; shrink: the part that is taken away (AdamW: Loshchilov and Hutter, 2019).
    """
    number = W.dtype.type
    factor, lr, b1, b2, eps = number(factor), number(lr), number(beta1), number(beta2), number(epsilon)
    c1, c2, zero, l2, kept = number(1 - beta1), number(1 - beta2), number(0), number(l2), number(1 - shrink)
    for i in range(first, last):
        slot = slots[i]
        w, m, v, gradient = W[i], mean[i], var[i], G[max(slot, 0)]
        for j in range(W.shape[1]):
            g = (factor * gradient[j] if slot >= 0 else zero) + l2 * w[j]
            m[j] = b1 * m[j] + c1 * g
            v[j] = b2 * v[j] + c2 * g * g
            w[j] = kept * w[j] - lr * m[j] / (number(math.sqrt(v[j])) + eps)
