"""What one step does to the weights: the clipped gradient into SGD or Adam, one pass over each weight."""
from __future__ import annotations

import math
from typing import Any

from .compiling import kernel


@kernel
def sgd(W: Any, G: Any, rows: Any, lr: float, first: int, last: int) -> None:
    """W[rows] -= lr * G, of G's rows first to last. W (K, N); G (rows, N or more columns), one for each of `rows`."""
    rate = W.dtype.type(lr)
    for i in range(first, last):
        w = W[rows[i]]
        for j in range(W.shape[1]):
            w[j] -= rate * G[i, j]


@kernel
def adam(W: Any, G: Any, slots: Any, mean: Any, var: Any, factor: float, lr: float, beta1: float, beta2: float, epsilon: float,
         first: int, last: int) -> None:
    """Adam (Kingma and Ba, 2015) on W's rows first to last; mean and var (K, N): its two moments.

    factor: of the gradient, its clipping; lr: with the correction for the first steps. slots (K,): the row of G that is a row's
    gradient, below 0 where that is zero.
    """
    number = W.dtype.type
    factor, lr, b1, b2, eps = number(factor), number(lr), number(beta1), number(beta2), number(epsilon)
    c1, c2, zero = number(1 - beta1), number(1 - beta2), number(0)
    for i in range(first, last):
        slot = slots[i]
        w, m, v, gradient = W[i], mean[i], var[i], G[max(slot, 0)]
        for j in range(W.shape[1]):
            g = factor * gradient[j] if slot >= 0 else zero
            m[j] = b1 * m[j] + c1 * g
            v[j] = b2 * v[j] + c2 * g * g
            w[j] -= lr * m[j] / (number(math.sqrt(v[j])) + eps)
