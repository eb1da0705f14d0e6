"""What the hand-written networks refuse; that they compute what they should is test_equality.py's and test_hybrid.py's."""
from __future__ import annotations

import re

import pytest
from mxnet import nd

from gluon_rnn.cells import NetworkConfig, OneHot, build_network


@pytest.mark.parametrize('impl', ['scratch', 'hybrid'])
@pytest.mark.parametrize('shapes', [((1, 4), (1, 4)), ((2, 4), (1, 4)), ((3, 4), (3, 4)), ((2, 5), (2, 5)), ((2, 4),)], ids=str)
def test_a_state_of_another_batch_or_network_is_told(impl, shapes):
    """A state of one row, above all, which MXNet would hand to every row of the batch."""
    network = build_network(NetworkConfig('lstm', impl=impl, num_hiddens=4), 6)
    inputs = OneHot(nd.array([[0, 1], [2, 3], [4, 5]]), 6)
    with pytest.raises(ValueError, match=re.escape('state must be (H, C), each (batch_size, num_hiddens) (2, 4), '
                                                   f'got shapes {list(shapes)}')):
        network(inputs, tuple(nd.zeros(shape) for shape in shapes))
    H, _ = network(inputs, network.begin_state(2))
    assert H.shape == (3, 2, 4)
