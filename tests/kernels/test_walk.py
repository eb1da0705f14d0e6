"""What the three walks share: where a step's states lie, rows of W for one-hot inputs, and their gradient."""
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.tile import PANEL
    from gluon_rnn.kernels.walk import Share, find_slots, gather, places, scatter

INDICES, LENGTHS = np.array([[7, 2, 7], [2, 5, 0], [7, 2, 2]]), np.array([3, 3, 1])


def test_a_walk_from_the_end_begins_behind_the_last_step():
    assert [places(s, 3, False) for s in range(3)] == [(0, 0, 1), (1, 1, 2), (2, 2, 3)]
    assert [places(s, 3, True) for s in range(3)] == [(2, 3, 2), (1, 2, 1), (0, 1, 0)]


def test_different_indices_are_numbered_as_they_come_and_padding_is_none():
    slot_of, slots, found = np.full(9, -1, np.int32), np.zeros(9, np.int64), np.zeros(9, np.int64)
    assert find_slots(INDICES, LENGTHS, slot_of, slots, found) == 3
    assert found[:3].tolist() == [7, 2, 5] and slots.tolist() == [0, 1, 0, 1, 2, -1, 0, 1, -1]
    assert (slot_of == -1).all()


def test_gather_is_a_row_of_the_weight_and_scatter_its_gradient():
    rng, width = np.random.default_rng(0), PANEL
    W, b = rng.normal(size=(9, width - 3)).astype(np.float32), np.zeros(width, np.float32)
    b[:width - 3] = rng.normal(size=width - 3)
    S = np.full((3, 3, width + PANEL), np.nan, np.float32)
    gather(INDICES, LENGTHS, W, b, S, 0, width, Share(0, 3, 0, 1, 1))
    real = np.arange(3)[:, None] < LENGTHS
    assert_allclose(S[..., :width - 3], np.where(real[..., None], W[INDICES] + b[:width - 3], 0), rtol=1e-6)
    assert not S[..., width - 3:width].any()

    slots, G, squares = np.array([0, 1, 0, 1, 2, -1, 0, 1, -1]), np.full((3, width + PANEL), np.nan, np.float32), np.zeros(1)
    D = rng.normal(size=(9, width)).astype(np.float32)
    scatter(D.reshape((1, 3, 3, PANEL)), slots, G, squares, np.zeros(1, np.int64))
    wanted = np.stack([D[slots == slot].astype(np.float64).sum(axis=0) for slot in range(3)])
    assert_allclose(G[:, :width], wanted, rtol=0, atol=1e-6)
    assert_allclose(squares[0], (wanted ** 2).sum(), rtol=1e-6)
    assert np.isnan(G[:, width:]).all()


def test_only_rows_of_the_share_are_written():
    S = np.full((3, 3, 2 * PANEL), np.nan, np.float32)
    gather(INDICES, LENGTHS, np.ones((9, PANEL), np.float32), np.zeros(PANEL, np.float32), S, 0, PANEL, Share(1, 2, 0, 1, 1))
    assert_array_equal(np.isnan(S[..., 0]), [[True, False, True]] * 3)
