"""The LSTM is the book's equations, and its gradients their derivative."""
import numpy as np

from gluon_rnn.cells import LSTM
from tests.cells.checks import NUM_HIDDENS, NUM_INPUTS, assert_is_the_page, sigmoid


def equations_lstm(p, X, H, C):
    I, F, O = (sigmoid(X @ p[f'W_x{gate}'] + H @ p[f'W_h{gate}'] + p[f'b_{gate}']) for gate in 'ifo')
    C = F * C + I * np.tanh(X @ p['W_xc'] + H @ p['W_hc'] + p['b_c'])
    H = O * np.tanh(C)
    return H, (H, C)


def test_it_is_the_books_equations_and_their_derivative(seed):
    assert_is_the_page(LSTM(NUM_INPUTS, NUM_HIDDENS), equations_lstm, seed)
