"""What is concluded from trainings without clipping."""
import pytest

from gluon_rnn.book.exercises import by_hand

NAN = float('nan')


@pytest.mark.parametrize('bare, slower, clipped, said', [
    (NAN, NAN, 90.0, 'explodes'), (1e20, 280.0, 90.0, 'explodes'), (NAN, 95.0, 90.0, 'slow'), (80.0, 95.0, 90.0, 'trains')])
def test_without_clipping(bare, slower, clipped, said):
    ends = {'bare': bare, 'lr_10': NAN, 'lr_1': slower, 'clipped': clipped}
    assert by_hand.without_clipping(ends, 270.0) == said


def test_a_training_that_breaks_off_is_told_as_one(bench):
    outcome = by_hand.no_clipping(bench)
    ends = {row[0]: row for row in outcome.evidence[0].rows}
    assert set(ends) == {'not clipped, lr 100', 'not clipped, lr 10', 'not clipped, lr 1', 'not clipped, lr 0.1',
                         'clipped at 0.1, lr 100', 'clipped at 0.01, lr 100', 'clipped at 0.001, lr 100'}
    assert outcome.figures['clipped'] == ends['clipped at 0.01, lr 100'][2] < outcome.figures['bare']
