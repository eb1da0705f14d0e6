"""Whether Gluon is called faster than the network by hand."""
import pytest

from gluon_rnn.book.exercises import concise


@pytest.mark.parametrize('gluon, scratch, said', [
    ([1.0, 0.9, 1.1], [2.0, 1.9, 2.1], 'faster'), ([2.0, 1.9], [1.0, 1.1], 'slower'), ([1.0, 1.2], [1.1, 1.3], 'alike')])
def test_only_where_the_slowest_epoch_is_below_the_others_fastest(gluon, scratch, said):
    assert concise.which_is_faster(gluon, scratch) == said


def test_all_ways_start_from_the_same_weights(bench):
    table = concise.faster(bench).evidence[0]
    first = {row[0]: row[table.header.index('first perplexity')] for row in table.rows}
    assert list(first) == list(concise.WAYS)
    assert list(first.values()) == pytest.approx([first['scratch']] * 4, rel=1e-4)
