"""Mini-batches out of a corpus: random and consecutive sampling, section 6.3.

    corpus 0 1 2 3 4 5 6 7 8 9 10 11, batch_size 2      row 0: 0 1 2 | 3 4 5
    consecutive, num_steps 3: batch 2 goes on where     row 1: 6 7 8 | 9 10 11
    batch 1 stopped, so the state may be carried on     (the last index is only ever a label)

    random, num_steps 3: the corpus is cut into         0 1 2 | 3 4 5 | 6 7 8
    examples and each batch draws batch_size of         batch 1: 6 7 8   batch 2: ...
    them, so every batch starts from a new state                 0 1 2
"""
from __future__ import annotations

import random
from typing import Any, Iterator, Tuple

import numpy as np
from mxnet import nd

from .indices import to_numpy

Batch = Tuple[nd.NDArray, nd.NDArray]
Rows = Tuple[np.ndarray, np.ndarray]        # the same on the host


def random_batches(corpus_indices: Any, batch_size: int, num_steps: int, *, ctx: Any = None,
                   rng: Any = random) -> Iterator[Batch]:
    """Batches of examples drawn in random order; adjacent batches are not adjacent in the text.

    corpus_indices: the characters' indices, one axis. rng: what shuffles, a `random.Random` or the module.
    Yields X and Y, each (batch_size, num_steps) on ctx; Y is X one character later.
    Raises ValueError if the corpus is too short for one batch.
    """
    for XY in random_rows(corpus_indices, batch_size, num_steps, rng=rng):
        yield on_device(XY, ctx)


def random_rows(corpus_indices: Any, batch_size: int, num_steps: int, *, rng: Any = random,
                rows: slice = slice(None)) -> Iterator[np.ndarray]:
    """Rows of random batches as NumPy arrays: X and its last labels, (rows of the batch, num_steps + 1).

    rows: of each batch, those that are read; the shuffling is the same whichever they are.
    """
    check_sizes(len(corpus_indices), batch_size, num_steps, 'random')
    num_examples = (len(corpus_indices) - 1) // num_steps
    examples = list(range(num_examples))
    rng.shuffle(examples)
    # one row an example, with one character more than num_steps: the last label
    starts = np.asarray(examples[:num_examples // batch_size * batch_size], dtype=np.int64) * num_steps
    corpus = to_numpy(corpus_indices)
    steps = np.arange(num_steps + 1)
    for i in range(0, len(starts), batch_size):
        yield corpus[starts[i:i + batch_size, None][rows] + steps]


def consecutive_batches(corpus_indices: Any, batch_size: int, num_steps: int, *, ctx: Any = None) -> Iterator[Batch]:
    """Batches in which each row goes on where the same row of the batch before stopped.

    corpus_indices: the characters' indices, one axis.
    Yields X and Y, each (batch_size, num_steps) on ctx; Y is X one character later.
    Raises ValueError if the corpus is too short for one batch.
    """
    for XY in consecutive_rows(corpus_indices, batch_size, num_steps):
        yield on_device(XY, ctx)


def consecutive_rows(corpus_indices: Any, batch_size: int, num_steps: int, *, rows: slice = slice(None)) -> Iterator[np.ndarray]:
    """Rows of consecutive batches as NumPy arrays: X and its last labels, (rows of the batch, num_steps + 1).

    rows: of each batch, those that are read.
    """
    check_sizes(len(corpus_indices), batch_size, num_steps, 'consecutive')
    row_length = len(corpus_indices) // batch_size
    text = to_numpy(corpus_indices)[:batch_size * row_length].reshape(batch_size, row_length)[rows]
    for i in range(0, row_length - num_steps, num_steps):
        yield text[:, i:i + num_steps + 1]


def on_device(XY: np.ndarray, ctx: Any = None) -> Batch:
    """Split rows of a batch into X and Y on ctx."""
    both = nd.array(XY, ctx=ctx, dtype='float32')
    return both[:, :-1], both[:, 1:]


def masked_batches(batches: Iterator[Rows], mask: int, mask_rate: float, rng: np.random.Generator) -> Iterator[Rows]:
    """Batches of either sampling with some characters replaced by `mask`, for filling in.

        X  0 1 2 3 4 5      masked  0 1 _ 3 4 5      y  2 8
           6 7 8 9 10 11            6 7 _ 9 10 11

    mask_rate: the part of each batch that is masked, the same number of characters in each, one at least; rng draws which.
    Yields X (batch_size, num_steps) and y (number masked,), the characters behind the masks, row by row.
    """
    for X, _ in batches:
        places = np.sort(rng.choice(X.size, max(1, round(mask_rate * X.size)), replace=False))
        masked = X.copy()
        masked.flat[places] = mask
        yield masked, X.flat[places]


def num_batches(length: int, batch_size: int, num_steps: int, sampling: str) -> int:
    """The number of batches in an epoch over `length` characters."""
    if sampling == 'random':
        return (length - 1) // num_steps // batch_size
    return (length // batch_size - 1) // num_steps


def check_sizes(length: int, batch_size: int, num_steps: int, sampling: str) -> None:
    """Raise ValueError unless `length` characters make at least one batch."""
    if batch_size < 1 or num_steps < 1:
        raise ValueError(f'batch_size and num_steps must be 1 or more, got {batch_size} and {num_steps}')
    if num_batches(length, batch_size, num_steps, sampling) < 1:
        need = batch_size * num_steps + (1 if sampling == 'random' else batch_size)
        raise ValueError(f'{sampling} sampling with batch_size {batch_size} and num_steps {num_steps} needs a text of at least '
                         f'{need} characters, got {length}: give more text, or lower batch_size or num_steps')
