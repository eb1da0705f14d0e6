"""Texts as words and back again: every rule, the unknown token, line breaks."""
import copy
import json
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon_rnn import Corpus, load_corpus
from gluon_rnn.corpora.tokens import JOINED, Vocabulary, cut, rule_of

SONG = '想要有直升机\n想要和你飞到宇宙去\n'
PROSE = 'Well, it\'s 3.14 (or so).\n"So it goes" -- a well-known line.\n'
PENN = " mr. <unk> is n't <unk> \n the u.s. N \n"


def words(text, **how):
    return Corpus.from_text(text, tokens='word', **how)


@pytest.mark.parametrize('text, rule, tokens', [
    (SONG, 'chinese', ['想要', '有', '直升机', '<eos>', '想要', '和', '你', '飞到', '宇宙', '去', '<eos>']),
    (PROSE, 'marks', ['Well', '⁀,', "it's", '3.14', '(', '⁀or', 'so', '⁀)', '⁀.', '<eos>', '"', '⁀So', 'it', 'goes', '⁀"', '-',
                      '⁀-', 'a', 'well-known', 'line', '⁀.', '<eos>']),
    (PENN, 'spaces', ['mr.', '<unk>', 'is', "n't", '<unk>', '<eos>', 'the', 'u.s.', 'N', '<eos>']),
])
def test_each_rule(text, rule, tokens):
    assert rule_of(text) == rule
    assert cut(text, rule) == [token.replace('⁀', JOINED) for token in tokens]
    made = words(text)
    assert made.idx_to_char == tuple(sorted(set(cut(text, rule)))) and made.idx_to_char.rule == rule
    assert made.encode(text) == made.indices.tolist() and made.indices.dtype == np.int32
    assert made.chars_per_token == len(text) / len(tokens)


@pytest.mark.parametrize('text', [SONG, PROSE, '今天 hello world, 天气好\n'])
def test_words_are_joined_as_they_were(text):
    made = words(text)
    assert made.decode(made.indices) == text
    for cut_at in range(len(made)):     # a continuation stands behind its prefix as it stood in the text
        before = made.decode(made.indices[:cut_at])
        assert before + made.idx_to_char.decode(made.indices[cut_at:], after=before) == text


@given(st.text(alphabet='ab9 .,\n(\'"-', min_size=1).filter(str.strip))
def test_but_for_runs_of_spaces(text):
    made = words(text)
    lines = [' '.join(line.split()) for line in text.split('\n')]
    assert made.decode(made.indices) == '\n'.join(lines)


def test_rare_words_are_unknown():
    made = words('b a b c a b', min_count=2)
    assert made.idx_to_char == ('<unk>', 'a', 'b') and made.indices.tolist() == [2, 1, 2, 0, 1, 2]
    assert made.encode('a new b') == [1, 0, 2]
    assert words('b a b').idx_to_char == ('a', 'b')
    with pytest.raises(ValueError, match=r"'c', 'd' is not in the vocabulary of 2 words.*min_count of 2"):
        words('b a b').encode('d b c')


def test_a_second_text_keeps_the_first_ones_words():
    first = words('b a b')
    second = words('c b', known=first.idx_to_char)
    assert second.idx_to_char == ('a', 'b', 'c') and second.indices.tolist() == [2, 1]
    rare = words('b a b c', min_count=2)
    assert words('d b', known=rare.idx_to_char).indices.tolist() == [0, 1]
    penn = words('<unk> (a)')
    assert words('(a) <unk>', known=penn.idx_to_char).indices.tolist() == [0, 1][::1]


def test_line_breaks_in_a_prefix_are_understood_in_both_cases(tmp_path):
    (tmp_path / 'a.txt').write_bytes(b'one two\r\nthree\rfour\n')
    for tokens in ('char', 'word'):
        kept, spaced = [load_corpus(str(tmp_path / 'a.txt'), tokens=tokens, keep_lines=keep) for keep in (True, False)]
        assert kept.decode(kept.indices) == 'one two\nthree\nfour\n'
        assert spaced.decode(spaced.indices).rstrip() == 'one two three four'
        for end in ('\n', '\r\n', '\r'):
            assert kept.decode(kept.encode(f'two{end}four')) == 'two\nfour'
            assert spaced.decode(spaced.encode(f'two{end}four')) == 'two four'


def test_the_books_corpora_are_cut_as_the_book_does(needs_corpus):
    assert '\n' not in needs_corpus('jaychou').char_to_idx
    assert '\n' in load_corpus('jaychou', keep_lines=True).char_to_idx
    assert '<eos>' in load_corpus('lyrics', tokens='word', keep_lines=True).char_to_idx


def test_chinese_words_without_their_segmenter(monkeypatch):
    monkeypatch.setitem(sys.modules, 'rjieba', None)
    with pytest.raises(ImportError, match='pip install rjieba'):
        words(SONG)


@pytest.mark.parametrize('how, told', [({'tokens': 'syllable'}, 'tokens must be one of char, word'),
                                       ({'tokens': 'word', 'min_count': 0}, 'min_count must be 1 or more, got 0'),
                                       ({'min_count': 2}, 'min_count is for words only')])
def test_errors(how, told):
    with pytest.raises(ValueError, match=told):
        Corpus.from_text('a b', **how)


def test_nothing_but_spaces():
    with pytest.raises(ValueError, match='no words'):
        words(' \t ')


def test_a_vocabulary_is_kept_whole():
    vocabulary = words(PROSE).idx_to_char
    for again in (Vocabulary.from_dict(json.loads(json.dumps(vocabulary.as_dict()))), copy.deepcopy(vocabulary),
                  pickle.loads(pickle.dumps(vocabulary)), Vocabulary.of(vocabulary)):
        assert again == vocabulary and again.rule == 'marks' and again.to_idx == vocabulary.to_idx
    assert Vocabulary.of(['a', 'b']).as_dict() == {'vocabulary': 'ab'}
