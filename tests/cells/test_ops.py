"""What the hand-written networks are written with."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mxnet import autograd, nd

from gluon_rnn.cells import NetworkConfig
from gluon_rnn.cells.ops import OneHot, dot, steps
from tests.cells.checks import NUM_INPUTS, assert_same, book_gradients, build, randomize


@pytest.mark.parametrize('num_steps', [1, 4])
@pytest.mark.parametrize('grad_req', ['write', 'add'])
@pytest.mark.parametrize('kind', ['vectors', 'characters'])
def test_dot_of_each_step_is_the_product_with_its_gradients(kind, grad_req, num_steps):
    """A character that comes again adds to the gradient of its row."""
    rng, times = np.random.default_rng(0), 2 if grad_req == 'add' else 1
    characters = OneHot(nd.array(rng.integers(0, 5, (num_steps, 3))), 5)
    inputs = characters if kind == 'characters' else nd.array(rng.normal(size=(num_steps, 3, 5)))
    dense = (characters.dense() if kind == 'characters' else inputs).asnumpy()
    W, weight = nd.array(rng.normal(size=(5, 2))), rng.normal(size=(num_steps, 3, 2)).astype('float32')
    W.attach_grad(grad_req)
    for _ in range(2):
        with autograd.record():
            rows = steps(inputs)
            assert len(rows) == num_steps and {X.shape for X in rows} == {(3, 5)}
            Y = nd.stack(*(dot(X, W) for X in rows))
        Y.backward(nd.array(weight))
    np.testing.assert_allclose(Y.asnumpy(), dense @ W.asnumpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(W.grad.asnumpy(), times * np.einsum('tbi,tbo->io', dense, weight), rtol=1e-5, atol=1e-5)


def test_steps_hand_the_gradient_back():
    X = nd.array(np.random.default_rng(1).normal(size=(3, 2, 4)))
    X.attach_grad()
    with autograd.record():
        total = sum(((t + 1) * row).sum() for t, row in enumerate(steps(X)))
    total.backward()
    np.testing.assert_array_equal(X.grad[:, 0, 0].asnumpy(), [1, 2, 3])


def test_one_hot_vectors_of_another_length_are_refused():
    """A gather would take the wrong rows without a word."""
    with pytest.raises(ValueError, match='one-hot vectors must have 5 columns, got 4'):
        dot(OneHot(nd.array([0, 1]), 4), nd.ones((5, 2)))


@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
@pytest.mark.parametrize('config', [NetworkConfig('rnn'), NetworkConfig('gru'), NetworkConfig('lstm', bidirectional=True),
                                    NetworkConfig('gru', num_layers=2)], ids=lambda config: f'{config.cell}-{config.num_layers}')
def test_indices_equal_one_hot_vectors(config, impl):
    network = build(replace(config, impl=impl))
    randomize(network)
    indices = nd.array([[0, 3, 3], [1, 0, 2], [3, 3, 0], [2, 2, 2]])       # characters come again, so gradients add up
    results = []
    for X in (OneHot(indices, NUM_INPUTS), nd.one_hot(indices, NUM_INPUTS)):
        with autograd.record():
            H, state = network(X, network.begin_state(3))
            (H ** 2).sum().backward()
        results.append(({'H': H.asnumpy(), 'last': state[0].asnumpy()}, book_gradients(network)))
    assert_same(*results)
