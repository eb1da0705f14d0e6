"""What the pictures of several exercises share."""
import numpy as np

from gluon_rnn.book.exercises.drawing import Panel, draw_panels, draw_runs, verse_lines
from gluon_rnn.book.exercises.workbench import Training
from gluon_rnn.training.config import EpochRecord


def training(label, *perplexities, **more):
    return Training(label, None, [EpochRecord(k, value, 1.0, 10.0, 0.5 * k) for k, value in enumerate(perplexities, 1)], **more)


def test_verses_stand_under_each_other():
    runs = [training('a', verses=[(1, ['old']), (2, ['x\ny', 'second'])]), training('long one')]
    assert verse_lines(runs).lines == ['a         x y', 'long one  -']


def test_perplexities_are_drawn_up_to_a_million_and_a_run_that_broke_off_says_so():
    left, right = draw_runs([training('whole', 1e7, 90.0), training('torn', 20.0, diverged='nan')]).axes
    whole, torn = left.get_lines()
    assert whole.get_ydata().tolist() == [1e6, 90] and torn.get_label() == 'torn; broke off'
    np.testing.assert_array_equal(right.get_lines()[0].get_ydata(), [0.5, 1.0])
    assert left.get_legend() is None        # the same lines as beside it
    assert [text.get_text() for text in right.get_legend().get_texts()] == ['whole', 'torn; broke off']


def test_three_panels_a_row():
    axes = draw_panels(*(Panel(f'p{k}', {f'line {k}': ([1, 2], [3, 4])}) for k in range(4))).axes
    assert [axis.get_title() for axis in axes] == ['p0', 'p1', 'p2', 'p3', '', ''] and not axes[4].axison
    assert all(axis.get_legend() for axis in axes[:4])
