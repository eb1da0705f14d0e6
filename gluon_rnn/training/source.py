"""Sources of batches for the trainer: a text, cut anew each epoch, or anything with the same two methods."""
from __future__ import annotations

import random
from typing import Any, Iterator, Protocol, Tuple

import numpy as np

from ..corpora.indices import to_numpy
from ..corpora.sampling import check_sizes, consecutive_rows, num_batches, random_rows
from .config import TrainConfig


class Source(Protocol):
    """Batches of any kind to train on."""

    def __len__(self) -> int:
        """The number of batches in an epoch."""

    def batches(self, epoch: int) -> Iterator[Tuple[Any, Any]]:
        """Yield X and Y of an epoch, from 1, as NumPy arrays or NDArrays.

        X: as the model takes it, the batch its first axis; Y: (batch_size, num_steps) as X, or (labels,), one a row of logits.
        """


class TextBatches:
    """Batches of a text under either sampling, section 6.3, as NumPy arrays of indices.

    rows: of each batch, those that are read. rng: shuffles the examples of random sampling; None: a generator of its own for
    each epoch, made from config.seed, so that an epoch's batches depend on its number alone.
    Raises ValueError if the text is too short for one batch.
    """

    def __init__(self, corpus_indices: Any, config: TrainConfig, *, rows: slice = slice(None), rng: Any = None):
        self.indices, self.config, self.rows, self.rng = to_numpy(corpus_indices), config, rows, rng
        check_sizes(len(self.indices), config.batch_size, config.num_steps, config.sampling)

    def __len__(self) -> int:
        return num_batches(len(self.indices), self.config.batch_size, self.config.num_steps, self.config.sampling)

    def batches(self, epoch: int) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
        """X and Y, each (rows, num_steps); Y is X one character later."""
        config = self.config
        if config.sampling == 'consecutive':
            batches = consecutive_rows(self.indices, config.batch_size, config.num_steps, rows=self.rows)
        else:
            rng = self.rng or random.Random(None if config.seed is None else f'{config.seed} {epoch}')
            batches = random_rows(self.indices, config.batch_size, config.num_steps, rng=rng, rows=self.rows)
        for XY in batches:
            yield XY[:, :-1], XY[:, 1:]
