"""The implementation that is taken where nobody asks for one."""
import mxnet as mx
import pytest

from gluon_rnn import ModelConfig
from gluon_rnn.cells.default import default_impl


@pytest.mark.parametrize('config, impl', [
    ({'cell': 'rnn'}, 'gluon'), ({'cell': 'rnn', 'activation': 'relu'}, 'gluon'),
    ({'cell': 'rnn', 'activation': 'sigmoid'}, 'hybrid'),
    ({'cell': 'lstm', 'num_layers': 3, 'bidirectional': True}, 'gluon'),
    ({'cell': 'lstm', 'num_layers': 2, 'residual': True}, 'hybrid'),
    ({'cell': 'gru'}, 'hybrid'), ({'cell': 'gru', 'reset_after': True}, 'gluon'),
    ({'cell': 'gru', 'reset_after': False}, 'hybrid'),
    ({'cell': 'clockwork'}, 'hybrid'),
], ids=str)
def test_on_a_gpu_cudnn_where_it_has_the_equations(config, impl):
    config = ModelConfig(vocab_size=3, **config)
    assert default_impl(config, mx.gpu(0)) == impl
    assert default_impl(config, mx.cpu()) == 'scratch'
