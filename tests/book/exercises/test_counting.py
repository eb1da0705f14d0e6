"""Counting n-grams."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import counting


def test_n_grams_are_counted():
    indices = np.array([0, 1, 0, 1, 2, 0, 1])
    assert [len(set(counting.ngrams(indices, n).tolist())) for n in (1, 2, 3)] == [3, 4, 5]
    codes = counting.ngrams(indices, 2)         # 01 10 01 12 20 01
    assert codes[0] == codes[2] == codes[5] and len(set(codes.tolist())) == 4


@pytest.mark.parametrize('indices, n, share', [([0, 1, 2, 3], 1, 1.0), ([0, 1, 0, 1], 1, 0.0), ([0, 1] * 10, 2, 0.0)])
def test_how_many_were_never_seen_before(indices, n, share):
    assert counting.unseen(np.array(indices), n, held_out=0.25) == share
