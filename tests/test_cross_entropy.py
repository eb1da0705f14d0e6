"""The trainer's loss and its gradient are those of MXNet's own cross entropy."""
from __future__ import annotations

import numpy as np
from mxnet import autograd, gluon, nd
from numpy.testing import assert_allclose

from gluon_rnn.training import cross_entropy


def test_loss_and_gradient():
    rng = np.random.default_rng(8)
    logits, y = nd.array(rng.normal(scale=3, size=(12, 7))), nd.array(rng.integers(7, size=12))
    loss, gradient = cross_entropy(logits, y)
    logits.attach_grad()
    with autograd.record():
        wanted = gluon.loss.SoftmaxCrossEntropyLoss()(logits, y).mean()
    wanted.backward()
    assert loss.shape == (1,)
    assert_allclose(loss.asscalar(), wanted.asscalar(), rtol=1e-6)
    assert_allclose(gradient.asnumpy(), logits.grad.asnumpy(), rtol=1e-5, atol=1e-6)


def test_a_label_thought_impossible_has_a_large_but_finite_loss():
    loss, gradient = cross_entropy(nd.array([[1000.0, -1000.0]]), nd.array([1]))
    assert 80 < loss.asscalar() < 100
    assert_allclose(gradient.asnumpy(), [[1, -1]])
