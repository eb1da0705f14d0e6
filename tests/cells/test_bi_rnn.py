"""Both directions of time: what the second reads, and the published mistake of one that reads forward twice."""
import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_array_equal

import gluon_rnn
from gluon_rnn.cells import GRU, LSTM, BiRNN, OneHot, build_network
from gluon_rnn.cells.build import NetworkConfig
from tests.cells.checks import NUM_INPUTS, book_arrays, normal, randomize


def run(network, X, depth):
    return network(OneHot(X, depth), network.begin_state(X.shape[1]))


@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
def test_both_directions_forward_see_nothing_of_what_follows(impl):
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


def by_hand_forward_and_backward(impl):
    """relu, W_xh 1, W_hh 10, no bias: each hidden state spells out which inputs it has read, and in which order."""
    network = build_network(NetworkConfig('rnn', impl, num_hiddens=1, bidirectional=True, activation='relu'), 1)
    values = {'W_xh': [[1]], 'W_hh': [[10]], 'b_h': [0]}
    network.load_book_params({f'{direction}.{name}': np.array(value, dtype=np.float32)
                              for direction in ('forward', 'backward') for name, value in values.items()})
    return network


@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
def test_second_direction_runs_from_the_end(impl):
    network = by_hand_forward_and_backward(impl)
    H, state = network(nd.array([1, 2, 3]).reshape((3, 1, 1)), network.begin_state(1))
    assert_array_equal(H.asnumpy()[:, 0], [[1, 321], [12, 32], [123, 3]])
    assert [float(array.item()) for array in book_arrays(network, state)] == [123, 321]
    assert [float(array.item()) for array in book_arrays(network, network.carry(state))] == [123, 0]


def test_directions_may_be_of_different_networks(seed):
    forward, backward = LSTM(NUM_INPUTS, 3), GRU(NUM_INPUTS, 2)
    network = BiRNN(forward, backward)
    randomize(network)
    X = nd.array(normal(4, 2, NUM_INPUTS))
    H, state = network(X, network.begin_state(2))
    H_forward, last = forward(X, forward.begin_state(2))
    H_backward, first = backward(nd.array(X.asnumpy()[::-1]), backward.begin_state(2))
    assert_array_equal(H.asnumpy(), np.concatenate([H_forward.asnumpy(), H_backward.asnumpy()[::-1]], axis=2))
    assert [s.shape for s in state] == [(2, 3), (2, 3), (2, 2)]
    assert_array_equal(state[2].asnumpy(), first[0].asnumpy())
    assert_array_equal(state[0].asnumpy(), last[0].asnumpy())
