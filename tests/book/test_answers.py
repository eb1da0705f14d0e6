"""The written answers: in both languages the same places and conclusions, and figures put into them."""
import re

import numpy as np
import pytest

from gluon_rnn.book import answers

CHINESE = re.compile('[\u4e00-\u9fff]')


@pytest.mark.parametrize('number', answers.numbers())
def test_both_languages_say_the_same(number):
    en, zh = (answers.read_answer(number, language) for language in answers.LANGUAGES)
    assert en.number == zh.number == number and set(en.places()) == set(zh.places())
    assert list(en.conclusions) == list(zh.conclusions) and len(en.conclusions) in (0, 2, 3)
    for text in (en.question, *en.paragraphs, *en.conclusions.values()):
        assert text and not CHINESE.search(text)
    for text in (zh.question, *zh.paragraphs, *zh.conclusions.values()):
        assert CHINESE.search(text) and not re.search(f'{CHINESE.pattern} {CHINESE.pattern}', text), text


@pytest.mark.parametrize('number', answers.numbers())
def test_without_measurements_no_place_is_left_open(number):
    for text in (*answers.answer(number), answers.show(number).data):
        assert text and '{' not in text and '}' not in text


def test_figures_stand_in_their_places():
    places = answers.read_answer('6.4.2', 'en').places()
    figures = {**dict.fromkeys(places, 1.5), 'clipped': np.float32(87.17), 'single': 12345.6, 'bare': float('nan'),
               'bare_epochs': 0}
    en, zh = answers.answer('6.4.2', figures, 'explodes')
    for text in (en, zh):
        assert '87.17' in text and '12,346' in text and 'nan' not in text and '–' in text
    assert en.endswith('than clipping does.') and zh.endswith('不如裁剪。')
    with pytest.raises(ValueError, match="needs the figure 'clipped'"):
        answers.answer('6.4.2', {name: 1 for name in places if name != 'clipped'})
    with pytest.raises(ValueError, match="has no conclusion 'wins': choose from explodes"):
        answers.answer('6.4.2', figures, 'wins')


def test_words_among_the_figures_are_in_the_language_of_the_text():
    figures = dict.fromkeys(answers.read_answer('6.6.1', 'en').places(), 1.5)
    en, zh = answers.answer('6.6.1', {**figures, 'best': ('weight decay', '权重衰减')}, 'helps')
    assert '"weight decay"' in en and not CHINESE.search(en)
    assert '“权重衰减”' in zh and 'weight decay' not in zh


def test_an_exercise_that_there_is_not():
    with pytest.raises(ValueError, match=r"unknown exercise '6.4': choose from 6.1.1, 6.1.2, 6.2.1.* 6.10.1, 6.10.2$"):
        answers.question('6.4')
