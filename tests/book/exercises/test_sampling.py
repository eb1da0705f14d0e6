"""Where windows begin."""
import numpy as np

from gluon_rnn.book.exercises import sampling


def test_windows_begin_where_they_should():
    indices = np.array([5, 1, 2, 0, 3, 4, 0, 1, 2, 3, 4, 5, 6])
    ways, rng = sampling.ways(indices, 0, 3), np.random.default_rng(0)
    assert ways['fixed cuts'](rng).tolist() == [0, 3, 6, 9] and ways['half over'](rng).tolist() == list(range(10))
    assert ways['at verses'](rng).tolist() == [4, 7] and 'at verses' not in sampling.ways(indices, None, 3)
    assert max(int(ways['anywhere'](rng).max()) for _ in range(50)) == 9
    source = sampling.Windows(indices, ways['fixed cuts'], num_steps=3, batch_size=2, seed=0)
    for X, Y in source.batches(1):
        assert (X[:, 1:] == Y[:, :-1]).all() and X.shape == (2, 3)
