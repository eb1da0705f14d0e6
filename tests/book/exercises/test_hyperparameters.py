"""Trials of hyperparameters, and which of them is called the strongest."""
import pytest

from gluon_rnn.book.exercises import hyperparameters
from gluon_rnn.book.exercises.hyperparameters import BASE, FACTORS, attempt

NAN = float('nan')


@pytest.mark.parametrize('perplexities, said', [
    ({'lr': (200.0, 100.0, 90.0), 'batch_size': (100.0, 100.0, 110.0)}, 'step'),
    ({'lr': (120.0, 100.0, 90.0), 'batch_size': (10.0, 100.0, 110.0)}, 'size'),
    ({'lr': (120.0, 100.0, NAN), 'batch_size': (10.0, 100.0, 110.0)}, 'step'),
    ({'clipping_theta': (NAN, NAN, NAN), 'batch_size': (10.0, 100.0, 110.0)}, 'size')])
def test_the_strongest(perplexities, said):
    assert hyperparameters.strongest(perplexities) == said


def test_updates_are_counted_and_one_thing_is_moved(bench):
    base, more, other = (attempt(bench, factor, value, cell='rnn', num_epochs=2, seed=seed)
                         for factor, value, seed in (('base', 0, 0), ('num_steps', 4, 0), ('base', 0, 1)))
    assert base.updates == (360 // 4 - 1) // 8 and more.updates == (360 // 4 - 1) // 4     # nine tenths of a quick text
    assert base.after(2 * base.updates) == base.run.records[1].perplexity and base.after(base.updates - 1) is None
    assert base.after(3 * base.updates) is None and other.run.perplexity != base.run.perplexity
    assert all(BASE[name] == FACTORS[name][1] and len(FACTORS[name]) == 3 for name in FACTORS)
