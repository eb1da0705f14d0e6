"""One direction of one layer: its packed weights, its walk, and the gradients of its weights."""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from . import gru, lstm, rnn
from .memory import Memory
from .products import columns_shape, multiply, pack, pack_columns, pack_transposed, padded, panels_shape, weight_gradient
from .tile import PANEL
from .walk import Share, find_slots, gather, project, scatter

GATES: Dict[str, Tuple[str, ...]] = {'rnn': ('h',), 'gru': ('z', 'r', 'h'), 'lstm': ('i', 'f', 'o', 'c')}
ACTIVATIONS = {'tanh': rnn.TANH, 'relu': rnn.RELU, 'sigmoid': rnn.SIGMOID}
BLOCK_ROWS = 48        # rows of a product that share a panel while it is in the cache
Room = SimpleNamespace  # the arrays of a direction for one num_steps and batch_size


class Gradient(NamedTuple):
    """The gradient of a parameter: values (rows, N), of the parameter's rows in `rows`, all others being zero; None: of all."""
    name: str
    values: np.ndarray
    rows: np.ndarray | None = None


class Direction:
    """The kernels of one direction of one layer, for the book's parameters (section 6.7.1 for the GRU, and so on).

    cell: 'rnn', 'gru' or 'lstm'; activation: of the 'rnn'; reset_after, inner_bias: of the 'gru'; one_hot: inputs are indices;
    reverse: it reads from the end; dtype: float32 or float64.
    """

    def __init__(self, cell: str, num_inputs: int, num_hiddens: int, *, activation: str = 'tanh', reset_after: bool = False,
                 inner_bias: bool = False, one_hot: bool = False, reverse: bool = False, dtype: Any = np.float32):
        self.cell, self.num_inputs, self.num_hiddens, self.gates = cell, num_inputs, num_hiddens, GATES[cell]
        self.activation, self.reset_after, self.inner_bias = ACTIVATIONS[activation], reset_after, inner_bias
        self.one_hot, self.reverse, self.dtype = one_hot, reverse, np.dtype(dtype)
        self.width, self.num_states = padded(num_hiddens), 2 if cell == 'lstm' else 1
        self.panels, self.columns = self.width // PANEL, self.width * len(self.gates)
        self.W_h = np.zeros((self.panels * len(self.gates), num_hiddens, PANEL), self.dtype)
        self.W_x = np.zeros((0 if one_hot else self.panels * len(self.gates), num_inputs, PANEL), self.dtype)
        self.b, self.b_hh = np.zeros(self.columns, self.dtype), np.zeros(self.width, self.dtype)
        self.slot_of = np.full(num_inputs if one_hot else 0, -1, np.int32)

    def room(self, T: int, B: int, memory: Memory) -> Room:
        """Arrays for T steps of B rows. What the walk leaves there, the gradient reads."""
        def zeros(*shape: int) -> np.ndarray:
            return memory.zeros(shape, self.dtype)

        lstm, gru = self.cell == 'lstm', self.cell == 'gru'
        inputs = min(T * B, self.num_inputs) if self.one_hot else self.num_inputs
        width, columns = self.width + PANEL, self.columns + PANEL       # `walk.py` says why
        return Room(
            S=zeros(T, B, columns), H=zeros(T + 1, B, width), C=zeros(T + 1 if lstm else 1, B, width),
            E=zeros(T if gru else 1, B, width), dH=zeros(1, B, width), dC=zeros(1, B, width), dRH=zeros(1, B, width),
            dS=zeros(*panels_shape(T, B, self.columns)),
            dM=zeros(*panels_shape(T, B, self.width if gru and self.reset_after else 0)),
            W_hT=zeros(self.panels, self.columns, PANEL),
            W_xT=zeros(0 if self.one_hot else padded(self.num_inputs) // PANEL, self.columns, PANEL),
            slots=np.zeros(T * B, np.int64), found=np.zeros(inputs, np.int64), number=inputs,
            G_x=zeros(inputs, columns), G_h=zeros(self.num_hiddens, columns), G_b=zeros(self.columns),
            X_columns=zeros(*columns_shape(0 if self.one_hot else T * B, self.num_inputs)),
            H_columns=zeros(*columns_shape((T + 1) * B, self.num_hiddens)),
            E_columns=zeros(*columns_shape(T * B if gru and not self.reset_after else 0, self.num_hiddens)),
            G_bhh=zeros(self.width), squares=np.zeros((4, self.columns // PANEL)), next=np.zeros((4, 1), np.int64))

    def pack(self, params: Dict[str, np.ndarray], room: Room, learn: bool, k: int, number: int) -> None:
        """Pack the k-th of `number` parts of all weights. params: the direction's, under the book's names."""
        h = self.num_hiddens
        for g, gate in enumerate(self.gates):
            own, at = slice(g * self.panels, (g + 1) * self.panels), slice(g * self.width, g * self.width + h)
            first, last = k * self.panels // number, (k + 1) * self.panels // number
            pack(params[f'W_h{gate}'], self.W_h[own], first, last)
            if not self.one_hot:
                pack(params[f'W_x{gate}'], self.W_x[own], first, last)
            if learn:
                pack_transposed(params[f'W_h{gate}'], room.W_hT, at.start, first, last)
                if not self.one_hot:
                    parts = len(room.W_xT)
                    pack_transposed(params[f'W_x{gate}'], room.W_xT, at.start, k * parts // number, (k + 1) * parts // number)
            if k == 0:
                self.b[at] = params[f'b_{gate}']
        if k == 0 and self.inner_bias:
            self.b_hh[:h] = params['b_hh']

    def start(self, room: Room, state: List[np.ndarray]) -> None:
        """Put the state before the walk in its place: H, or H and C, each (B, num_hiddens)."""
        at = -1 if self.reverse else 0
        for array, value in zip((room.H, room.C), state):
            array[at, :, :self.num_hiddens] = value

    def last_state(self, room: Room) -> List[np.ndarray]:
        """The state after the walk, as views."""
        at = 0 if self.reverse else -1
        return [array[at, :, :self.num_hiddens] for array in (room.H, room.C)[:self.num_states]]

    def forward(self, params: Dict[str, np.ndarray], room: Room, X: np.ndarray, lengths: np.ndarray, share: Share,
                meeting: np.ndarray) -> None:
        """The walk of one thread's share. X: indices (T, B), or (T, B, num_inputs)."""
        if self.one_hot:
            for g, gate in enumerate(self.gates):
                gather(X, lengths, params[f'W_x{gate}'], self.b[g * self.width:], room.S, g, self.width, share)
        else:
            project(X, self.W_x, self.b, room.S, len(self.gates), share, steps_at_once(share))
        if self.cell == 'rnn':
            rnn.rnn_forward(room.S, room.H, self.W_h, self.activation, lengths, self.reverse, share, meeting)
        elif self.cell == 'gru':
            gru.gru_forward(room.S, room.H, room.E, self.W_h, self.reset_after, self.b_hh, lengths, self.reverse, share, meeting)
        else:
            lstm.lstm_forward(room.S, room.H, room.C, self.W_h, lengths, self.reverse, share, meeting)

    def backward(self, room: Room, dY: np.ndarray, offset: int, lengths: np.ndarray, share: Share, meeting: np.ndarray) -> None:
        """The gradient of that walk; dY (T, B, columns), this direction's from `offset` on; room.dH, dC: of the last state."""
        h = self.num_hiddens
        if self.cell == 'rnn':
            rnn.rnn_backward(room.S, room.H, room.W_hT, self.activation, dY, offset, h, room.dH, room.dS, lengths, self.reverse,
                             share, meeting)
        elif self.cell == 'gru':
            gru.gru_backward(room.S, room.H, room.E, room.W_hT, self.reset_after, room.dRH, dY, offset, h, room.dH, room.dS,
                             room.dM, lengths, self.reverse, share, meeting)
        else:
            lstm.lstm_backward(room.S, room.H, room.C, room.W_hT, dY, offset, h, room.dH, room.dC, room.dS, lengths, self.reverse,
                               share, meeting)

    def input_gradient(self, room: Room, dX: np.ndarray, start: int, stop: int, share: Share, add: bool) -> None:
        """dX = dA W_xᵀ of steps start to stop, or add that to it. dX (T, B, num_inputs filled up to whole panels)."""
        block = steps_at_once(share)
        for t in range(start, stop, block):
            own = slice(t, min(t + block, stop)), slice(share.first, share.last)
            multiply(room.S[own][:, :, :self.columns], room.W_xT, dX[own], add)

    def count_inputs(self, room: Room, X: np.ndarray, lengths: np.ndarray) -> None:
        """Before `weights`, in one thread: which rows of W_x a batch of indices has a gradient for."""
        room.next[:] = 0
        if self.one_hot:
            room.number = find_slots(X, lengths, self.slot_of, room.slots, room.found)

    def pack_states(self, room: Room, start: int, stop: int, share: Share) -> None:
        """After `forward`: what `weights` multiplies the gradients with, of the states H[start] to H[stop]."""
        pack_columns(room.H[:, :, :self.num_hiddens], room.H_columns, start, stop, share.first, share.last)

    def pack_columns(self, room: Room, X: np.ndarray, start: int, stop: int, share: Share) -> None:
        """After `backward`: the same of the inputs, and of the GRU's R * H, of steps start to stop of the share's rows."""
        own = start, stop, share.first, share.last
        if not self.one_hot:
            pack_columns(X, room.X_columns, *own)
        if self.cell == 'gru' and not self.reset_after:
            pack_columns(room.E[:, :, :self.num_hiddens], room.E_columns, *own)

    def weights(self, room: Room) -> None:
        """The gradients of all weights, shared among the threads that call this at once."""
        before = room.H.shape[1] if self.reverse else 0     # where the states before each step begin
        dS, G, nothing, squares, turns = room.dS, room.G_h[None, :, :self.columns], room.G_b[:0], room.squares, room.next
        if self.one_hot:
            scatter(dS, room.slots, room.G_x[:room.number], squares[0], turns[0])
        else:
            weight_gradient(room.X_columns, 0, dS, room.G_x[None, :, :self.columns], nothing, squares[0], turns[0])
        if self.cell != 'gru':
            weight_gradient(room.H_columns, before, dS, G, room.G_b, squares[1], turns[1])
            return
        split, at = 2 * self.panels, 2 * self.width     # Z and R, then H_tilde
        weight_gradient(room.H_columns, before, dS[:split], G[:, :, :at], room.G_b[:at], squares[1], turns[1])
        if self.reset_after:
            inner = room.G_bhh if self.inner_bias else nothing
            weight_gradient(room.H_columns, before, room.dM, G[:, :, at:], inner, squares[2], turns[2])
            weight_gradient(room.H_columns, before, dS[split:], G[:, :0, at:], room.G_b[at:], squares[3], turns[3])
        else:
            weight_gradient(room.E_columns, 0, dS[split:], G[:, :, at:], room.G_b[at:], squares[2], turns[2])

    def gradients(self, room: Room) -> List[Gradient]:
        """The gradients that `weights` has made, under the book's names."""
        h, found = self.num_hiddens, []
        rows = room.found[:room.number] if self.one_hot else None
        for g, gate in enumerate(self.gates):
            at = slice(g * self.width, g * self.width + h)
            found += [Gradient(f'W_x{gate}', room.G_x[:room.number, at], rows), Gradient(f'W_h{gate}', room.G_h[:, at]),
                      Gradient(f'b_{gate}', room.G_b[None, at])]
        return [*found, Gradient('b_hh', room.G_bhh[None, :h])] if self.inner_bias else found


def steps_at_once(share: Share) -> int:
    """How many steps of a share's rows make a block of `BLOCK_ROWS`."""
    return max(1, BLOCK_ROWS // max(1, share.last - share.first))
