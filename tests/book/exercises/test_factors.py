"""Trials of hyperparameters, and which of them is called the strongest."""
import pytest

from gluon_rnn.book.exercises import factors
from gluon_rnn.book.exercises.factors import BASE, FACTORS, attempt

INF = float('inf')


@pytest.mark.parametrize('perplexities, said', [
    ({'lr': (200.0, 100.0, 90.0), 'batch_size': (100.0, 100.0, 110.0)}, 'step'),
    ({'lr': (120.0, 100.0, 90.0), 'batch_size': (10.0, 100.0, 110.0)}, 'size'),
    ({'lr': (120.0, 100.0, INF), 'batch_size': (10.0, 100.0, 110.0)}, 'step'),
    ({'clipping_theta': (INF, INF, INF), 'batch_size': (10.0, 100.0, 110.0)}, 'size')])
def test_the_strongest(perplexities, said):
    assert factors.strongest(perplexities) == said


def test_updates_are_counted_and_one_thing_is_moved(bench):
    (base, row), (_, more), (other, _) = (attempt(bench, factor, value, cell='rnn', num_epochs=2, seed=seed)
                                          for factor, value, seed in (('base', 0, 0), ('num_steps', 2, 0), ('base', 0, 1)))
    assert row['updates an epoch'] == (180 // 4 - 1) // 4 and more['updates an epoch'] == (180 // 4 - 1) // 2  # of nine tenths
    assert factors.after(base, 2) == factors.after(base, 2.9) == base.records[1].perplexity
    assert factors.after(base, 0.9) is None is factors.after(base, 3) and other.perplexity != base.perplexity
    assert all(BASE[name] == FACTORS[name][1] and len(FACTORS[name]) == 3 for name in FACTORS)
