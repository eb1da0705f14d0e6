"""Counting what a step does, and racing."""
import pytest

from gluon_rnn.exercises import timing


@pytest.mark.parametrize('cell, products, activations', [('rnn', 1, 1), ('gru', 3, 3), ('lstm', 4, 5)])
def test_operators_are_those_of_the_equations(cell, products, activations):
    operators = timing.operators_a_step(cell)
    assert operators['dot'] == products and operators['Activation'] == activations
    assert operators['broadcast_add'] >= 2 * products


def test_multiplications():
    assert timing.multiplications('gru', 10, 7) == 3 * 100 + 70


def test_racers_take_turns(bench):
    turns = []
    bench_of_turns = timing.Workbench('lyrics', quick=True, on_progress=turns.append)
    racers = timing.race(bench_of_turns, ('rnn', 'gru'), ('scratch', 'hybrid'), 0)
    assert [(racer.cell, racer.impl, len(racer.records)) for racer in racers] == [
        ('rnn', 'scratch', 2), ('gru', 'scratch', 2), ('rnn', 'hybrid', 2), ('gru', 'hybrid', 2)]
    assert [turn.partition(':')[0] for turn in turns] == ['rnn scratch', 'gru scratch', 'rnn hybrid', 'gru hybrid'] * 2
    by_hand, compiled = racers[0], racers[2]
    assert by_hand.records[1].perplexity == pytest.approx(compiled.records[1].perplexity, rel=1e-4)
    assert by_hand.seconds[-1] == pytest.approx(2 * by_hand.records[1].seconds)        # the first counts as the median
