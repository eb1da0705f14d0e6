"""Networks made of parts, and weights that are taken over as a whole or not at all."""
import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_array_equal

from gluon_rnn.cells import GRU, LSTM
from gluon_rnn.cells.base import Composite, load_weights


def test_parts_have_their_own_names_and_their_own_piece_of_the_state():
    both = Composite({'one': LSTM(3, 4), 'two': GRU(4, 5)})
    assert {name.partition('.')[0] for name in both.parameters()} == {'one', 'two'}
    state = both.begin_state(2)
    assert [array.shape for array in state] == [(2, 4), (2, 4), (2, 5)]
    assert {name: len(piece) for name, piece in both.split_state(state).items()} == {'one': 2, 'two': 1}
    with pytest.raises(ValueError, match='state must be a tuple of arrays'):
        both(nd.zeros((1, 2, 3)), state[:2])


def test_weights_find_their_parts_or_are_told():
    both, other = (Composite({'one': LSTM(3, 4), 'two': GRU(4, 5)}) for _ in range(2))
    params = {name: np.random.normal(size=value.shape).astype('float32') for name, value in both.book_params().items()}
    both.load_book_params(params)
    other.load_book_params(both.book_params())
    for name, value in params.items():
        assert_array_equal(other.parameters()[name].asnumpy(), value)
    with pytest.raises(ValueError, match=r"unexpected \['three.b'\]"):
        both.load_book_params({**params, 'three.b': params['one.b_i']})
    with pytest.raises(ValueError, match=r"in two: .*missing \['b_z'\]"):
        both.load_book_params({name: value for name, value in params.items() if name != 'two.b_z'})


def test_a_wrong_shape_writes_nothing():
    parameters = {'a': nd.zeros((2,)), 'b': nd.zeros((3,))}
    with pytest.raises(ValueError, match=r'b must have shape \(3,\), got \(2,\)'):
        load_weights(parameters, {'a': np.ones(2), 'b': np.ones(2)})
    assert not parameters['a'].asnumpy().any()
