"""One direction: weights packed in parts are the same, and the gradient of one-hot inputs has the rows that occurred."""
import numpy as np
from numpy.testing import assert_array_equal

from gluon_rnn.kernels.memory import Memory
from tests.kernels.page import GATES, Page, Update, V


def test_weights_packed_in_parts_are_packed_as_a_whole():
    page, found = Page('lstm'), []
    direction, own = page.layers[1][0], page.params[1][0]
    for number in (1, 3):
        room = direction.room(4, 3, Memory())
        for packed in (direction.W_h, direction.W_x, direction.b):
            packed[...] = -1
        for k in range(number):
            direction.pack(own, room, True, k, number)
        found.append([array.copy() for array in (direction.W_h, direction.W_x, direction.b[:5], room.W_hT, room.W_xT)])
    for one, other in zip(*found):
        assert_array_equal(one, other)
    assert found[0][0].shape[0] == len(GATES['lstm']) * direction.panels


def test_gradients_of_one_hot_inputs_are_of_the_rows_that_occurred():
    page = Page('rnn')
    page.X[...] = [[4, 1, 4]]
    before = page.params[0][0]['W_xh'].copy()
    page.kernels.step(page.X, page.Y, page.state, page.params, page.output, Update('sgd', 1.0, 0))
    moved = (page.params[0][0]['W_xh'] != before).any(axis=1)
    assert np.flatnonzero(moved).tolist() == [1, 4] and V == 6
