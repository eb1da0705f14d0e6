"""Networks that the kernels have, one for each thing that tells them apart, and small language models of them."""
import numpy as np

import gluon_rnn
from gluon_rnn import ModelConfig, build_model

CONFIGS = {
    'rnn': {'cell': 'rnn'}, 'relu': {'cell': 'rnn', 'activation': 'relu'}, 'sigmoid': {'cell': 'rnn', 'activation': 'sigmoid'},
    'gru': {'cell': 'gru'}, 'gru-reset-after': {'cell': 'gru', 'reset_after': True}, 'lstm': {'cell': 'lstm'},
    'bi-rnn': {'cell': 'rnn', 'bidirectional': True}, 'bi-gru': {'cell': 'gru', 'bidirectional': True, 'backward_hiddens': 21},
    'bi-lstm': {'cell': 'lstm', 'bidirectional': True, 'backward_hiddens': 3}, 'deep-gru': {'cell': 'gru', 'num_layers': 3},
    'deep-bi-lstm': {'cell': 'lstm', 'num_layers': 2, 'bidirectional': True, 'backward_hiddens': 7},
    'residual': {'cell': 'gru', 'num_layers': 3, 'residual': True, 'reset_after': True},
    'both-forward': {'cell': 'rnn', 'num_layers': 2, 'bidirectional': True, 'both_forward': True},
}
VOCAB_SIZE = 31
TEXT = np.random.default_rng(6).integers(0, VOCAB_SIZE, 600)


def model(impl, **config):
    """A language model of large weights, the same for each implementation."""
    gluon_rnn.seed(0)
    built = build_model(ModelConfig(vocab_size=VOCAB_SIZE, num_hiddens=19, impl=impl, **config))
    gluon_rnn.models.language_model.redraw_weights(built, 0.3)
    return built
