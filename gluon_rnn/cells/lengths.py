"""Sequences of unequal length in one batch.

    lengths 2 4 1       step 0  1  2  3             rows by length, longest first, cut where one ends:
                        a b . .                     c d e f        c | d | e f
                        c d e f                     a b . .        a | b |
                        g . . .                     g . . .        g |   |
The rows that have ended are left out of the next piece, so padding (the dots) is never read, whatever it holds: outputs,
states and gradients are those of each row run alone.
"""
from __future__ import annotations

from typing import Any, Callable, List, Sequence, Tuple, Union

import numpy as np
from mxnet import nd

from .ops import Inputs, OneHot, State

Lengths = Union[Sequence[int], np.ndarray, nd.NDArray]
Run = Callable[[Any, Any], Tuple[nd.NDArray, Any]]


def check_lengths(lengths: Lengths, num_steps: int, batch_size: int) -> np.ndarray:
    """The lengths as an array of integers. Raises ValueError unless each of the batch's rows has one that fits."""
    values = lengths.asnumpy() if isinstance(lengths, nd.NDArray) else np.asarray(lengths)
    if values.shape != (batch_size,):
        raise ValueError(f'lengths must be one number for each of the {batch_size} rows, got shape {values.shape}')
    if not np.issubdtype(values.dtype, np.number) or (values != np.floor(values)).any():
        raise ValueError(f'lengths must be whole numbers, got {values.tolist()}')
    if values.min() < 1 or values.max() > num_steps:
        raise ValueError(f'lengths must be from 1 to {num_steps}, the steps of the array, got {values.tolist()}')
    return values.astype(np.int64)


def run_rows(run: Run, inputs: Inputs, state: State, lengths: np.ndarray) -> Tuple[nd.NDArray, State]:
    """Run a network that reads from the beginning, each row to its own length.

    run(inputs, state) -> outputs, state; inputs (num_steps, batch_size, n); each array of the state has the batch on
    its last axis but one. Returns what `run` does, outputs past a row's length being zero and its state the one after its
    last step.
    """
    num_steps, batch_size = inputs.shape[:2]
    order = np.argsort(-lengths, kind='stable')
    X, depth = (inputs.indices, inputs.shape[2]) if isinstance(inputs, OneHot) else (inputs, None)
    X, state = _take(X, order, 1), tuple(_take(s, order, s.ndim - 2) for s in state)
    outputs: List[nd.NDArray] = []
    ended: List[State] = []
    start = 0
    for stop in np.unique(lengths):
        going, staying = int((lengths > start).sum()), int((lengths > stop).sum())
        piece = X[start:int(stop), :going]
        H, state = run(piece if depth is None else OneHot(piece, depth), tuple(_slice(s, 0, going) for s in state))
        outputs.append(_pad(H, batch_size - going, axis=1))
        ended.append(tuple(_slice(s, staying, going) for s in state))
        start = int(stop)
    H = _pad(nd.concat(*outputs, dim=0), num_steps - start, axis=0)
    back = np.argsort(order)
    last = tuple(_take(nd.concat(*parts[::-1], dim=parts[0].ndim - 2), back, parts[0].ndim - 2) for parts in zip(*ended))
    return _take(H, back, 1), last


def _take(array: nd.NDArray, rows: np.ndarray, axis: int) -> nd.NDArray:
    return nd.take(array, nd.array(rows, ctx=array.context, dtype='int32'), axis=axis)


def _slice(state: nd.NDArray, start: int, stop: int) -> nd.NDArray:
    return nd.slice_axis(state, axis=state.ndim - 2, begin=start, end=stop)


def _pad(H: nd.NDArray, number: int, axis: int) -> nd.NDArray:
    """Append that many rows of zeros to H."""
    if not number:
        return H
    shape = tuple(number if i == axis else n for i, n in enumerate(H.shape))
    return nd.concat(H, nd.zeros(shape, ctx=H.context), dim=axis)
