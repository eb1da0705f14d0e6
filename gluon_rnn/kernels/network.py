"""Layers and directions put together: a whole network's walk, its gradient, and what is kept between the two."""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from .compiling import meet
from .direction import Direction, Gradient
from .memory import Memory
from .output import draw_mask, multiply_by_mask, put_outputs
from .products import padded
from .threads import Pool, plan
from .tile import PANEL
from .walk import Share

Pass = SimpleNamespace      # all arrays of a network for one num_steps and batch_size: one forward pass and its gradient
Params = List[List[Dict[str, np.ndarray]]]      # of each layer and direction


class Network:
    """Layers, each of one direction or two side by side, each layer reading the outputs of the one below.

    dropout: the part of what a layer but the first reads that training sets to zero; residual: each layer but the first adds what
    it reads to what it gives.
    """

    def __init__(self, layers: Sequence[Sequence[Direction]], pool: Pool, *, dropout: float = 0, residual: bool = False):
        self.layers, self.pool, self.dropout, self.residual = [list(layer) for layer in layers], pool, dropout, residual
        self.directions = [direction for layer in self.layers for direction in layer]
        self.dtype = self.directions[0].dtype
        self.widths = [sum(direction.num_hiddens for direction in layer) for layer in self.layers]

    def make_pass(self, T: int, B: int, *, lengths: np.ndarray | None = None) -> Pass:
        """Arrays for T steps of B rows; lengths: how many steps of each row are real, each from 1 to T; None: all."""
        groups, columns = plan(B, max(direction.panels for direction in self.directions), self.pool.threads)
        memory = Memory()
        p = Pass(memory=memory, T=T, B=B, groups=groups, columns=columns, meetings=np.zeros((groups, 1), np.int64), X=None,
                 lengths=np.full(B, T, np.int64) if lengths is None else lengths,
                 rooms=[[direction.room(T, B, memory) for direction in layer] for layer in self.layers])
        p.Y, p.joined, p.inputs, p.dropped, p.masks, p.dX = [], [], [None], [None], [None], [None]
        for i, (layer, rooms) in enumerate(zip(self.layers, p.rooms)):
            p.joined.append(len(layer) > 1 or lengths is not None or (self.residual and i > 0))
            p.Y.append((self._room(p, self.widths[i]) if p.joined[i] else rooms[0].H[1:])[:, :, :self.widths[i]])
            if i:
                mask = np.ones((T, B, self.widths[i - 1]), self.dtype) if self.dropout else None
                p.masks.append(mask)
                p.inputs.append(p.Y[i - 1])
                p.dropped.append(None if mask is None else self._room(p, self.widths[i - 1])[:, :, :self.widths[i - 1]])
                p.dX.append(memory.zeros((T, B, padded(self.widths[i - 1])), self.dtype))
        p.dY = [*p.dX[1:], memory.zeros((T, B, padded(self.widths[-1])), self.dtype)]
        return p

    def _room(self, p: Pass, columns: int) -> np.ndarray:
        return p.memory.zeros((p.T, p.B, padded(columns) + PANEL), self.dtype)      # a panel more than is used, as in `walk.py`

    def begin(self, p: Pass, X: np.ndarray, state: Sequence[np.ndarray], *, drop: bool = True,
              dropout_key: int | None = None) -> None:
        """Make ready for a walk over X: indices (T, B) of int64, or (T, B, num_inputs).

        state: by layer, by direction, H before C.

        drop: whether dropout acts, in this walk and its gradient. dropout_key: which masks are drawn; None: those in p.masks are
        taken as they are, all ones at first.
        """
        if X.ndim == 3:
            p.X = self._room(p, X.shape[2])[:, :, :X.shape[2]] if p.X is None else p.X
            p.X[...] = X
            p.X[np.arange(p.T)[:, None] >= p.lengths] = 0       # padding is never read, whatever it holds
        p.inputs[0], arrays, p.key = X if X.ndim == 2 else p.X, list(state), dropout_key
        p.drops = [drop and mask is not None for mask in p.masks]
        p.inputs[1:] = [p.dropped[i] if p.drops[i] else p.Y[i - 1] for i in range(1, len(self.layers))]
        for direction, room in self.walks(p):
            direction.start(room, arrays[:direction.num_states])
            del arrays[:direction.num_states]

    def walks(self, p: Pass) -> List[Tuple[Direction, Any]]:
        return [pair for layer, rooms in zip(self.layers, p.rooms) for pair in zip(layer, rooms)]

    def last_state(self, p: Pass) -> List[np.ndarray]:
        """The state after the walk: by layer, by direction, H before C, copied."""
        return [array.copy() for direction, room in self.walks(p) for array in direction.last_state(room)]

    def pack(self, p: Pass, params: Params, learn: bool, k: int, number: int) -> None:
        """The k-th of `number` parts of packing all weights, before a walk; learn: for its gradient, too."""
        own = [params_of for layer in params for params_of in layer]
        for (direction, room), mine in zip(self.walks(p), own):
            direction.pack(mine, room, learn, k, number)

    def share(self, p: Pass, k: int) -> Tuple[Share, int]:
        """Share of the k-th thread: the rows of its group, and which of the group's threads it is."""
        group, column = divmod(k, p.columns)
        return Share(group * p.B // p.groups, (group + 1) * p.B // p.groups, 0, 0, p.columns), column

    def own(self, share: Share, column: int, direction: Direction) -> Share:
        """The share with its panels of a direction."""
        panels, number = direction.panels, share.number
        return share._replace(left=column * panels // number, right=(column + 1) * panels // number)

    def wait(self, p: Pass, k: int) -> None:
        """Meet the other threads that walk the same rows."""
        if p.columns > 1:
            meet(p.meetings[k // p.columns], p.columns)

    def forward(self, p: Pass, params: Params, learn: bool, k: int) -> None:
        """The walk of the k-th thread through all layers; learn: its gradient follows."""
        share, column = self.share(p, k)
        start, stop = column * (p.T + 1) // p.columns, (column + 1) * (p.T + 1) // p.columns
        for i, (layer, rooms) in enumerate(zip(self.layers, p.rooms)):
            if p.drops[i]:
                if column == 0:
                    if p.key is not None:
                        draw_mask(p.masks[i], self.dropout, p.key + (i << 40), share)
                    multiply_by_mask(p.Y[i - 1], p.masks[i], p.inputs[i], share)
                self.wait(p, k)
            offset = 0
            for d, (direction, room) in enumerate(zip(layer, rooms)):
                direction.forward(params[i][d], room, p.inputs[i], p.lengths, self.own(share, column, direction),
                                  p.meetings[k // p.columns])
                if column == 0 and p.joined[i]:
                    if d == 0 and i and self.residual:
                        p.Y[i][:, share.first:share.last] = p.inputs[i][:, share.first:share.last]
                    put_outputs(room.H, p.Y[i], offset, direction.num_hiddens, p.lengths, direction.reverse,
                                bool(i and self.residual), share)
                offset += direction.num_hiddens
            self.wait(p, k)
            for direction, room in zip(layer, rooms):
                if learn:
                    direction.pack_states(room, start, stop, share)

    def begin_backward(self, p: Pass, last: Sequence[np.ndarray] | None = None) -> None:
        """Make ready for the gradient. last: that of the last state, as `begin` takes a state; None: zeros."""
        arrays = list(last or [])
        for direction, room in self.walks(p):
            for slot in (room.dH, room.dC)[:direction.num_states]:
                slot[0, :, :direction.num_hiddens] = arrays.pop(0) if last else 0

    def backward(self, p: Pass, k: int, *, dX: np.ndarray | None = None) -> None:
        """The gradient of the k-th thread's walk, down from p.dY[-1]; dX: where that of dense inputs goes, if it is wanted."""
        share, column = self.share(p, k)
        for i in reversed(range(len(self.layers))):
            offset = 0
            for direction, room in zip(self.layers[i], p.rooms[i]):
                direction.backward(room, p.dY[i], offset, p.lengths, self.own(share, column, direction),
                                   p.meetings[k // p.columns])
                offset += direction.num_hiddens
            self.wait(p, k)
            below, rows = p.dX[i] if i else dX, slice(share.first, share.last)
            start, stop = column * p.T // p.columns, (column + 1) * p.T // p.columns
            for direction, room in zip(self.layers[i], p.rooms[i]):
                direction.pack_columns(room, p.inputs[i], start, stop, share)
            if below is None:
                continue
            add = bool(i and self.residual)
            if add:
                below[start:stop, rows, :self.widths[i]] = p.dY[i][start:stop, rows, :self.widths[i]]
            for d, (direction, room) in enumerate(zip(self.layers[i], p.rooms[i])):
                direction.input_gradient(room, below, start, stop, share, add or d > 0)
            self.wait(p, k)
            if p.drops[i]:
                if column == 0:
                    multiply_by_mask(below, p.masks[i], below, share)
                self.wait(p, k)

    def count_inputs(self, p: Pass) -> None:
        """Before `weights`, in one thread."""
        for i, (layer, rooms) in enumerate(zip(self.layers, p.rooms)):
            for direction, room in zip(layer, rooms):
                direction.count_inputs(room, p.inputs[i], p.lengths)

    def weights(self, p: Pass) -> None:
        """The gradients of all weights, shared among the threads that call this at once."""
        for direction, room in self.walks(p):
            direction.weights(room)

    def gradients(self, p: Pass) -> List[List[List[Gradient]]]:
        """Gradients of each layer and direction."""
        return [[direction.gradients(room) for direction, room in zip(layer, rooms)]
                for layer, rooms in zip(self.layers, p.rooms)]
