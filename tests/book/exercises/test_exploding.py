"""The remedies do what their names say."""
import math

import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose

from gluon_rnn.book import diagnostics
from gluon_rnn.book.exercises import Workbench, exploding, remedies
from gluon_rnn.corpora.sampling import num_batches
from gluon_rnn.training.config import TrainConfig
from tests.book.exercises.made_up import says


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
            reach = diagnostics.reach(model, list(range(20)))
            growth[remedy.name] = reach[0] / reach[-1]
    assert growth['nothing'] > 10 and growth['orthogonal W_hh'] == pytest.approx(1, abs=0.2)


def test_an_attempt_keeps_every_norm(bench):
    tried = exploding.attempt(bench, remedies.PLAIN, 2)
    assert len(tried.perplexities) == 2 and len(tried.norms) % 2 == 0 and np.isfinite(tried.norms).all()


def test_a_training_that_broke_off_has_no_last_perplexity():
    tried = exploding.Tried(remedies.PLAIN, 2.0, np.ones(3), [5.0, 4.0], '')
    assert tried.last == 4
    assert math.isnan(exploding.Tried(remedies.PLAIN, 2.0, np.ones(3), [5.0], 'the loss is no longer finite').last)


def test_all_remedies_have_as_many_updates():
    plain = {'num_steps': remedies.NUM_STEPS, 'batch_size': remedies.BATCH_SIZE}
    sizes = [{**plain, **remedy.settings} for remedy in remedies.REMEDIES]
    counts = {num_batches(10_000, size['batch_size'], size['num_steps'], 'consecutive') for size in sizes}
    assert len(counts) == 1 and counts.pop() > 30
    assert len({size['batch_size'] * size['num_steps'] for size in sizes}) == 1


def tried(k, last, *, largest=1.0, updates=100, stopped=''):
    norms = np.ones(updates)
    norms[0] = largest
    return exploding.Tried(remedies.REMEDIES[k], 1.4, norms, [400.0, last], stopped)


def answer(plain, again, *others, known=270.0):
    first = tried(0, plain, largest=700.0, stopped='' if plain else 'the loss')
    return exploding._answer([first, *others], tried(0, again, stopped='' if again else 'the loss'), known)


def test_remedies_within_chance_are_not_told_apart():
    said = answer(400.0, 500.0, tried(1, 330.0, largest=700.0), tried(6, 310.0), tried(3, 900.0, largest=700.0))
    assert says(said, ('from another seed at 500', '换一个随机种子为 500'),
                ('No clear difference from the plain network (a factor of 1.25 or less): clip the norm to 1 (330)',
                 '没有明显差别的（不超过 1.25 倍）：范数裁剪到 1（330）'),
                ('lower than without a remedy: BPTT over 5 steps (310)', '困惑度低于无措施的：时间步数截断为 5（310）'),
                ("network's with: BPTT over 5 steps.", '十分之一的：时间步数截断为 5。'),
                ('Worse in this time: learning rate / 100 (900)', '更差的：学习率除以 100（900）'),
                ('none is below 270', '都没有低于 270'), ('updates the weights 100 times', '都更新权重 100 次'))


def test_a_winner_only_where_one_is_clear():
    said = answer(400.0, 400.0, tried(1, 100.0, largest=700.0), tried(6, 105.0))
    assert says(said, ('no clear difference between them: clip the norm to 1, BPTT over 5 steps', '彼此没有明显差别：范数裁剪'),
                ('without a remedy: clip the norm to 1 (100)', '低于无措施的：范数裁剪到 1（100）'))
    said = answer(400.0, 400.0, tried(1, 200.0), tried(6, 105.0))
    assert says(said, ('The lowest perplexity is that of "BPTT over 5 steps"', '困惑度最低的是“时间步数截断为 5”'))


def test_unequal_updates_are_named():
    said = answer(400.0, 400.0, tried(1, 200.0), tried(6, 105.0, updates=700))
    assert says(said, ('100 to 700 times, so that some may be ahead only because', '100 至 700 次，有的可能只因更新得多而领先'))


def test_a_plain_network_that_breaks_off():
    said = answer(0, 0, tried(1, 200.0, largest=np.nan), tried(6, 0, stopped='the loss'))
    assert says(said, ('ended at none: it broke off', '困惑度最后为 无（中断）'),
                ('clip the norm to 1 (200)', '范数裁剪到 1（200）'),
                ('BPTT over 5 steps (broke off)', '时间步数截断为 5（中断）'))


def test_another_seed_draws_other_recurrent_weights(bench):
    one, two = (exploding.new_model(bench, 11, remedies.PLAIN, {'cell': 'rnn', 'seed': seed}).book_params() for seed in (0, 1))
    assert np.abs(one['W_hh'] - two['W_hh']).max() > 1e-3
