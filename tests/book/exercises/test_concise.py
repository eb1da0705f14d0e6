"""What the answer about Gluon's speed says of other figures."""
import pytest

from gluon_rnn.book.exercises import concise
from tests.book.exercises.made_up import says


def answer(page, gluon, *, operators=(6000, 300), first=(646.0, 646.0), both=1100.0):
    """page, gluon: seconds of an epoch, median, lowest and highest; operators: how many of each."""
    rows = [('on the page', *page, first[0], 300.0, operators[0], operators[0] / 10),
            ('scratch', 0.5, 0.4, 0.6, first[0], 300.0, 3000, 300.0), ('hybrid', 0.3, 0.2, 0.4, first[0], 300.0, 800, 100.0),
            ('gluon', *gluon, first[1], 300.0, operators[1], operators[1] / 10)]
    return concise._answer(rows, both)


@pytest.mark.parametrize('page, gluon, verdict, why', [
    ((2.0, 1.9, 2.1), (1.0, 0.9, 1.1), ('Yes: ', '是：'), True),
    ((1.0, 0.9, 1.1), (2.0, 1.9, 2.1), ('No, not here: ', '在这里不是：'), False),
    ((1.1, 0.9, 1.3), (1.0, 0.8, 1.2), ('No clear difference here: ', '在这里没有明显差别：'), False),
])
def test_faster_or_not(page, gluon, verdict, why):
    said = answer(page, gluon)
    assert says(said, verdict) and said[0].startswith(verdict[0]) and said[1].startswith(verdict[1])
    assert ('shows why' in said[0]) == why == ('说明了原因' in said[1])


def test_more_operators_are_no_reason():
    said = answer((2.0, 1.9, 2.1), (1.0, 0.9, 1.1), operators=(300, 6000))
    assert 'shows why' not in said[0] and 'fused' not in said[0] and '融合' not in said[1]


@pytest.mark.parametrize('first, both, en, zh', [
    ((646.0, 646.0), 1119.0, 'which is 0.00% off', '相差 0.00%'),
    ((646.0, 646.0), 646.5, 'makes no difference', '没有影响'),
    ((646.0, 646.01), 1119.0, 'which is < 0.01% off', '相差 < 0.01%'),
    ((646.0, 710.6), 711.0, 'which is 10.00% off', '相差 10.00%'),
])
def test_how_far_apart_is_a_percentage(first, both, en, zh):
    said = answer((2.0, 1.9, 2.1), (1.0, 0.9, 1.1), first=first, both=both)
    assert says(said, (en, zh))
    if both > 700:
        assert says(said, ('not what sets them apart', '原因不在第二个偏置') if first[1] > 700 else ('the whole step', '一整步'))
