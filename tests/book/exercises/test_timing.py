"""Counting what a step does, racing, and what is said of it."""
import pytest

from gluon_rnn.book.exercises import timing
from gluon_rnn.training.config import EpochRecord


@pytest.mark.parametrize('cell, products, activations', [('rnn', 1, 1), ('gru', 3, 3), ('lstm', 4, 5)])
def test_operators_are_those_of_the_equations(cell, products, activations):
    operators = timing.operators_a_step(cell)
    assert timing.products_a_step(cell) == products and operators['Activation'] == activations
    assert operators['broadcast_add'] >= products


def test_multiplications():
    assert timing.multiplications('gru', 10, 7) == 3 * 100 + 70


def test_racers_take_turns(bench):
    turns = []
    bench_of_turns = timing.Workbench('lyrics', quick=True, on_progress=turns.append)
    racers = timing.race(bench_of_turns, ('rnn', 'gru'), {'scratch': 0, 'hybrid': 0})
    assert [(racer.cell, racer.impl, len(racer.records)) for racer in racers] == [
        ('rnn', 'scratch', 2), ('gru', 'scratch', 2), ('rnn', 'hybrid', 2), ('gru', 'hybrid', 2)]
    assert [turn.partition(':')[0] for turn in turns] == ['rnn scratch', 'gru scratch', 'rnn hybrid', 'gru hybrid'] * 2
    by_hand, compiled = racers[0], racers[2]
    assert by_hand.records[1].perplexity == pytest.approx(compiled.records[1].perplexity, rel=1e-4)
    assert by_hand.seconds[-1] == pytest.approx(2 * by_hand.records[1].seconds)        # the first counts as the median


def racer(cell, seconds, perplexities, impl='hybrid'):
    records = [EpochRecord(epoch, value, s, 100.0, 0.5) for epoch, (value, s) in enumerate(zip(perplexities, seconds), 1)]
    return timing.Racer(cell, impl, {'rnn': 100, 'gru': 200}[cell], records)


def test_what_is_read_off_in_equal_time():
    racers = [racer('rnn', [5.0, 1.0, 1.0, 1.0], [9.0, 8.0, 7.0, 6.0]), racer('gru', [5.0, 3.0], [9.0, 5.0])]
    seconds, ends = timing.in_equal_time(racers)
    assert seconds == 4 and ends['rnn'].epoch == 4 and ends['gru'].epoch == 1       # the first epoch counts as the median


@pytest.mark.parametrize('rnn, gru, said', [
    (250.0, 310.0, 'alike'), (30.0, 20.0, 'gated'), (10.0, 20.0, 'plain'), (20.5, 20.0, 'alike')])
def test_nobody_is_ahead_on_the_plateau_or_by_chance(rnn, gru, said):
    assert timing.who_is_ahead({'rnn': rnn, 'gru': gru}, 100.0) == said


def test_one_epoch_that_was_held_up_hides_no_difference():
    rnn, gru = racer('rnn', [1.0] * 6, [90.0] * 6), racer('gru', [2.0, 0.7, 2.0, 2.1, 2.0, 9.0], [80.0] * 6)
    assert timing.times_as_long(gru, rnn) == pytest.approx((2.0, 2.0, 2.1))
