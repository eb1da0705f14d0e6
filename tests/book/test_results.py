"""A published figure beside ours."""
import pytest

from gluon_rnn.book.results import Comparison


@pytest.mark.parametrize(('theirs', 'ours', 'reached', 'printed'), [
    ('1.1', 1.149, True, '1.15'), ('1.1', 1.151, False, '1.15'), ('1.31', 1.3149, True, '1.31'), ('1.31', 1.3151, False, '1.32'),
    ('1.0013', 1.0013, True, '1.0013'), ('211', 211.4, True, '211.40'), ('211', 212, False, '212.00'), ('1.0', None, False, ''),
])
def test_read_with_the_decimals_that_were_printed(theirs, ours, reached, printed):
    comparison = Comparison(('', ''), 1, theirs, ours, ('', ''))
    assert (comparison.reached, comparison.ours_printed) == (reached, printed)
