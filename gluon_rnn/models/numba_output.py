"""The output layer on the kernels' products, whose numbers, unlike MXNet's, are the same for any number of threads."""
from __future__ import annotations

from typing import List, Sequence

import numpy as np
from mxnet import autograd, nd

from .. import runtime
from ..cells.output_layer import OutputLayer
from .function import Function
from .numba import pool, view

with runtime.kernel_cache():
    from ..kernels.products import (
        columns_shape,
        multiply,
        pack,
        pack_columns,
        pack_panels,
        pack_transposed,
        padded,
        panels_shape,
        weight_gradient,
    )
    from ..kernels.tile import PANEL


class NumbaOutputLayer(OutputLayer):
    """By hand: W_hq (num_hiddens, num_outputs) and b_q (num_outputs,)."""

    def __call__(self, H: nd.NDArray) -> nd.NDArray:
        arrays, product = [H, self.W_hq, self.b_q], Product()
        return (product(*arrays) if autograd.is_recording() else product.forward(arrays))[0]


class Product(Function):
    """H W_hq + b_q in autograd's record."""

    def forward(self, inputs: Sequence[nd.NDArray]) -> List[nd.NDArray]:
        self.saved = [array.detach() for array in inputs]       # whose memory the views are
        self.views = H, W, b = [view(array) for array in inputs]
        panels = np.empty((padded(W.shape[1]) // PANEL, W.shape[0], PANEL), W.dtype)
        pack(W, panels, 0, len(panels))
        logits = product(H, panels)[:, :W.shape[1]]
        return [nd.array(logits + b, ctx=inputs[0].context)]

    def backward(self, output_grads: List[nd.NDArray], out: List[nd.NDArray]) -> None:
        H, W, _ = self.views        # not made anew: MXNet would wait for the very operator that this is part of
        D, (dH, dW, db) = view(output_grads[0]), map(view, out)
        panels = np.empty((padded(W.shape[0]) // PANEL, W.shape[1], PANEL), W.dtype)
        pack_transposed(W, panels, 0, 0, len(panels))
        dH[...] = product(D, panels)[:, :W.shape[0]]
        rows, width = len(H), padded(W.shape[1])
        columns = np.empty(columns_shape(rows, W.shape[0]), W.dtype)
        pack_columns(H[None], columns, 0, 1, 0, rows)
        wide = np.zeros((1, rows, width), W.dtype)
        wide[0, :, :W.shape[1]] = D
        of_D = np.empty(panels_shape(1, rows, width), W.dtype)
        pack_panels(wide, of_D, 0, 0)
        G, sums = np.empty((1, W.shape[0], width), W.dtype), np.empty(width, W.dtype)
        squares, number = np.empty(len(of_D)), np.zeros(1, np.int64)
        pool().run(lambda _: weight_gradient(columns, 0, of_D, G, sums, squares, number))
        dW[...], db[...] = G[0, :, :W.shape[1]], sums[:W.shape[1]]


def product(A: np.ndarray, panels: np.ndarray) -> np.ndarray:
    """A times a packed weight, the rows shared among threads."""
    C, threads = np.empty((1, len(A), len(panels) * PANEL), A.dtype), pool().threads

    def work(k: int) -> None:
        first, last = k * len(A) // threads, (k + 1) * len(A) // threads
        multiply(A[None, first:last], panels, C[:, first:last], False)
    pool().run(work)
    return C[0]
