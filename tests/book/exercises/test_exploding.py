"""The remedies tried on a network: gradients that grow, the norms that are kept, and what is concluded."""

import numpy as np
import pytest

from gluon_rnn.book import diagnostics
from gluon_rnn.book.exercises import Workbench, exploding, remedies
from gluon_rnn.corpora.sampling import num_batches


@pytest.mark.parametrize('cell, names', [('rnn', ['W_hh']), ('gru', ['W_hz', 'W_hr', 'W_hh'])])
def test_only_recurrent_weights_are_drawn_anew(cell, names, bench):
    remedy = remedies.Remedy('x', 'x', recurrent=lambda shape, rng: np.full(shape, 7.0))
    params = exploding.new_model(bench, 11, remedy, {'cell': cell}).book_params()
    assert sorted(name for name, value in params.items() if (value == 7).all()) == sorted(names)


def test_the_gradient_of_the_plain_network_grows_and_that_of_the_orthogonal_one_does_not():
    bench, growth = Workbench('lyrics'), {}
    for name in ('plain', 'orthogonal'):
        settings = {'cell': 'rnn', 'num_hiddens': 64, 'impl': 'scratch'}
        model = exploding.new_model(bench, 30, remedies.REMEDIES[name], settings)
        reach = diagnostics.reach(model, list(range(20)))
        growth[name] = reach[0] / reach[-1]
    assert growth['plain'] > 10 and growth['orthogonal'] == pytest.approx(1, abs=0.2)


def test_an_attempt_keeps_every_norm(bench):
    tried = exploding.attempt(bench, exploding.PLAIN, 2)
    assert len(tried.run.records) == 2 and len(tried.norms) % 2 == 0 and np.isfinite(tried.norms).all()


def test_all_remedies_have_as_many_updates():
    plain = {'num_steps': remedies.NUM_STEPS, 'batch_size': remedies.BATCH_SIZE}
    sizes = [{**plain, **remedy.settings} for remedy in remedies.REMEDIES.values()]
    counts = {num_batches(10_000, size['batch_size'], size['num_steps'], 'consecutive') for size in sizes}
    assert len(counts) == 1 and counts.pop() > 30
    assert len({size['batch_size'] * size['num_steps'] for size in sizes}) == 1


def test_another_seed_draws_other_recurrent_weights(bench):
    one, two = (exploding.new_model(bench, 11, exploding.PLAIN, {'cell': 'rnn', 'seed': seed}).book_params() for seed in (0, 1))
    assert np.abs(one['W_hh'] - two['W_hh']).max() > 1e-3


@pytest.mark.parametrize('others, said', [
    ((330.0, 900.0), 'alike'), ((310.0, 900.0), 'helps'), ((float('nan'),), 'alike')])
def test_a_remedy_helps_only_beyond_what_another_seed_does(others, said):
    ends = {'plain': 400.0, 'again': 500.0, **{str(k): value for k, value in enumerate(others)}}       # chance: 1.25
    assert exploding.whether_one_helps(ends) == said
