"""Trainings without clipping, verses that grow, and states that are not detached."""
import numpy as np
import pytest
from mxnet import autograd, nd

from gluon_rnn.book.exercises import by_hand

INF = float('inf')


@pytest.mark.parametrize('bare, slower, clipped, said', [
    (INF, INF, 90.0, 'explodes'), (1e20, 280.0, 90.0, 'explodes'), (INF, 95.0, 90.0, 'slow'), (80.0, 95.0, 90.0, 'trains')])
def test_without_clipping(bare, slower, clipped, said):
    ends = {'bare': bare, 'lr_10': INF, 'lr_1': slower, 'clipped': clipped}
    assert by_hand.without_clipping(ends, 270.0) == said


def test_a_training_that_breaks_off_is_told_as_one(shortened):
    outcome, _ = shortened('6.4.2')
    ends = {row[0]: row for row in outcome.evidence[0].rows}
    assert set(ends) == {'not clipped, lr 100', 'not clipped, lr 10', 'not clipped, lr 1', 'not clipped, lr 0.1',
                         'clipped at 0.1, lr 100', 'clipped at 0.01, lr 100', 'clipped at 0.001, lr 100'}
    assert outcome.figures['clipped'] == ends['clipped at 0.01, lr 100'][2] < outcome.figures['bare']


def test_the_first_epoch_at_which_half_is_of_the_text():
    rows = [{'epoch': epoch, by_hand.THREES: threes, by_hand.SIXES: sixes}
            for epoch, threes, sixes in ((1, 0.0, float('nan')), (2, 0.5, 0.1), (3, 0.9, 0.4))]
    assert by_hand.first_half(rows, by_hand.THREES) == 2 and by_hand.first_half(rows, by_hand.SIXES) is None


def test_a_kept_graph_mixes_old_states_with_new_weights():
    x, w = nd.ones((1,)), nd.array([0.5])
    x.attach_grad()
    with autograd.record():
        y = nd.tanh(x * w)
    w[:] = 2        # as an update does
    y.backward()
    assert x.grad.asscalar() == pytest.approx((1 - np.tanh(0.5) ** 2) * 2)      # tanh's slope at the old, the weight the new


def test_weights_are_held_where_asked(bench):
    _, trained = by_hand.train_batches(bench, 'detached', 2)
    held = {name: value + 0.1 for name, value in trained.items()}
    (short, weights), (whole, kept) = (by_hand.train_batches(bench, way, 3, held) for way in ('detached', 'graph kept'))
    assert all((found[name] == value).all() for found in (weights, kept) for name, value in held.items())
    assert all(one['loss'] == other['loss'] for one, other in zip(short, whole))
    assert short[0]['norm'] == whole[0]['norm'] and short[2]['norm'] != whole[2]['norm']
    assert whole[2]['operators'] > whole[1]['operators'] > short[1]['operators'] == short[2]['operators']
