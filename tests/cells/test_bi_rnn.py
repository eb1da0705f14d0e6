"""The published mistake of a bidirectional network that reads forward twice."""
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.cells import OneHot, build_network
from gluon_rnn.cells.build import NetworkConfig


def run(network, X, depth):
    return network(OneHot(X, depth), network.begin_state(X.shape[1]))


@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
def test_both_directions_forward_see_nothing_of_what_follows(impl):
    from mxnet import nd
    X = np.random.RandomState(5).randint(0, 6, (5, 2))
    changed = X.copy()
    changed[-1] = (X[-1] + 1) % 6
    for both_forward in (True, False):
        gluon_rnn.seed(5)
        network = build_network(NetworkConfig(cell='rnn', impl=impl, num_hiddens=4, activation='sigmoid', bidirectional=True,
                                              both_forward=both_forward), 6)
        before, after = (run(network, nd.array(x), 6)[0].asnumpy()[:-1] for x in (X, changed))
        assert np.array_equal(before, after) == both_forward
        _, state = run(network, nd.array(X), 6)
        assert bool(network.carry(state)[-1].asnumpy().any()) == both_forward      # a true second direction starts anew


def test_both_forward_needs_two_directions():
    with pytest.raises(ValueError, match='needs a bidirectional network'):
        NetworkConfig(both_forward=True)
