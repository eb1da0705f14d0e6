"""Weights between the book's layout and the stacked one: nothing is lost on the way, and the orders are those of the others."""
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gluon_rnn.cells import NetworkConfig
from gluon_rnn.cells.weights import ONNX_GATES, flat_state, pack, unpack
from tests.cells.checks import build, normal

CONFIGS = [NetworkConfig('rnn', num_layers=2), NetworkConfig('gru', reset_after=True), NetworkConfig('lstm'),
           NetworkConfig('gru', num_layers=2, bidirectional=True, reset_after=True),
           NetworkConfig('lstm', num_layers=2, bidirectional=True, backward_hiddens=2)]


@pytest.mark.parametrize('config', CONFIGS, ids=str)
def test_weights_travel_both_ways(config):
    gluon, scratch = build(replace(config, impl='gluon', reset_after=None)), build(config)
    params = {name: normal(*value.shape) for name, value in scratch.book_params().items()}
    scratch.load_book_params(params)
    gluon.load_book_params(scratch.book_params())
    returned = gluon.book_params()
    assert returned.keys() == params.keys()
    for name, value in params.items():
        assert_array_equal(returned[name], value)


def test_gates_are_stacked_in_the_order_asked_for():
    """Of an LSTM, i f c o; for ONNX i o f c. Two biases become their sum."""
    params = {f'{kind}{gate}': np.full(shape, k, np.float32) for k, gate in enumerate('ifoc')
              for kind, shape in (('W_x', (3, 2)), ('W_h', (2, 2)), ('b_', (2,)))}
    packed = pack(params, 'lstm')
    assert packed['i2h_weight'].shape == (8, 3) and packed['i2h_weight'][::2, 0].tolist() == [0, 1, 3, 2]
    assert pack(params, 'lstm', ONNX_GATES)['i2h_bias'][::2].tolist() == [0, 2, 1, 3]
    returned = unpack({**packed, 'h2h_bias': np.ones(8, np.float32)}, 'lstm')
    for name, value in params.items():
        assert_array_equal(returned[name], value + name.startswith('b'))
    with pytest.raises(ValueError, match=r"a gru needs the parameters .*W_xz.* got .*W_xi"):
        pack(params, 'gru')


def test_a_state_is_flat_by_layer_and_direction_h_before_c():
    H, C = np.arange(6).reshape(3, 1, 2), 10 + np.arange(6).reshape(3, 1, 2)
    assert [array.ravel().tolist() for array in flat_state([H, C])] == [[0, 1], [10, 11], [2, 3], [12, 13], [4, 5], [14, 15]]
    assert [array.shape for array in flat_state([H[0], C[0]])] == [(1, 2)] * 2
