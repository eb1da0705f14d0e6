"""What the hand-written networks are written with, against the plain operators that it stands for."""
from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, nd

from gluon_rnn.cells.ops import OneHot, dot, linear, steps


@pytest.mark.parametrize('kind', ['matrix', 'vectors', 'characters'])
def test_linear_is_a_product_and_a_bias_with_their_gradients(kind):
    """One W with two biases, so that what is made for all steps at once is not mixed up."""
    num_steps, batch_size, rng = 4, 3, np.random.default_rng(0)
    inputs = nd.array(rng.normal(size=(num_steps, batch_size, 5)))
    characters = OneHot(nd.array(rng.integers(0, 5, (num_steps, batch_size))), 5)
    rows = {'matrix': list(inputs), 'vectors': list(steps(inputs)), 'characters': list(steps(characters))}[kind]
    dense = characters.dense() if kind == 'characters' else inputs
    W, b, c = (nd.array(rng.normal(size=shape)) for shape in ((5, 2), (2,), (2,)))
    weight = nd.array(rng.normal(size=(num_steps, batch_size, 2)))
    found = {}
    for name in ('linear', 'plain'):
        for array in (W, b, c):
            array.attach_grad()
        with autograd.record():
            if name == 'linear':
                Y = nd.stack(*(linear(X, W, b) * linear(X, W, c) for X in rows))
            else:
                product = nd.dot(dense.reshape((-1, 5)), W).reshape((num_steps, batch_size, 2))
                Y = (product + b) * (product + c)
        Y.backward(weight)
        found[name] = [array.asnumpy() for array in (Y, W.grad, b.grad, c.grad)]
    for ours, wanted in zip(found['linear'], found['plain']):
        np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-6)


def test_linear_without_a_record():
    rng = np.random.default_rng(0)
    X, W, b = (nd.array(rng.normal(size=shape)) for shape in ((3, 5), (5, 2), (2,)))
    np.testing.assert_allclose(linear(X, W, b).asnumpy(), X.asnumpy() @ W.asnumpy() + b.asnumpy(), rtol=1e-5)


@pytest.mark.parametrize('product', [dot, lambda X, W: linear(X, W, nd.array([3, 4]))], ids=['dot', 'linear'])
def test_weights_made_in_passing_are_not_mixed_up(product):
    """Where one of them is freed, another soon stands at its address."""
    rng = np.random.default_rng(0)
    inputs, weights = nd.array(rng.normal(size=(6, 3, 5))), [nd.array(rng.normal(size=(5, 2))) for _ in range(5)]
    found = [product(X, W.reshape((5, 2))).asnumpy() for X in steps(inputs) for W in weights]
    wanted = [product(row, W).asnumpy() for row in inputs for W in weights]
    for ours, plain in zip(found, wanted):
        np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-5)
