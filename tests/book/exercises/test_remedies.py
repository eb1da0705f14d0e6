"""The remedies: the step that each takes, and the weights that it draws."""
import math

import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose

from gluon_rnn.book.exercises import remedies
from gluon_rnn.training.config import TrainConfig


def stepped(config, **remedy):
    """A weight, its gradient and its next value after one step of `Watched`."""
    weight = nd.array([1.0, -2.0, 3.0])
    weight.attach_grad()
    before = weight.asnumpy()
    weight.grad[:] = gradient = np.array([0.5, -0.01, -30.0])
    updater = remedies.Watched({'w': weight}, config, **remedy)
    norm = updater.step()
    assert_allclose(norm.asnumpy(), [np.linalg.norm(gradient)], rtol=1e-6)      # before anything is done to it
    assert updater.norms == [norm]
    return before, gradient, weight.asnumpy()


def test_clipping_by_value():
    before, gradient, after = stepped(TrainConfig(lr=2, clipping_theta=0), limit=0.1)
    assert_allclose(after, before - 2 * np.clip(gradient, -0.1, 0.1), rtol=1e-6)


def test_weight_decay():
    before, gradient, after = stepped(TrainConfig(lr=2, clipping_theta=0), decay=0.25)
    assert_allclose(after, 0.75 * before - 2 * gradient, rtol=1e-6)


def test_nothing_but_watched():
    before, gradient, after = stepped(TrainConfig(lr=2, clipping_theta=1))
    assert_allclose(after, before - 2 * gradient / np.linalg.norm(gradient), rtol=1e-6)


def test_recurrent_weights():
    rng = np.random.default_rng(0)
    assert_allclose(np.linalg.svd(remedies.orthogonal((30, 30), rng), compute_uv=False), 1, rtol=1e-6)
    W = remedies.exploding_weights((200, 200), rng)
    assert W.std() == pytest.approx(remedies.GAIN / math.sqrt(200), rel=0.02)
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(remedies.GAIN, rel=0.1)      # above 1: it can explode
