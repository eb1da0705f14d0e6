"""A whole text in one call: reads a prefix, then chooses one character after the other."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from .compiling import kernel
from .gru import gru_forward
from .lstm import lstm_forward
from .products import multiply
from .rnn import rnn_forward
from .tile import PANEL
from .walk import Share

RNN, GRU, LSTM = 0, 1, 2


@kernel
def write_text(text: Any, known: int, cell: int, choice: int, table: Any, W_x0: Any, W_x: Any, W_h: Any, b: Any, b_hh: Any,
               H: Any, C: Any, residual: bool, W_q: Any, b_q: Any, temperature: float, top_k: int, top_p: float,
               uniforms: Any) -> None:
    """Fill text (length,) from index `known` on; up to there it is the prefix, one index at least.

    cell: RNN, GRU or LSTM; choice: the activation of the RNN, or whether the GRU resets after. table (vocab_size, gates x width):
    W_x of the first layer, W_x0 (0, 1, PANEL); or the embedding (vocab_size, embed_size), and W_x0 the panels of that W_x.
    W_x (layers - 1, panels, num_hiddens, PANEL): of the others; W_h (layers, panels, num_hiddens, PANEL);
    b (layers, gates x width), b_hh (layers, width); H, C (layers, 2, 1, width and a panel): the state before the prefix is
    H[:, 0]. W_q: panels of W_hq. temperature: 0 takes the likeliest; else uniforms[i], from 0 to 1, chooses the i-th new
    token among the top_k likeliest (0: all), and of these among as few as have probability top_p together (1: all).
    """
    num_layers, panels, num_hiddens, _ = W_h.shape
    columns = b.shape[1]
    gates = 1 if cell == RNN else 3 if cell == GRU else 4
    width, vocab_size = panels // gates * PANEL, b_q.shape[0]
    share, one_row, meeting = Share(0, 1, 0, panels // gates, 1), np.ones(1, np.int64), np.zeros(1, np.int64)
    S, E = np.zeros((1, 1, columns + PANEL), H.dtype), np.zeros((1, 1, width + PANEL), H.dtype)
    X, logits = np.zeros((1, 1, width + PANEL), H.dtype), np.zeros((1, 1, W_q.shape[0] * PANEL + PANEL), H.dtype)
    embed_size = W_x0.shape[1]
    embedded = np.zeros((1, 1, embed_size + PANEL), H.dtype)
    for i in range(text.shape[0] - 1):
        for layer in range(num_layers):
            if layer == 0 and W_x0.shape[0]:
                S[0, 0, :columns] = b[0]
                embedded[0, 0, :embed_size] = table[text[i]]
                multiply(embedded[:, :, :embed_size], W_x0, S[:, :, :columns], True)
            elif layer == 0:
                for j in range(columns):
                    S[0, 0, j] = table[text[i], j] + b[0, j]
            else:
                S[0, 0, :columns] = b[layer]
                multiply(X[:, :, :num_hiddens], W_x[layer - 1], S[:, :, :columns], True)
            if cell == RNN:
                rnn_forward(S, H[layer], W_h[layer], choice, one_row, False, share, meeting)
            elif cell == GRU:
                gru_forward(S, H[layer], E, W_h[layer], choice == 1, b_hh[layer], one_row, False, share, meeting)
            else:
                lstm_forward(S, H[layer], C[layer], W_h[layer], one_row, False, share, meeting)
                C[layer, 0] = C[layer, 1]
            H[layer, 0] = H[layer, 1]
            for j in range(width):
                X[0, 0, j] = H[layer, 1, 0, j] + (X[0, 0, j] if residual and layer > 0 else 0)
        if i + 1 >= known:
            multiply(X[:, :, :num_hiddens], W_q, logits, False)
            row = logits[0, 0, :vocab_size]
            for j in range(vocab_size):
                row[j] += b_q[j]
            text[i + 1] = np.argmax(row) if temperature == 0 else draw(row, temperature, top_k, top_p, uniforms[i + 1 - known])


@kernel
def draw(logits: Any, temperature: float, top_k: int, top_p: float, uniform: float) -> Any:
    """An index drawn from softmax(logits / temperature), of the top_k likeliest (0: all) and those equal to the last of them,
    of these from as few as have probability top_p together (1: all). uniform: from 0 to 1.
    """
    scaled = logits.astype(np.float64)
    scaled = (scaled - scaled.max()) / temperature
    if 0 < top_k < scaled.shape[0]:
        least = np.partition(scaled, scaled.shape[0] - top_k)[scaled.shape[0] - top_k]
        scaled[scaled < least] = -np.inf
    total = 0.0
    for j in range(scaled.shape[0]):
        scaled[j] = math.exp(scaled[j])
        total += scaled[j]
    if top_p < 1:
        order, kept, whole = np.argsort(-scaled, kind='mergesort'), 0.0, total
        for i in range(order.shape[0]):
            if kept >= top_p * whole:
                total -= scaled[order[i]]
                scaled[order[i]] = 0
            else:
                kept += scaled[order[i]]
    reached = 0.0
    for j in range(scaled.shape[0]):
        reached += scaled[j]
        if reached / total > uniform:
            return j
    return np.argmax(scaled)
