"""The simple network is the book's equations with each activation, and its gradients their derivative."""
import numpy as np
import pytest

from gluon_rnn.cells import RNN
from tests.cells.checks import NUM_HIDDENS, NUM_INPUTS, assert_is_the_page, sigmoid

ACTIVATIONS = {'tanh': np.tanh, 'relu': lambda x: np.maximum(x, 0), 'sigmoid': sigmoid}


@pytest.mark.parametrize('activation', ACTIVATIONS)
def test_it_is_the_books_equations_and_their_derivative(activation, seed):
    def equations(p, X, H):
        H = ACTIVATIONS[activation](X @ p['W_xh'] + H @ p['W_hh'] + p['b_h'])
        return H, (H,)

    assert_is_the_page(RNN(NUM_INPUTS, NUM_HIDDENS, activation=activation), equations, seed)


def test_another_activation_is_refused():
    with pytest.raises(ValueError, match="activation must be one of tanh, relu, sigmoid, got 'softplus'"):
        RNN(NUM_INPUTS, NUM_HIDDENS, activation='softplus')
