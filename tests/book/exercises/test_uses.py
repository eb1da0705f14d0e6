"""What 6.1.2 says of its figures."""
import pytest

from gluon_rnn.book.exercises import uses


def told(gru, pairs, bits_gru, bits_pairs):
    results = [['which character of a verse is wrong', gru, pairs, 0.19, 0.0196],
               ['spaces put back into text without (F1)', 0.5, None, 0.1, 0.01]]
    bits = [('every character alike', 10.0), ('counted pairs', bits_pairs), ('GRU', bits_gru),
            ('lzma, all of the training text known', 9.0)]
    return uses._answer(results, bits, 400)


@pytest.mark.parametrize('figures, english, chinese', [
    ((0.22, 0.21, 8.41, 7.65), ['(counted pairs 21%, by chance 19%, not clearly above it)', 'in 1 of 2', 'clearly better in 0',
                                'no clear difference in 1', 'counting is better than the GRU',
                                'least of all needs "counted pairs"'],
     ['（相邻字统计 21%，随机 19%，不明显高于随机）', '2 项中有 1 项', '没有明显差别的有 1 项', '这里统计比 GRU 更好',
      '最少的是“相邻字统计”']),
    ((0.4, 0.2, 7.0, 7.65), ['by chance 19%)', 'in 2 of 2', 'clearly better in 1', 'the GRU is better'],
     ['随机 19%）', '明显更好的有 1 项', 'GRU 更好']),
    ((0.2, 0.4, 7.66, 7.65), ['clearly worse in 1', '(no clear difference)'], ['明显更差的有 1 项', '（没有明显差别）']),
    ((0.0, 0.0, float('nan'), 7.65), ['in 1 of 2', 'which cannot be compared', 'least of all needs "counted pairs"'],
     ['无法比较'])])
def test_says_what_was_measured(figures, english, chinese):
    en, zh = told(*figures)
    assert all(word in en for word in english) and all(word in zh for word in chinese), (en, zh)


def test_the_epoch_is_chosen_on_other_text_than_it_is_scored_on(bench, monkeypatch):
    given = {}
    train = type(bench).train
    monkeypatch.setattr(type(bench), 'train', lambda self, label, **how: given.update(how) or train(self, label, **how))
    outcome = uses.uses(bench)
    whole = bench.corpus(uses.CHARS)
    _, held_out = whole.split(0.1)
    assert len(given['corpus']) + len(held_out) == len(whole) and given['corpus'].idx_to_char == whole.idx_to_char
    assert given['valid_fraction'] == pytest.approx(1 / 9) and outcome.evidence[0].header[-1] == 'standard error of chance'
