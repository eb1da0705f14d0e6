"""The remedies tried on a network: gradients that grow, the norms that are kept, and what is concluded."""
import math

import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose

from gluon_rnn.book import diagnostics
from gluon_rnn.book.exercises import Workbench, exploding
from gluon_rnn.corpora.sampling import num_batches
from gluon_rnn.training.config import TrainConfig


@pytest.mark.parametrize('cell, names', [('rnn', ['W_hh']), ('gru', ['W_hz', 'W_hr', 'W_hh'])])
def test_only_recurrent_weights_are_drawn_anew(cell, names, bench):
    remedy = exploding.Remedy(('x', '某'), recurrent=lambda shape, rng: np.full(shape, 7.0))
    params = exploding.new_model(bench, 11, remedy, {'cell': cell}).book_params()
    assert sorted(name for name, value in params.items() if (value == 7).all()) == sorted(names)


def test_the_gradient_of_the_plain_network_grows_and_that_of_the_orthogonal_one_does_not():
    bench, growth = Workbench('lyrics'), {}
    for name in ('plain', 'orthogonal'):
        settings = {'cell': 'rnn', 'num_hiddens': 64, 'impl': 'scratch'}
        model = exploding.new_model(bench, 30, exploding.REMEDIES[name], settings)
        reach = diagnostics.reach(model, list(range(20)))
        growth[name] = reach[0] / reach[-1]
    assert growth['plain'] > 10 and growth['orthogonal'] == pytest.approx(1, abs=0.2)


def test_an_attempt_keeps_every_norm(bench):
    run, row = exploding.attempt(bench, exploding.REMEDIES['plain'], 2)
    assert len(run.records) == 2 and row['updates'] % 2 == 0 and 0 < row['median norm'] <= row['largest norm'] < np.inf


def test_all_remedies_have_as_many_updates():
    plain = {'num_steps': exploding.NUM_STEPS, 'batch_size': exploding.BATCH_SIZE}
    sizes = [{**plain, **remedy.settings} for remedy in exploding.REMEDIES.values()]
    counts = {num_batches(10_000, size['batch_size'], size['num_steps'], 'consecutive') for size in sizes}
    assert len(counts) == 1 and counts.pop() > 30
    assert len({size['batch_size'] * size['num_steps'] for size in sizes}) == 1


def test_another_seed_draws_other_recurrent_weights(bench):
    one, two = (exploding.new_model(bench, 11, exploding.REMEDIES['plain'], {'cell': 'rnn', 'seed': seed}).book_params()
                for seed in (0, 1))
    assert np.abs(one['W_hh'] - two['W_hh']).max() > 1e-3


@pytest.mark.parametrize('others, said', [
    ((330.0, 900.0), 'alike'), ((310.0, 900.0), 'helps'), ((math.inf,), 'alike')])
def test_a_remedy_helps_only_beyond_what_another_seed_does(others, said):
    ends = {'plain': 400.0, 'again': 500.0, **{str(k): value for k, value in enumerate(others)}}       # chance: 1.25
    assert exploding.whether_one_helps(ends) == said


def stepped(config, limit=0):
    """A weight, its gradient and its next value after one step of `Watched`."""
    weight = nd.array([1.0, -2.0, 3.0])
    weight.attach_grad()
    before = weight.asnumpy()
    weight.grad[:] = gradient = np.array([0.5, -0.01, -30.0])
    optimizer = exploding.Watched({'w': weight}, config, limit)
    norm = optimizer.step()
    assert_allclose(norm.asnumpy(), [np.linalg.norm(gradient)], rtol=1e-6)      # before anything is done to it
    assert optimizer.norms == [norm]
    return before, gradient, weight.asnumpy()


def test_clipping_by_value():
    before, gradient, after = stepped(TrainConfig(lr=2, clipping_theta=0), 0.1)
    assert_allclose(after, before - 2 * np.clip(gradient, -0.1, 0.1), rtol=1e-6)


def test_nothing_but_watched():
    before, gradient, after = stepped(TrainConfig(lr=2, clipping_theta=1))
    assert_allclose(after, before - 2 * gradient / np.linalg.norm(gradient), rtol=1e-6)


def test_recurrent_weights():
    rng = np.random.default_rng(0)
    assert_allclose(np.linalg.svd(exploding.orthogonal((30, 30), rng), compute_uv=False), 1, rtol=1e-6)
    W = exploding.exploding_weights((200, 200), rng)
    assert W.std() == pytest.approx(exploding.GAIN / math.sqrt(200), rel=0.02)
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(exploding.GAIN, rel=0.1)      # above 1: it can explode
