"""When verses begin to be of the text."""
from gluon_rnn.book.exercises import growing


def test_the_first_epoch_at_which_half_is_of_the_text():
    rows = [(1, 600.0, 1, 0.0, float('nan')), (2, 90.0, 16, 0.5, 0.1), (3, 5.0, 20, 0.9, 0.4)]
    assert growing.first_half(rows, 3) == 2 and growing.first_half(rows, 4) is None
