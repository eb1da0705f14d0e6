"""Dropout between layers: there in training only, between layers only, and as large as it says."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon import rnn

import gluon_rnn
from gluon_rnn.cells import DeepRNN, NetworkConfig, build_network
from gluon_rnn.cells.base import Network
from gluon_rnn.cells.gluon_layer import GluonLayer

DEEP = [{'cell': 'lstm', 'impl': impl, 'bidirectional': bidirectional, 'num_layers': 2, 'num_hiddens': 4}
        for impl in ('scratch', 'hybrid', 'gluon') for bidirectional in (False, True)]
DEEP += [{'cell': 'gru', 'impl': impl, 'bidirectional': True, 'num_layers': 3, 'num_hiddens': 4, 'backward_hiddens': 3}
         for impl in ('scratch', 'hybrid', 'gluon')]


def ids(config):
    return ' '.join(map(str, config.values()))


def make(seed, **config):
    gluon_rnn.seed(seed)
    network = build_network(NetworkConfig(**config), 3)
    rng = np.random.default_rng(seed)
    network.load_book_params({name: rng.normal(0, .5, value.shape) for name, value in network.book_params().items()})
    return network, nd.array(rng.normal(size=(5, 6, 3)))


def run(network, X, *, train, lengths=None):
    with autograd.record(train_mode=train):
        outputs, _ = network(X, network.begin_state(X.shape[1]), lengths)
    return outputs.asnumpy()


@pytest.mark.parametrize('config', DEEP, ids=ids)
@pytest.mark.parametrize('lengths', [None, [5, 3, 1, 2, 5, 4]], ids=['whole', 'lengths'])
def test_dropout_is_for_training_only(config, lengths):
    network, X = make(1, dropout=0.5, **config)
    plain, _ = make(1, **config)
    wanted = run(plain, X, train=True, lengths=lengths)
    np.testing.assert_allclose(run(network, X, train=False, lengths=lengths), wanted, rtol=1e-5, atol=1e-6)
    in_training = run(network, X, train=True, lengths=lengths)
    assert np.abs(in_training - wanted).max() > 1e-3
    assert np.abs(run(network, X, train=True, lengths=lengths) - in_training).max() > 1e-3      # a new mask each time


@pytest.mark.parametrize('impl', ['scratch', 'hybrid', 'gluon'])
def test_a_single_layer_has_no_place_for_dropout(impl):
    network, X = make(2, cell='gru', impl=impl, num_hiddens=4, dropout=0.9)
    np.testing.assert_array_equal(run(network, X, train=True), run(network, X, train=False))


class Recorder(Network):
    """A layer that hands on what it reads, and keeps it."""
    num_inputs = num_outputs = 200
    num_states, ctx = 0, None

    def state_shapes(self, batch_size):
        return []

    def run(self, inputs, state):
        self.read = inputs.asnumpy()
        return inputs, state


def test_dropout_acts_between_layers_and_keeps_the_mean():
    gluon_rnn.seed(3)
    layers = [Recorder(), Recorder(), Recorder()]
    X = nd.ones((10, 20, 200))
    with autograd.record():
        outputs, _ = DeepRNN(layers, dropout=0.25)(X, ())
    assert (layers[0].read == 1).all()                                      # nothing before the first layer
    kept = layers[1].read
    np.testing.assert_allclose(np.unique(kept), [0, 1 / 0.75], rtol=1e-6)   # what is kept is scaled up
    assert abs((kept == 0).mean() - 0.25) < 0.01 and abs(kept.mean() - 1) < 0.01
    assert abs((layers[2].read == 0).mean() - (1 - 0.75 ** 2)) < 0.01       # between the second and the third once more
    np.testing.assert_array_equal(outputs.asnumpy(), layers[2].read)        # nothing after the last


@pytest.mark.parametrize('impl', ['scratch', 'hybrid', 'gluon'])
def test_dropout_drops_a_quarter_in_either_implementation(impl):
    """With a second layer that averages what it reads, its mean over many draws is the one without dropout."""
    network, X = make(4, cell='rnn', impl=impl, activation='relu', num_layers=2, num_hiddens=4, dropout=0.25)
    params = {name: np.zeros_like(value) for name, value in network.book_params().items()}
    params['layer0.b_h'][:], params['layer1.W_xh'][:] = 1, 0.25             # H of layer 0 is 1; layer 1 takes the mean of 4
    network.load_book_params(params)
    X = nd.zeros((50, 100, 3))
    outputs = run(network, X, train=True)
    assert abs(outputs.mean() - 1) < 0.02
    # four hidden units, each dropped with probability 0.25: the mean of 4 scaled Bernoullis has variance 1/12
    assert abs(outputs[..., 0].var() - 1 / 12) < 0.01


@pytest.mark.parametrize('dropout', [-0.1, 1, 1.5])
def test_dropout_out_of_range(dropout):
    with pytest.raises(ValueError, match=f'dropout must be from 0 to below 1, got {dropout}'):
        NetworkConfig(num_layers=2, dropout=dropout)
    with pytest.raises(ValueError, match='dropout must be from 0 to below 1'):
        DeepRNN([Recorder()], dropout=dropout)


def test_why_gluons_own_dropout_is_refused():
    """On the CPU the fused operator takes a rate and leaves it out."""
    if mx.runtime.Features().is_enabled('CUDA'):
        pytest.skip('about the CPU')
    layer = rnn.LSTM(50, num_layers=2, dropout=0.9, input_size=3)
    layer.initialize()
    X = nd.ones((4, 2, 3))
    with autograd.record():
        one, other = layer(X), layer(X)
    np.testing.assert_array_equal(one.asnumpy(), other.asnumpy())
    with pytest.raises(ValueError, match="a fused layer's dropout does nothing"):
        GluonLayer(layer, 'lstm')
