"""Counting n-grams, and one output a unit of the vocabulary."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import counting, states


def test_n_grams_are_counted():
    indices = np.array([0, 1, 0, 1, 2, 0, 1])
    assert [counting.distinct(indices, n) for n in (1, 2, 3)] == [3, 4, 5]
    codes = counting.ngrams(indices, 2)         # 01 10 01 12 20 01
    assert codes[0] == codes[2] == codes[5] and len(set(codes.tolist())) == 4


@pytest.mark.parametrize('indices, n, share', [([0, 1, 2, 3], 1, 1.0), ([0, 1, 0, 1], 1, 0.0), ([0, 1] * 10, 2, 0.0)])
def test_how_many_were_never_seen_before(indices, n, share):
    assert counting.unseen(np.array(indices), n, held_out=0.25) == share


def test_every_unit_has_an_output(bench):
    table = states.outputs_needed(bench).evidence[0]
    units, outputs, off = (table.header.index(name) for name in ('vocabulary', 'outputs', 'largest |sum of probabilities - 1|'))
    assert all(row[units] == row[outputs] and row[off] < 1e-5 for row in table.rows)


def test_without_the_recurrent_product_no_past_is_in_the_state(bench):
    figures = states.past_in_state(bench).figures
    assert figures['cut'] == 0 < figures['felt_far']
