"""What 6.3.1 and 6.3.2 say of their figures, whatever these are."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import sampling, sentences
from gluon_rnn.book.exercises.scoring import near_lowest


def test_what_cannot_be_told_from_the_lowest():
    figures = {'a': (10.0, 1.0), 'b': (9.0, 0.5), 'c': (12.0, 4.0), 'd': (11.0, 1.0), 'e': (float('nan'), 9.0)}
    assert near_lowest(figures) == ['b', 'a', 'c'] and near_lowest({'e': (float('nan'), 1.0)}) == []


def sampled(twin, **own):
    """Rows of 6.3.1; own and held-out perplexities alike."""
    figures = {'fixed cuts': 100.0, 'fixed cuts, next seed': twin, 'anywhere': 100.0, 'consecutive': 100.0, **own}
    return [(name, 5, 1.0, value, value, 3, 0.1) for name, value in figures.items()]


@pytest.mark.parametrize('rows, english, chinese', [
    (sampled(105.0, anywhere=96.0), 'no clear difference ("anywhere" 96,', '没有明显差别（“任意位置”96、'),
    (sampled(101.0, anywhere=90.0), 'clearly best is "anywhere" 90, the others have up to 100', '明显最好的是“任意位置”90，'),
    (sampled(105.0, consecutive=200.0), 'with no clear difference between them, the others have up to 200', '之间没有明显差别，'),
    (sampled(float('nan'), anywhere=90.0), 'it cannot be compared', '无法比较')])
def test_631_names_a_winner_only_beyond_chance(rows, english, chinese):
    en, zh = sampling._answer(rows)
    assert en.count(english) == 2 and zh.count(chinese) == 2, (en, zh)


@pytest.mark.parametrize('skipped, by_length, english, chinese', [
    (900.0, 557.0, 'verse by verse, no clear difference', '没有明显差别'),
    (985.0, 557.0, 'verse by verse, better with "verses by length"', '“按长度分批的句子”更好'),
    (985.0, 650.0, 'verse by verse, better with "windows"', '“固定窗口”更好'),
    (float('nan'), 557.0, 'which cannot be compared', '无法比较')])
def test_632_takes_its_noise_from_what_is_the_same_twice(skipped, by_length, english, chinese):
    rest = 10, 4, 3, 0.5, 1.0, 100.0
    table = [('windows', *rest, 591.0, 583.0), ('verses, padding computed', *rest, 677.0, 985.0),
             ('verses, padding left out', *rest, 681.0, skipped), ('verses by length', *rest, by_length, by_length)]
    en, zh = sentences._answer(table, np.array([2, 22]))
    assert english in en and chinese in zh and 'were fastest' in en, (en, zh)
