"""Filling gaps by counting alone: the mark that a network has to beat."""
from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from ..corpora.indices import check_indices
from ..corpora.sampling import Rows
from .fill_in import evaluate_gaps

_ALPHAS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


class Counting:
    """A gap filled by bigrams on both sides, P(c | left, right) ~ P(c | left) P(right | c).

    P(b | a) = (N(ab) + α P(b)) / (N(a) + α), smoothed towards P(b) = (N(b) + 1) / (N + vocab_size).
    A neighbour that is masked or beyond the row is left out. right: look to the right, too.
    """

    def __init__(self, corpus_indices: Any, vocab_size: int, *, alpha: float = 20, right: bool = True):
        text = check_indices(corpus_indices, vocab_size, 'the indices of the text').astype(np.int64)
        self.vocab_size, self.alpha, self.right = vocab_size, alpha, right
        self.total = np.bincount(text[:-1], minlength=vocab_size).astype(np.float64)      # as the first of two
        number = np.bincount(text, minlength=vocab_size)
        self.p = (number + 1) / (len(text) + vocab_size)
        pairs, counts = np.unique(text[:-1] * vocab_size + text[1:], return_counts=True)
        first, second = np.divmod(pairs, vocab_size)
        self.after = {a: (second[first == a], counts[first == a]) for a in np.unique(first)}
        self.before = {b: (first[second == b], counts[second == b]) for b in np.unique(second)}

    @classmethod
    def fitted(cls, corpus_indices: Any, vocab_size: int, batches: Sequence[Rows], *, right: bool = True) -> Counting:
        """Counting with the α that scores best on masked batches of another text."""
        counting = cls(corpus_indices, vocab_size, right=right)

        def perplexity(alpha: float) -> float:
            counting.alpha = alpha
            return evaluate_gaps(counting, batches).perplexity
        counting.alpha = min(_ALPHAS, key=perplexity)
        return counting

    def log_probabilities(self, X: np.ndarray) -> np.ndarray:
        """(number of masks, vocab_size), row by row of X; the mask is the index vocab_size."""
        framed = np.pad(X, ((0, 0), (1, 1)), constant_values=self.vocab_size)
        rows, steps = np.nonzero(self.vocab_size == X)
        return np.stack([self._one(framed[row, step], framed[row, step + 2]) for row, step in zip(rows, steps)])

    def _one(self, left: int, right: int) -> np.ndarray:
        p = self.p.copy()
        if left != self.vocab_size:
            followers, counts = self.after.get(left, ((), ()))
            p *= self.alpha
            p[list(followers)] += counts
        if self.right and right != self.vocab_size:
            joint = np.full(self.vocab_size, self.alpha * self.p[right])
            leaders, counts = self.before.get(right, ((), ()))
            joint[list(leaders)] += counts
            p *= joint / (self.total + self.alpha)
        return np.log(p / p.sum())
