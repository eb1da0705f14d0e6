"""Counting what a step does, racing, and what is said of it."""
import pytest

from gluon_rnn.book.exercises import timing
from gluon_rnn.training.config import EpochRecord
from tests.book.exercises.made_up import says


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


def answer(rnn, gru, *, seconds=(1.0, 2.0), known=100.0):
    """rnn, gru: perplexities of their epochs; seconds: of an epoch of each, or of each epoch of the GRU."""
    of_gru = seconds[1] if isinstance(seconds[1], list) else [seconds[1]] * 9
    racers = [racer(cell, of, values, impl) for impl in ('scratch', 'hybrid')
              for cell, of, values in (('rnn', [seconds[0]] * 9, rnn), ('gru', of_gru, gru))]
    return timing._answer(racers, {'rnn': (1.0, 1.0), 'gru': (1.4, 2.11)}, known)


def test_on_the_plateau_nobody_is_ahead():
    said = answer([300.0, 280.0, 250.0, 200.0], [400.0, 310.0])
    assert says(said, ('too early to tell who learns faster: none is below 100', '还看不出谁学得快：都没有低于 100'))
    assert 'ahead' not in said[0] and '领先' not in said[1]


@pytest.mark.parametrize('rnn, gru, by_time, by_epoch', [
    ([90.0, 50.0, 40.0, 30.0], [90.0, 20.0], ('perplexity 20: the GRU is ahead', '困惑度 20：GRU 领先'),
     ('GRU 20: the GRU is ahead', 'GRU 20：GRU 领先')),
    ([90.0, 50.0, 20.0, 10.0], [90.0, 20.0], ('perplexity 20: the RNN is ahead', '困惑度 20：RNN 领先'),
     ('GRU 20: the GRU is ahead', 'GRU 20：GRU 领先')),
    ([90.0, 50.0, 40.0, 20.5], [90.0, 20.0], ('no clear difference between RNN and GRU', 'RNN、GRU 之间没有明显差别'),
     ('GRU 20: the GRU is ahead', 'GRU 20：GRU 领先')),
])
def test_equal_time_is_not_equal_epochs(rnn, gru, by_time, by_epoch):
    assert says(answer(rnn, gru), ('After 4 seconds', '训练 4 秒'), by_time, ('After 2 epochs each', '各训练 2 个周期'), by_epoch)


def test_no_cause_is_named_that_was_not_measured():
    said = answer([90.0, 50.0], [90.0, 20.0])
    assert says(said, ('GRU 1.40 and 2.11', '分别为 1.40 与 2.11'), ('was not measured', '没有测'))
    assert 'small operations' not in said[0] and '小运算' not in said[1]


def test_times_that_cross():
    said = answer([90.0, 50.0, 40.0, 30.0], [90.0, 20.0, 15.0, 10.0], seconds=(1.0, [9.0, 0.8, 1.1, 1.3]))
    assert says(said, ('GRU by hand 1.10 times (0.95 to 1.20, no clear difference)', '1.10 倍（0.95 至 1.20，没有明显差别）'))
    assert 'no clear difference)' not in answer([90.0, 50.0], [90.0, 20.0])[0]


def test_one_epoch_that_was_held_up_hides_no_difference():
    said = answer([90.0] * 6, [80.0] * 6, seconds=(1.0, [2.0, 0.7, 2.0, 2.1, 2.0, 9.0]))
    assert says(said, ('GRU by hand 2.00 times (2.00 to 2.10)', '2.00 倍（2.00 至 2.10）'))


def test_what_is_read_off_in_equal_time():
    racers = [racer('rnn', [5.0, 1.0, 1.0, 1.0], [9.0, 8.0, 7.0, 6.0]), racer('gru', [5.0, 3.0], [9.0, 5.0])]
    seconds, ends = timing.in_equal_time(racers)
    assert seconds == 4 and ends['rnn'].epoch == 4 and ends['gru'].epoch == 1       # the first epoch counts as the median
