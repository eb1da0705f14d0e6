"""The remedies do what their names say."""
import math

import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose

from gluon_rnn import inside
from gluon_rnn.exercises import Workbench, exploding, remedies
from gluon_rnn.training import TrainConfig


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


@pytest.mark.parametrize('cell, names', [('rnn', ['W_hh']), ('gru', ['W_hz', 'W_hr', 'W_hh'])])
def test_only_recurrent_weights_are_drawn_anew(cell, names, bench):
    remedy = remedies.Remedy('x', 'x', recurrent=lambda shape, rng: np.full(shape, 7.0))
    params = exploding.new_model(bench, 11, remedy, {'cell': cell}).book_params()
    assert sorted(name for name, value in params.items() if (value == 7).all()) == sorted(names)


def test_the_gradient_of_the_plain_network_grows_and_that_of_the_orthogonal_one_does_not():
    bench, growth = Workbench('lyrics'), {}
    for remedy in remedies.REMEDIES:
        if remedy.name in ('nothing', 'orthogonal W_hh'):
            model = exploding.new_model(bench, 30, remedy, {'cell': 'rnn', 'num_hiddens': 64, 'impl': 'scratch'})
            reach = inside.reach(model, list(range(20)))
            growth[remedy.name] = reach[0] / reach[-1]
    assert growth['nothing'] > 10 and growth['orthogonal W_hh'] == pytest.approx(1, abs=0.2)


def test_an_attempt_keeps_every_norm(bench):
    tried = exploding.attempt(bench, remedies.PLAIN, 2)
    assert len(tried.perplexities) == 2 and len(tried.norms) % 2 == 0 and np.isfinite(tried.norms).all()


def test_a_training_that_broke_off_has_no_last_perplexity():
    tried = exploding.Tried(remedies.PLAIN, 2.0, np.ones(3), [5.0, 4.0], '')
    assert tried.last == 4
    assert math.isnan(exploding.Tried(remedies.PLAIN, 2.0, np.ones(3), [5.0], 'the loss is no longer finite').last)
