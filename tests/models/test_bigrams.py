"""Counting alone, against its formula."""
from types import SimpleNamespace

import numpy as np
import pytest

from gluon_rnn.models.bigrams import Counting
from gluon_rnn.models.fill_in import evaluate_gaps, held_out_batches


def test_counting_is_the_formula():
    text, vocab_size, alpha = [0, 1, 2, 0, 1, 1, 3, 0, 2, 0, 1], 5, 3
    counting = Counting(text, vocab_size, alpha=alpha)
    number = np.bincount(text, minlength=vocab_size)
    pairs = np.zeros((vocab_size, vocab_size))
    for a, b in zip(text, text[1:]):
        pairs[a, b] += 1
    p = (number + 1) / (len(text) + vocab_size)
    bigram = (pairs + alpha * p) / (pairs.sum(axis=1, keepdims=True) + alpha)       # row a, column b: P(b | a)
    np.testing.assert_allclose(bigram.sum(axis=1), 1)
    mask = vocab_size
    X = np.array([[0, mask, 2], [mask, 1, mask], [4, mask, mask], [mask, mask, mask]])
    wanted = [bigram[0] * bigram[:, 2], p * bigram[:, 1], bigram[1], bigram[4], p, p, p, p]
    wanted = [row / row.sum() for row in wanted]
    np.testing.assert_allclose(np.exp(counting.log_probabilities(X)), wanted, rtol=1e-10)
    left = Counting(text, vocab_size, alpha=alpha, right=False).log_probabilities(X)
    np.testing.assert_allclose(np.exp(left[0]), bigram[0], rtol=1e-10)


def test_score_and_the_chosen_alpha():
    text = np.array([0, 1, 2, 3] * 40)
    batches = held_out_batches(text, 4, 0.2, 12)
    uniform = SimpleNamespace(log_probabilities=lambda X: np.full(((X == 4).sum(), 4), np.log(.25)))
    assert evaluate_gaps(uniform, batches).perplexity == pytest.approx(4)
    fitted = Counting.fitted(text, 4, batches)
    assert fitted.alpha == 0.5 and evaluate_gaps(fitted, batches).accuracy > 0.9      # nothing to smooth
