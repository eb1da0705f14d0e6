"""A whole training step of a language model: the walk, the output layer, the loss, all gradients, clipping and the update.

The threads meet four times a batch: when the weights are packed, when every thread has walked its rows there and back, when the
gradients of the weights are made, and when the weights are moved. Who is back first begins with the output layer's gradient,
which needs only that all are past that layer.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from .compiling import arrive, wait_for
from .direction import BLOCK_ROWS, Gradient, steps_at_once
from .network import Network, Params, Pass
from .output import output_and_loss
from .products import (
    columns_shape,
    pack,
    pack_columns,
    pack_panels,
    pack_transposed,
    padded,
    panels_shape,
    weight_gradient,
)
from .tile import PANEL
from .update import adam, sgd
from .walk import find_slots, scatter

_PASSES_KEPT = 4        # of the shapes met lately
# of a parameter: its name, itself, its gradient, and the row of that for each of its own rows
Move = Tuple[str, np.ndarray, Gradient, np.ndarray]


@dataclass
class Update:
    """How the weights move. moments: for Adam, of each parameter its mean and variance, arrays of its shape, by its name
    ('W_hq', 'W_e', 'LAYER.DIRECTION.W_xh').

    lr: with Adam's correction for the first steps in it; clipping_theta: the largest global norm, 0: no clipping. Of each
    matrix, shrink: the part that a step takes away; l2: the part that it adds to the clipped gradient, for Adam.
    """
    optimizer: str = 'sgd'          # 'sgd' or 'adam'
    lr: float = 1e2
    clipping_theta: float = 1e-2
    shrink: float = 0
    l2: float = 0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    moments: Dict[str, Tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


class LanguageModel:
    """A network and its output layer. vocab_size: the number of different tokens; embedded: the network reads rows of
    W_e, a row a token, in place of indices.
    """

    def __init__(self, network: Network, vocab_size: int, *, embedded: bool = False):
        self.embed_size = network.directions[0].num_inputs if embedded else 0
        self.slot_of = np.full(vocab_size if embedded else 0, -1, np.int32)
        self.network, self.vocab_size, self.num_hiddens = network, vocab_size, network.widths[-1]
        panels, width = padded(vocab_size) // PANEL, padded(self.num_hiddens) // PANEL
        self.W = np.zeros((panels, self.num_hiddens, PANEL), network.dtype)
        self.W_T = np.zeros((width, vocab_size, PANEL), network.dtype)
        self.G = np.zeros((self.num_hiddens, (panels + 1) * PANEL), network.dtype)
        self.G_b = np.zeros(panels * PANEL, network.dtype)
        self.squares, self.next, self.walked = np.zeros(panels), np.zeros(1, np.int64), np.zeros(1, np.int64)
        self._passes: Dict[Tuple[int, int], Pass] = {}

    def step(self, X: np.ndarray, Y: np.ndarray, state: Sequence[np.ndarray], params: Params, output: Dict[str, np.ndarray],
             update: Update, *, dropout_key: int | None = None) -> Tuple[float, float, List[np.ndarray]]:
        """One step of training. X, Y: indices and labels (T, B), int64; params: each direction's arrays; output: W_hq, b_q,
        and W_e where there is one.

        Moves the weights, but not where the norm is not finite. Returns the mean loss in nats, the gradients' global norm
        before clipping, and the last state.
        """
        p, network = self._begin(X, state, output, dropout_key=dropout_key)
        network.begin_backward(p)
        pool = network.pool
        pool.run(lambda k: self._pack(p, params, output, True, k))
        pool.run(lambda k: self._walk(p, params, output, Y, True, k), p.groups * p.columns, meet=True)
        pool.run(lambda k: self._weights(p))
        norm = math.sqrt(self.squares.sum() + p.embedded.squares.sum() + sum(room.squares.sum() for _, room in network.walks(p)))
        if math.isfinite(norm):
            factor = min(1.0, update.clipping_theta / norm) if update.clipping_theta and norm else 1.0
            moves = self._moves(p, params, output)
            pool.run(lambda k: self._move(moves, update, factor, k))
        return float(p.loss.sum()) / p.loss.size, norm, network.last_state(p)

    def loss(self, X: np.ndarray, Y: np.ndarray, state: Sequence[np.ndarray], params: Params,
             output: Dict[str, np.ndarray]) -> Tuple[np.ndarray, List[np.ndarray]]:
        """-log of each label's probability, (T, B) float64, without training; and the last state."""
        p, network = self._begin(X, state, output, drop=False)
        network.pool.run(lambda k: self._pack(p, params, output, False, k))
        network.pool.run(lambda k: self._walk(p, params, output, Y, False, k), p.groups * p.columns, meet=p.columns > 1)
        return p.loss.copy(), network.last_state(p)

    def _begin(self, X: np.ndarray, state: Sequence[np.ndarray], output: Dict[str, np.ndarray],
               **how: Any) -> Tuple[Pass, Network]:
        p = self._pass(X)
        p.indices = X
        self.network.begin(p, output['W_e'][X] if self.embed_size else X, state, **how)
        return p, self.network

    def _pass(self, X: np.ndarray) -> Pass:
        shape = X.shape[0], X.shape[1]
        if shape not in self._passes:
            if len(self._passes) >= _PASSES_KEPT:
                del self._passes[next(iter(self._passes))]
            p = self.network.make_pass(*shape)
            dtype, columns = self.network.dtype, padded(self.vocab_size)
            p.loss, p.dD = np.zeros(shape), p.memory.zeros(panels_shape(*shape, columns), dtype)
            shares = [self.network.share(p, k)[0] for k in range(p.groups * p.columns)]
            p.logits = [p.memory.zeros((steps_at_once(share), min(share.last - share.first, BLOCK_ROWS), columns + PANEL), dtype)
                        for share in shares]
            rows, width = min(p.loss.size, len(self.slot_of)), padded(self.embed_size)
            p.embedded = SimpleNamespace(
                dX=p.memory.zeros((*shape, width + PANEL), dtype), dE=p.memory.zeros(panels_shape(*shape, width), dtype),
                slots=np.zeros(p.loss.size, np.int64), found=np.zeros(rows, np.int64), squares=np.zeros(width // PANEL),
                G=p.memory.zeros((rows, width + PANEL), dtype), next=np.zeros(1, np.int64), number=0)
            p.Y_columns, p.Y_start = p.rooms[-1][0].H_columns, shape[1]      # where Y is the states of one direction
            if p.joined[-1]:
                p.Y_columns, p.Y_start = p.memory.zeros(columns_shape(p.loss.size, self.num_hiddens), dtype), 0
            self._passes[shape] = p
        return self._passes[shape]

    def _pack(self, p: Pass, params: Params, output: Dict[str, np.ndarray], learn: bool, k: int) -> None:
        number = self.network.pool.threads
        self.network.pack(p, params, learn, k, number)
        pack(output['W_hq'], self.W, k * len(self.W) // number, (k + 1) * len(self.W) // number)
        if learn:
            pack_transposed(output['W_hq'], self.W_T, 0, k * len(self.W_T) // number, (k + 1) * len(self.W_T) // number)
            if k == 0:
                self.network.count_inputs(p)
                self.next[:], self.walked[:] = 0, 0
                if self.embed_size:
                    e = p.embedded
                    e.number, e.next[:] = find_slots(p.indices, p.lengths, self.slot_of, e.slots, e.found), 0

    def _walk(self, p: Pass, params: Params, output: Dict[str, np.ndarray], labels: np.ndarray, learn: bool, k: int) -> None:
        network, walkers = self.network, p.groups * p.columns
        share, column = network.share(p, k)
        start, stop = column * p.T // p.columns, (column + 1) * p.T // p.columns
        try:
            network.forward(p, params, learn, k)
            output_and_loss(p.Y[-1], self.W, self.W_T, output['b_q'], labels, p.loss, p.logits[k], p.dD, p.dY[-1], p.loss.size,
                            learn, start, stop, share)
            if learn and p.joined[-1]:
                pack_columns(p.Y[-1], p.Y_columns, start, stop, share.first, share.last)
        finally:            # who fails leaves nobody waiting
            arrive(self.walked)
        if not learn:
            return
        network.wait(p, k)
        e = p.embedded
        network.backward(p, k, dX=e.dX if self.embed_size else None)
        if self.embed_size:
            pack_panels(e.dX[start:stop, share.first:share.last, :-PANEL], e.dE, start, share.first)
        if walkers == network.pool.threads:
            wait_for(self.walked, walkers)
            self._output_gradient(p)

    def _output_gradient(self, p: Pass) -> None:
        """That of W_hq and b_q, as far as no other thread has taken it."""
        weight_gradient(p.Y_columns, p.Y_start, p.dD, self.G[None, :, :self.G_b.shape[0]], self.G_b, self.squares, self.next)

    def _weights(self, p: Pass) -> None:
        self._output_gradient(p)
        self.network.weights(p)
        if self.embed_size:
            e = p.embedded
            scatter(e.dE, e.slots, e.G[:e.number], e.squares, e.next)

    def _moves(self, p: Pass, params: Params, output: Dict[str, np.ndarray]) -> List[Move]:
        """All parameters, each with its gradient; -1 for a row whose gradient is zero."""
        made = [Gradient('W_hq', self.G[:, :self.vocab_size]), Gradient('b_q', self.G_b[None, :self.vocab_size])]
        if self.embed_size:
            e = p.embedded
            made.append(Gradient('W_e', e.G[:e.number, :self.embed_size], e.found[:e.number]))
        found = [(gradient.name, output[gradient.name], gradient) for gradient in made]
        for i, (layer, of_layer) in enumerate(zip(params, self.network.gradients(p))):
            for d, (own, of_direction) in enumerate(zip(layer, of_layer)):
                found += [(f'{i}.{d}.{gradient.name}', own[gradient.name], gradient) for gradient in of_direction]
        rows = np.arange(max(W.size // gradient.values.shape[1] for _, W, gradient in found))
        moves = []
        for name, W, gradient in found:
            slots = rows
            if gradient.rows is not None:
                slots = np.full(len(W), -1)
                slots[gradient.rows] = rows[:len(gradient.rows)]
            moves.append((name, W, gradient, slots))
        return moves

    def _move(self, moves: List[Move], update: Update, factor: float, k: int) -> None:
        number = self.network.pool.threads
        for name, W, gradient, slots in moves:
            shrink, l2 = (float(part * (W.ndim > 1)) for part in (update.shrink, update.l2))       # a bias does not decay
            W, G = W.reshape((-1, gradient.values.shape[1])), gradient.values
            first, last = k * len(W) // number, (k + 1) * len(W) // number
            if update.optimizer == 'sgd':
                sgd(W, G, slots, factor * update.lr, shrink, first, last)
            else:
                mean, var = (moment.reshape(W.shape) for moment in update.moments[name])
                adam(W, G, slots, mean, var, factor, update.lr, shrink, l2, update.beta1, update.beta2,
                     update.epsilon, first, last)
