"""What the answers about counts, outputs and states say of other figures."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import counting, states
from tests.book.exercises.made_up import says


def n_grams(missing, *, packed=0.4, full=15.0, power=0.6):
    """missing: of each text the part of its last four-grams that is new."""
    counted = [(f't{k}, words', 4, 10 ** 6, 100, 0.5, 0.4, share) for k, share in enumerate(missing)]
    sizes = [(f't{k}, words', 20_000, 44, full, packed, 1.0) for k in range(len(missing))]
    short = [('short, words', 4, 100, 10, 1.0, 1.0, 1.0)], [('short, words', 50, 5, 1.0, 1.0, 1.0)]       # not to be told of
    growth = {f't{k}, words': {'power': {1: 0.3, 4: power}} for k in range(len(missing))}
    return counting._answer(counted + short[0], sizes + short[1], growth)


@pytest.mark.parametrize('missing, en, zh', [
    ([0.07, 0.97], '7% to 97% were never seen before: so many must be stored', '7% 至 97% 从未出现过：要存的很多'),
    ([0.01, 0.97], 'how many are missing depends on the text', '缺多少要看文本'),
    ([0.0, 0.01], 'hardly any is missing', '几乎不缺'),
])
def test_what_is_missing(missing, en, zh):
    assert says(n_grams(missing), (en, zh))


def test_what_must_be_stored():
    assert says(n_grams([0.5]), ('takes 0.4 MB where full tables take 15.0 MB', '需要 0.4 MB，完整的表需要 15.0 MB'),
                ('single units more slowly, as length^0.30', '单个单位较慢，为 0.30 次方'))
    said = n_grams([0.5], packed=20.0, power=0.2)
    assert says(said, ('takes 20.0 MB, no less than full tables with 15.0 MB', '需要 20.0 MB，并不少于完整的表的 15.0 MB'))
    assert 'more slowly' not in said[0] and '较慢' not in said[1]


def test_outputs():
    rows = [('a', 'words', 50, 50, 1e-7, 357, 0.5), ('a', 'characters', 9, 9, 1e-7, 63, 0.2)]
    said = states._outputs_answer(rows, 6)
    assert says(said, ('in every row', '每一行都如此'), ('add up to 1', '总和为 1'), ('(6 + 1) x 50 = 357', '(6 + 1) × 50 = 357'))
    said = states._outputs_answer([(*rows[0][:3], 51, 0.3, *rows[0][5:])], 6)
    assert says(said, ('but NOT in every row', '但并非每一行'),
                ('do NOT add up to 1, but are up to 0.3 off', '并不为 1，最多相差 0.3'))


def past(trained, read, *, cut=0.0):
    felt = {'trained': {'state': np.array(trained)}, 'new': {'state': np.array([1.0, 0.2, 0.1])},
            'W_hh = 0': {'state': np.array([1.0, cut, cut])}}
    return states._past_answer(felt, {'trained': read}, [0, 1, 2], 0.1, 900)


def test_the_past_fades_or_not():
    assert says(past([1.0, 0.8, 0.1], [0.9, 0.5, 0.2]), ('every later state', '此后每一个'),
                (': that product carries the past', '正是这个乘积'),
                ('What is carried fades here', '逐渐淡去'), ('clearly above it is 2', '最远为 2 步'))
    assert says(past([1.0, 0.1, 0.8], [0.9, 0.115, 0.11], cut=0.1), ('does not fade', '并未淡去'),
                ('is 0.1. What', '为 0.1。传下来'),
                ('clearly above it is 0', '最远为 0 步'))
    assert says(past([1.0, 0.1, 0.0], [0.11, 0.115, 0.11]), ('not every later state', '并非每一个'),
                ('no distance tried is clearly above it', '都没有明显高于它'))
