"""Counting the products of a step, training in turns, and what is said of it."""
import pytest

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.book.exercises import Training, timing
from gluon_rnn.training.config import EpochRecord


@pytest.mark.parametrize('cell, products', [('rnn', 1), ('gru', 3), ('lstm', 4)])
def test_products_are_those_of_the_equations(cell, products):
    model = build_model(ModelConfig(cell=cell, num_hiddens=10, vocab_size=7))
    assert sorted(timing.products(model)) == [70, *[100] * products]


def test_models_take_turns(bench):
    told = []
    bench_of_turns = timing.Workbench('lyrics', quick=True, on_progress=told.append)
    vocab_size = bench_of_turns.corpus().vocab_size
    models = {f'{cell} {impl}': bench_of_turns.model(vocab_size, cell=cell, impl=impl)
              for impl in ('scratch', 'hybrid') for cell in ('rnn', 'gru')}
    runs = timing.race(bench_of_turns, models, 2)
    assert [turn.partition(':')[0] for turn in told] == [*models] * 2 and [len(run.records) for run in runs.values()] == [2] * 4
    by_hand, compiled = runs['rnn scratch'], runs['rnn hybrid']
    assert by_hand.records[1].perplexity == pytest.approx(compiled.records[1].perplexity, rel=1e-4)
    assert timing.clock(by_hand)[-1] == pytest.approx(2 * by_hand.records[1].seconds)        # the first counts as the median


def test_a_budget_is_of_an_implementation():
    bench = timing.Workbench('lyrics', quick=True)
    models = {impl: bench.model(bench.corpus().vocab_size, cell='rnn', impl=impl) for impl in ('scratch', 'hybrid')}
    runs = timing.race(bench, models, 2, {'hybrid': 0.05})
    assert len(runs['scratch'].records) == 2 and timing.clock(runs['hybrid'])[-1] >= 0.05


def trained_for(seconds, perplexities):
    records = [EpochRecord(epoch, value, s, 100.0, 0.5) for epoch, (value, s) in enumerate(zip(perplexities, seconds), 1)]
    return Training('x', None, records)


def test_what_is_read_off_in_equal_time():
    runs = {'rnn': trained_for([5.0, 1.0, 1.0, 1.0], [9.0, 8.0, 7.0, 6.0]), 'gru': trained_for([5.0, 3.0], [9.0, 5.0])}
    seconds, ends = timing.in_equal_time(runs)
    assert seconds == 4 and ends['rnn'].epoch == 4 and ends['gru'].epoch == 1       # the first epoch counts as the median


@pytest.mark.parametrize('rnn, gru, said', [
    (250.0, 310.0, 'alike'), (30.0, 20.0, 'gated'), (10.0, 20.0, 'plain'), (20.5, 20.0, 'alike')])
def test_nobody_is_ahead_on_the_plateau_or_by_chance(rnn, gru, said):
    assert timing.who_is_ahead({'rnn': rnn, 'gru': gru}, 100.0) == said


def test_one_epoch_that_was_held_up_hides_no_difference():
    rnn, gru = trained_for([1.0] * 6, [90.0] * 6), trained_for([2.0, 0.7, 2.0, 2.1, 2.0, 9.0], [80.0] * 6)
    assert timing.times_as_long(gru, rnn) == pytest.approx((2.0, 2.0, 2.1))


@pytest.mark.parametrize('gluon, scratch, said', [
    ([1.0, 0.9, 1.1], [2.0, 1.9, 2.1], 'faster'), ([2.0, 1.9], [1.0, 1.1], 'slower'), ([1.0, 1.2], [1.1, 1.3], 'alike')])
def test_only_where_the_slowest_epoch_is_below_the_others_fastest(gluon, scratch, said):
    assert timing.which_is_faster(gluon, scratch) == said


def test_all_ways_start_from_the_same_weights(shortened):
    table = shortened('6.5.1')[0].evidence[0]
    first = {row[0]: row[table.header.index('first perplexity')] for row in table.rows}
    assert list(first) == list(timing.WAYS)
    assert list(first.values()) == pytest.approx([first['scratch']] * 4, rel=1e-4)
