"""A reader's own network under the trainer's contract, whatever its state is."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon, init, nd
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import d2lzh
from gluon_rnn.models.readers import ByHand, Gluon, OneByOne, one_hots


def test_one_hots_a_step():
    X = nd.array([[0, 2], [1, 1]])
    found = [array.asnumpy().tolist() for array in one_hots(X, 3)]
    assert found == [[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 1, 0]]]


@pytest.mark.parametrize('kind', [lambda H: H, lambda H: [H], lambda H: (H,)], ids=['array', 'list', 'tuple'])
def test_a_network_by_hand_gets_its_state_as_it_gives_it(kind):
    def rnn(inputs, state, params):
        assert type(state) is type(kind(nd.zeros(1)))
        H = state if isinstance(state, nd.NDArray) else state[0]
        outputs = [H + nd.dot(X, params[0]) for X in inputs]
        return outputs, kind(H + 1)

    W = nd.array(np.arange(6).reshape(3, 2))
    model = ByHand(rnn, [W], lambda batch_size, num_hiddens, ctx: kind(nd.zeros((batch_size, num_hiddens))), 2, 3, W.context)
    logits, state = model(nd.array([[0, 2], [1, 1]]), model.begin_state(2))
    assert_array_equal(logits.asnumpy(), W.asnumpy()[[0, 1, 2, 1]])     # time-major
    assert isinstance(state, tuple) and state[0].asnumpy().tolist() == [[1, 1]] * 2
    assert list(model.parameters()) == ['0'] and model(nd.array([[0], [0]]), state)[0].asnumpy()[0].tolist() == [1, 2]


def test_a_gluon_model_offers_what_it_trains():
    model = d2lzh.RNNModel(gluon.rnn.GRU(4), 5)
    model.initialize()
    reader = Gluon(model, 5, nd.zeros(1).context)
    logits, state = reader(nd.array([[0, 1]]), reader.begin_state(1))
    assert logits.shape == (2, 5) and isinstance(state, tuple)
    model.collect_params('.*bias').setattr('grad_req', 'null')
    assert reader.parameters() and not any('bias' in name for name in reader.parameters())


def test_a_prefix_a_character_a_call_is_another_reading_for_two_directions():
    """The second one's state then comes from what stands before."""
    for both in (False, True):
        inner = d2lzh.RNNModel(gluon.rnn.RNN(4, bidirectional=both), 5)
        inner.initialize(init.Normal(1))
        model, X = Gluon(inner, 5, mx.cpu()), [[0, 3, 1, 4]]
        whole = model(nd.array(X), model.begin_state(1))[0].asnumpy()[-1]
        last = OneByOne(model)(X, model.begin_state(1))[0].asnumpy()[-1]
        assert (np.abs(whole - last).max() > 1e-3) == both
        if not both:
            assert_allclose(last, whole, rtol=0, atol=1e-5)
