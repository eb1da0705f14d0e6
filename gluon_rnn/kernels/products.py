"""Matrix products on packed weights, and weight gradients.

A weight W (K, N) is packed into panels (N / PANEL, K, PANEL), the last one filled up with zeros, once for each batch; then a
product reads it in order. Arrays on the left have three axes, (steps, rows, K), so that a thread's own rows of several steps
are one product.
"""
from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from .compiling import fetch_add, kernel
from .tile import MOST_ROWS, PANEL, columns_tile, copy_panel, tile

_MOST_K = 320           # rows of a panel that stay in the nearest cache while many tiles read them
_MOST_SUMMED = 1280     # the same of a weight gradient, in the second cache


def padded(columns: int) -> int:
    """The columns of whole panels that hold so many."""
    return -(-columns // PANEL) * PANEL


@kernel
def pack(W: Any, panels: Any, first: int, last: int) -> None:
    """Pack W (K, N), panels first to last: panels (number, K, PANEL)."""
    K, N = W.shape
    whole = min(last, N // PANEL)
    for k in range(K):
        for p in range(first, whole):
            for j in range(PANEL):
                panels[p, k, j] = W[k, p * PANEL + j]
        for p in range(max(first, whole), last):
            for j in range(PANEL):
                panels[p, k, j] = W[k, p * PANEL + j] if p * PANEL + j < N else 0


@kernel
def pack_transposed(W: Any, panels: Any, row: int, first: int, last: int) -> None:
    """Pack W transposed, W (N, K), into rows `row` to row + K of panels first to last."""
    N, K = W.shape
    for p in range(first, last):
        for j in range(PANEL):
            n = p * PANEL + j
            if n < N:
                for k in range(K):
                    panels[p, row + k, j] = W[n, k]
            else:
                for k in range(K):
                    panels[p, row + k, j] = 0


@kernel
def multiply(A: Any, panels: Any, C: Any, add: bool) -> None:
    """C = A W, or C += A W. A (steps, rows, K); panels of W; C (steps, rows, PANEL x number of panels or more)."""
    steps, rows, _ = A.shape
    number, K, _ = panels.shape
    blocks, parts = -(-rows // MOST_ROWS), -(-K // _MOST_K)
    for part in range(parts):
        k, k_end = part * K // parts, (part + 1) * K // parts
        for p in range(number):
            B = panels[p, k:k_end]
            for s in range(steps):
                for block in range(blocks):
                    i = block * rows // blocks
                    tile((block + 1) * rows // blocks - i, A, s, i, k, k_end - k, B, C, s, i, p * PANEL, add or part > 0)


@kernel
def pack_columns(A: Any, columns: Any, start: int, stop: int, first: int, last: int) -> None:
    """Put A's columns side by side, MOST_ROWS at a time, as a weight gradient reads them.

    Steps start to stop, rows first to last. A (T, B, K); columns (blocks, T x B, MOST_ROWS): those past K are never read.
    """
    B, K = A.shape[1], A.shape[2]
    for t in range(start, stop):
        for r in range(first, last):
            row = t * B + r
            for block in range(K // MOST_ROWS):
                for j in range(MOST_ROWS):
                    columns[block, row, j] = A[t, r, block * MOST_ROWS + j]
            for k in range(K // MOST_ROWS * MOST_ROWS, K):
                columns[K // MOST_ROWS, row, k % MOST_ROWS] = A[t, r, k]


def columns_shape(rows: int, K: int) -> Tuple[int, int, int]:
    """The shape of an array for `pack_columns`, for an A of so many rows."""
    return -(-K // MOST_ROWS), rows, MOST_ROWS


@kernel
def pack_panels(D: Any, panels: Any, t: int, row: int) -> None:
    """Put panels of D's columns side by side, as a weight gradient reads them, while D is in the cache.

    D (steps, rows, columns); panels (number, T, B, PANEL), of which steps from t on and rows from `row` on are written.
    """
    for p in range(panels.shape[0]):
        for s in range(D.shape[0]):
            for r in range(D.shape[1]):
                copy_panel(D, s, r, p * PANEL, panels, p, t + s, row + r)


def panels_shape(T: int, B: int, columns: int) -> Tuple[int, int, int, int]:
    """The shape of an array for `pack_panels`, for a D (T, B, columns), columns whole panels."""
    return columns // PANEL, T, B, PANEL


@kernel
def weight_gradient(columns: Any, start: int, panels: Any, G: Any, bias: Any, squares: Any, next_panel: Any) -> None:
    """G = Aᵀ D, and bias the sum of D's rows, panel by panel; each thread takes the next one that nobody has.

    columns: of A (rows, K), from `pack_columns`, A's first row being row `start` of them; panels: of D (rows, N), from
    `pack_panels`; G (1, K, N), bias (N,) or (0,) where it is not wanted, N whole panels; K may be 0. squares (number of panels,)
    float64: the sum of squares of each panel's numbers. next_panel: (1,) of int64, zero at first.
    """
    number, T, B, _ = panels.shape
    rows, K = T * B, G.shape[1]
    parts, blocks = -(-rows // _MOST_SUMMED), -(-K // MOST_ROWS)
    D = panels.reshape((number, rows, PANEL))
    ones, sums = np.ones((1, _MOST_SUMMED, 1), G.dtype), np.empty((1, 1, PANEL), G.dtype)
    while True:
        p = fetch_add(next_panel, 0)
        if p >= number:
            break
        left = p * PANEL
        for part in range(parts):
            first, last = part * rows // parts, (part + 1) * rows // parts
            columns_tile(1, ones, 0, 0, 0, last - first, D[p, first:last], sums, 0, 0, 0, part > 0)
            for block in range(blocks):
                i = block * MOST_ROWS
                columns_tile(min(MOST_ROWS, K - i), columns, block, 0, start + first, last - first, D[p, first:last], G, 0, i,
                             left, part > 0)
        squares[p] = sum_of_squares(G[0, :, left:left + PANEL])
        if bias.shape[0]:
            bias[left:left + PANEL] = sums[0, 0]
            squares[p] += sum_of_squares(sums[0])


@kernel
def sum_of_squares(G: Any) -> float:
    """The sum of squares of a matrix in float64, by columns first, so that the compiler may take several at once."""
    sums = np.zeros(G.shape[1])
    for i in range(G.shape[0]):
        for j in range(G.shape[1]):
            sums[j] += np.float64(G[i, j]) * np.float64(G[i, j])
    total = 0.0
    for j in range(G.shape[1]):
        total += sums[j]
    return total
