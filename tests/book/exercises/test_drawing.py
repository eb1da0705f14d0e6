"""What the pictures of several exercises share."""
import numpy as np

from gluon_rnn.book.exercises.drawing import draw_runs, verse_lines, verse_of
from gluon_rnn.book.exercises.workbench import Training
from gluon_rnn.training.config import EpochRecord


def training(label, *perplexities, **more):
    return Training(label, None, [EpochRecord(k, value, 1.0, 10.0, 0.5 * k) for k, value in enumerate(perplexities, 1)], **more)


def test_verses_stand_under_each_other():
    runs = [training('a', verses=[(1, ['old']), (2, ['x\ny', 'second'])]), training('long one')]
    assert [verse_of(run) for run in runs] == ['x y', '-']
    assert verse_lines(runs).lines == ['a         x y', 'long one  -']


def test_perplexities_are_drawn_up_to_a_million_and_a_run_that_broke_off_says_so():
    figure = draw_runs([training('whole', 1e7, 90.0), training('torn', 20.0, diverged='nan')])
    left, right = figure.axes
    whole, torn = left.get_lines()
    assert whole.get_ydata().tolist() == [1e6, 90] and left.get_title() == 'drawn up to 1,000,000'
    assert torn.get_label() == 'torn; broke off' and torn.get_marker() == 'x' and whole.get_marker() == 'None'
    np.testing.assert_array_equal(right.get_lines()[0].get_ydata(), [0.5, 1.0])
    assert [text.get_text() for text in right.get_legend().get_texts()] == ['whole', 'torn; broke off']
