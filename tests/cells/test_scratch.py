"""What the hand-written networks refuse; that they compute what they should is held beside each."""
from __future__ import annotations

import re

import numpy as np
import pytest
from mxnet import nd

from gluon_rnn.cells import RNN, NetworkConfig, OneHot, build_network


@pytest.mark.parametrize('impl', ['scratch', 'hybrid'])
@pytest.mark.parametrize('shapes', [((1, 4), (1, 4)), ((2, 4), (1, 4)), ((3, 4), (3, 4)), ((2, 5), (2, 5)), ((2, 4),)], ids=str)
def test_a_state_of_another_batch_or_network_is_told(impl, shapes):
    """A state of one row, above all, which MXNet would hand to every row of the batch."""
    network = build_network(NetworkConfig('lstm', impl=impl, num_hiddens=4), 6)
    inputs = OneHot(nd.array([[0, 1], [2, 3], [4, 5]]), 6)
    with pytest.raises(ValueError, match=re.escape('state must be a tuple of arrays of shapes [(2, 4), (2, 4)], '
                                                   f'got {list(shapes)}')):
        network(inputs, tuple(nd.zeros(shape) for shape in shapes))
    H, _ = network(inputs, network.begin_state(2))
    assert H.shape == (3, 2, 4)


@pytest.mark.parametrize('impl', ['scratch', 'hybrid'])
def test_inputs_of_another_width_are_told(impl):
    network = build_network(NetworkConfig('gru', impl=impl, num_hiddens=4), 6)
    for inputs in (OneHot(nd.array([[0, 1]]), 5), nd.zeros((1, 2, 5))):
        with pytest.raises(ValueError, match=re.escape('inputs must have 6 columns, got shape (1, 2, 5)')):
            network(inputs, network.begin_state(2))


def test_a_step_may_be_written_with_mxnets_own_product():
    """On vectors `nd.dot` is `dot`."""
    class Mine(RNN):
        def step(self, X, state):
            H, = state
            H = nd.tanh(nd.dot(X, self.W_xh) + nd.dot(H, self.W_hh) + self.b_h)
            return H, (H,)

    mine, ours = Mine(6, 4), RNN(6, 4)
    ours.load_book_params(mine.book_params())
    X = nd.random.normal(shape=(3, 2, 6))
    wanted, found = (network(X, network.begin_state(2))[0].asnumpy() for network in (ours, mine))
    assert wanted.any()
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)
