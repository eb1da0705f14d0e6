"""How well a text is known."""
import math

import numpy as np
import pytest

from gluon_rnn.book.exercises import scoring
from gluon_rnn.corpora.corpus import unigram_perplexity


def test_knowing_frequencies_alone():
    assert unigram_perplexity(np.array([0, 1, 2, 3] * 5)) == pytest.approx(4)
    entropy = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert unigram_perplexity(np.array([0, 0, 0, 2])) == pytest.approx(math.exp(entropy))


def test_a_share_of_the_text():
    assert scoring.known_share(['abcd', 'bcx'], 'abcde') == pytest.approx(2 / 3)        # abc and bcd, but not bcx
    assert scoring.known_share(['abcd'], 'abcde', 4) == 1 and math.isnan(scoring.known_share(['ab'], 'abcde'))
    assert scoring.known_share(['aaaaa'], 'aaab') == pytest.approx(1 / 3)                 # said three times, counted once
