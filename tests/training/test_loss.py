"""The loss, its gradient, and the parts that add up to the loss of a text."""

import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from numpy.testing import assert_allclose

from gluon_rnn.training.loss import cross_entropy


def test_loss_and_gradient_are_gluons():
    logits = nd.random.normal(scale=3, shape=(12, 9))
    y = nd.array(np.random.randint(0, 9, 12))
    logits.attach_grad()
    with autograd.record():
        expected = gluon.loss.SoftmaxCrossEntropyLoss()(logits, y).mean()
    expected.backward()
    expected_grad = logits.grad.asnumpy()
    loss, gradient = cross_entropy(logits, y)
    assert loss.shape == (1,)
    assert_allclose(loss.asscalar(), expected.asscalar(), rtol=1e-6)
    assert_allclose(gradient.asnumpy(), expected_grad, rtol=2e-5, atol=1e-6)


def test_a_label_thought_impossible_has_a_large_but_finite_loss():
    loss, gradient = cross_entropy(nd.array([[1000.0, -1000.0]]), nd.array([1]))
    assert_allclose(loss.asscalar(), 2000)
    assert_allclose(gradient.asnumpy(), [[1, -1]])


@pytest.mark.parametrize('apart', [0, 1, 80, 88, 104, 200, 1e4, 1e30])
def test_the_loss_is_right_however_small_the_probability(apart):
    """-log softmax in float64, below the smallest float32 too."""
    logits = np.array([[0, apart], [0, apart]], dtype=np.float32)
    expected = np.mean([np.logaddexp(0, apart), np.logaddexp(0, -apart)])
    assert_allclose(cross_entropy(nd.array(logits), nd.array([0, 1]))[0].asscalar(), expected, rtol=1e-6)
