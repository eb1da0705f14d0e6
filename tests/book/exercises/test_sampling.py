"""Where windows begin, and whether sentences are better samples."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import sampling


def test_windows_begin_where_they_should():
    indices = np.array([5, 1, 2, 0, 3, 4, 0, 1, 2, 3, 4, 5, 6])
    ways, rng = sampling.ways(indices, 0, 3), np.random.default_rng(0)
    assert ways['fixed cuts'](rng).tolist() == [0, 3, 6, 9] and ways['half over'](rng).tolist() == list(range(10))
    assert ways['at verses'](rng).tolist() == [4, 7] and 'at verses' not in sampling.ways(indices, None, 3)
    assert max(int(ways['anywhere'](rng).max()) for _ in range(50)) == 9
    begun = set()
    for X, Y in sampling.windows(indices, ways['fixed cuts'], 3, 2, begun, rng):
        assert (X[:, 1:] == Y[:, :-1]).all() and X.shape == (2, 3)
    assert begun == {0, 3, 6, 9}


@pytest.mark.parametrize('windows, by_length, said', [
    ((591.0, 583.0), (500.0, 985.0), 'own'), ((591.0, 583.0), (500.0, 580.0), 'verses'),
    ((591.0, 583.0), (580.0, 985.0), 'windows'), ((591.0, 583.0), (float('inf'), 985.0), 'windows'),
    ((591.0, 583.0), (580.0, 400.0), 'verses'), ((591.0, 583.0), (700.0, 400.0), '')])
def test_632_names_a_winner_only_beyond_chance(windows, by_length, said):
    assert sampling.who_is_better(windows, by_length, 0.05) == said
