"""The gated recurrent unit: the book's equations and their derivative, in both forms, and which of them is Gluon's."""
import numpy as np
import pytest
from mxnet import nd

from gluon_rnn.cells import GRU
from gluon_rnn.cells.gru import gluon_gru
from tests.cells.checks import (
    BATCH_SIZE,
    NUM_HIDDENS,
    NUM_INPUTS,
    assert_close,
    assert_is_the_page,
    assert_same,
    normal,
    randomize,
    run,
    sigmoid,
)


def equations_gru(p, X, H):
    Z = sigmoid(X @ p['W_xz'] + H @ p['W_hz'] + p['b_z'])
    R = sigmoid(X @ p['W_xr'] + H @ p['W_hr'] + p['b_r'])
    H = Z * H + (1 - Z) * np.tanh(X @ p['W_xh'] + (R * H) @ p['W_hh'] + p['b_h'])
    return H, (H,)


def equations_gru_reset_after(p, X, H):
    Z = sigmoid(X @ p['W_xz'] + H @ p['W_hz'] + p['b_z'])
    R = sigmoid(X @ p['W_xr'] + H @ p['W_hr'] + p['b_r'])
    H = Z * H + (1 - Z) * np.tanh(X @ p['W_xh'] + R * (H @ p['W_hh'] + p['b_hh']) + p['b_h'])
    return H, (H,)


@pytest.mark.parametrize('options, equations', [({}, equations_gru),
                                                ({'reset_after': True, 'inner_bias': True}, equations_gru_reset_after)],
                         ids=['book', 'reset-after'])
def test_it_is_the_books_equations_and_their_derivative(options, equations, seed):
    assert_is_the_page(GRU(NUM_INPUTS, NUM_HIDDENS, **options), equations, seed)


def test_gru_with_gluons_inner_bias(seed):
    gluon = gluon_gru(NUM_INPUTS, NUM_HIDDENS)
    for param in gluon.parameters().values():
        param[:] = normal(*param.shape, scale=0.6)
    scratch = GRU(NUM_INPUTS, NUM_HIDDENS, reset_after=True, inner_bias=True)
    scratch.load_book_params(gluon.book_params())
    inputs = [normal(num_steps, BATCH_SIZE, NUM_INPUTS) for num_steps in (3, 4)]
    state = [normal(BATCH_SIZE, NUM_HIDDENS)]
    outputs, grads = run(scratch, inputs, state, seed)
    inner = grads.pop('b_hh')
    assert_same((outputs, grads), run(gluon, inputs, state, seed))
    assert_close(inner, gluon.parameters()['l0_h2h_bias'].grad.asnumpy()[-NUM_HIDDENS:])


def test_the_books_gru_is_not_gluons(seed):
    """The book resets the state before the product with W_hh, Gluon the product: one set of weights, two networks."""
    gluon, book = gluon_gru(NUM_INPUTS, NUM_HIDDENS), GRU(NUM_INPUTS, NUM_HIDDENS)
    randomize(gluon)
    book.load_book_params(gluon.book_params())
    X, state = nd.array(normal(3, BATCH_SIZE, NUM_INPUTS)), normal(BATCH_SIZE, NUM_HIDDENS)
    H_gluon, _ = gluon(X, (nd.array(state[None]),))
    H_book, _ = book(X, (nd.array(state),))
    assert np.abs(H_gluon.asnumpy() - H_book.asnumpy()).max() > 0.05


def test_an_inner_bias_needs_its_place():
    with pytest.raises(ValueError, match='inner_bias needs reset_after=True'):
        GRU(NUM_INPUTS, NUM_HIDDENS, inner_bias=True)
