"""A number of a product has the same bits in whichever tile it is computed."""
import numpy as np
from numpy.testing import assert_array_equal

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.products import (
        multiply,
        pack,
        padded,
    )
    from gluon_rnn.kernels.tile import MOST_ROWS, PANEL


def wide(rng, *shape, dtype):
    """Random numbers with a panel of columns behind them that must not be read."""
    array = np.full((*shape[:-1], padded(shape[-1]) + PANEL), np.nan, dtype)[..., :shape[-1]]
    array[...] = rng.normal(size=shape)
    return array


def test_a_number_has_the_same_bits_in_every_tile():
    rng = np.random.default_rng(2)
    A, W = wide(rng, 1, 2 * MOST_ROWS, 300, dtype=np.float32), rng.normal(size=(300, 40)).astype(np.float32)
    panels, whole = np.zeros((padded(40) // PANEL, 300, PANEL), np.float32), np.zeros((1, 2 * MOST_ROWS, padded(40)), np.float32)
    pack(W, panels, 0, len(panels))
    multiply(A, panels, whole, False)
    for rows in range(1, 2 * MOST_ROWS):
        part = np.zeros((1, rows, padded(40)), np.float32)
        multiply(A[:, :rows], panels, part, False)
        assert_array_equal(part, whole[:, :rows])
