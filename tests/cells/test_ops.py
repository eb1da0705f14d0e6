"""What the hand-written networks are written with, against the plain operators that it stands for."""
from __future__ import annotations

import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.base import MXNetError

from gluon_rnn.cells.ops import OneHot, affine, dot, linear, steps


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


def written_out(X, W_x, H, W_h, b):
    return nd.dot(X, W_x) + nd.dot(H, W_h) + b


def record_walk(gate, rows, params, walk, *, grad_req='write'):
    """H, each step's made of the last: its value, and the gradients of all parameters after two backward passes."""
    W_x, W_h, b, H = params
    for array in params:
        array.attach_grad(grad_req)
    with autograd.record():
        for t in walk:
            H = nd.tanh(gate(rows[t], W_x, H, W_h, b)) + H
        loss = H * nd.array([[1, 2], [3, -1], [2, 2]])
    loss.backward(retain_graph=True)
    loss.backward()
    return [array.asnumpy() for array in (H, *(param.grad for param in params))]


def walk_params(rng):
    return [nd.array(rng.normal(size=shape)) for shape in ((5, 2), (2, 2), (2,), (3, 2))]


@pytest.mark.parametrize('walk', [[0, 1, 2, 3], [0, 1], [1, 2, 3], [0, 0, 1, 1, 2, 3], [0, 2, 3, 1], [3]], ids=str)
@pytest.mark.parametrize('grad_req', ['write', 'add'])
@pytest.mark.parametrize('kind', ['vectors', 'characters'])
def test_affine_and_its_gradients_are_those_of_the_products(kind, grad_req, walk):
    """In whatever order the steps are made: each alone, some of them, some twice."""
    rng = np.random.default_rng(1)
    characters = OneHot(nd.array(rng.integers(0, 5, (4, 3))), 5)
    inputs, params = characters if kind == 'characters' else nd.array(rng.normal(size=(4, 3, 5))), walk_params(rng)
    dense = characters.dense() if kind == 'characters' else inputs
    found = record_walk(affine, list(steps(inputs)), params, walk, grad_req=grad_req)
    wanted = record_walk(written_out, list(dense), params, walk, grad_req=grad_req)
    for ours, plain in zip(found, wanted):
        assert np.abs(plain).max() > 1e-3
        np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-5)


def test_affine_of_any_matrix_and_without_a_record():
    rng = np.random.default_rng(2)
    params, X = walk_params(rng), nd.array(rng.normal(size=(4, 3, 5)))
    W_x, W_h, b, H = params
    for matrix, step in zip(X, steps(X)):
        wanted = written_out(matrix, W_x, H, W_h, b).asnumpy()
        np.testing.assert_allclose(affine(matrix, W_x, H, W_h, b).asnumpy(), wanted, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(affine(step, W_x, H, W_h, b).asnumpy(), wanted, rtol=1e-5, atol=1e-6)
    for ours, plain in zip(record_walk(affine, X, params, range(4)), record_walk(written_out, X, params, range(4))):
        np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('product', [dot, lambda X, W: linear(X, W, nd.array([3, 4]))], ids=['dot', 'linear'])
def test_weights_made_in_passing_are_not_mixed_up(product):
    """Where one of them is freed, another soon stands at its address."""
    rng = np.random.default_rng(0)
    inputs, weights = nd.array(rng.normal(size=(6, 3, 5))), [nd.array(rng.normal(size=(5, 2))) for _ in range(5)]
    found = [product(X, W.reshape((5, 2))).asnumpy() for X in steps(inputs) for W in weights]
    wanted = [product(row, W).asnumpy() for row in inputs for W in weights]
    for ours, plain in zip(found, wanted):
        np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-5)


def test_affine_takes_an_H_of_one_row_for_every_row():
    rng = np.random.default_rng(3)
    (W_x, W_h, b, _), X = walk_params(rng), nd.array(rng.normal(size=(2, 3, 5)))
    params = W_x, W_h, b, nd.array(rng.normal(size=(1, 2)))
    for ours, plain in zip(record_walk(affine, list(steps(X)), params, [0, 1]), record_walk(written_out, X, params, [0, 1])):
        np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-5)


def test_affine_can_be_tried_again_after_an_error():
    rng = np.random.default_rng(4)
    (W_x, W_h, b, H), X = walk_params(rng), nd.array(rng.normal(size=(1, 3, 5)))
    W_h.attach_grad()
    with autograd.record():
        step, = steps(X)
        with pytest.raises(MXNetError):
            affine(step, W_x, nd.zeros((3, 7)), W_h, b)
        Z = affine(step, W_x, H, W_h, b)
    Z.backward()
    np.testing.assert_allclose(W_h.grad.asnumpy(), H.asnumpy().T @ np.ones((3, 2)), rtol=1e-5)


@pytest.mark.parametrize('product', [dot, linear], ids=['dot', 'linear'])
def test_gradients_are_added_where_that_is_asked_for(product):
    """MXNet's `linalg_gemm2` would overwrite them."""
    rng = np.random.default_rng(5)
    X, W, b = (nd.array(rng.normal(size=shape)) for shape in ((3, 5), (5, 2), (2,)))
    arrays = [X, W] + [b] * (product is linear)
    for array in arrays:
        array.attach_grad('add')
    for times in (1, 2):
        with autograd.record():
            Y = product(*arrays)
        Y.backward()
        np.testing.assert_allclose(W.grad.asnumpy(), times * X.asnumpy().T @ np.ones((3, 2)), rtol=1e-5)
        np.testing.assert_allclose(X.grad.asnumpy(), times * np.ones((3, 2)) @ W.asnumpy().T, rtol=1e-5)
