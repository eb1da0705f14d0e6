"""Each exercise shortened, and the frame that they stand in."""
import json
import math
import re

import numpy as np
import pytest

from gluon_rnn.book import answers
from gluon_rnn.book.exercises import EXERCISES, Outcome, frame
from gluon_rnn.tables import Table

CHINESE = re.compile('[\u4e00-\u9fff]')
LONG = {'6.6.1', '6.7.1', '6.7.2', '6.10.2'}        # take seconds, shortened


@pytest.mark.parametrize('number', [pytest.param(number, marks=[pytest.mark.slow] * (number in LONG)) for number in EXERCISES])
def test_every_exercise_shortened(number, shortened, tmp_path):
    outcome, note = shortened(number)
    for en, zh in (answers.question(number), frame.answer_text(number, outcome), *(part.title for part in outcome.evidence)):
        assert en and not CHINESE.search(re.sub('[«"‘“].*?[»"’”]', '', en)) and CHINESE.search(zh), (en, zh)
    # every figure that is measured has its place in the text, and every place its figure
    assert set(outcome.figures) == set(answers.read_answer(number, 'en').places())
    # words among them are in both languages; a corpus has a name
    words = {name for name, value in outcome.figures.items() if isinstance(value, str) and re.search('[a-z]{2}', value)}
    assert words <= {'text'}
    assert bool(outcome.conclusion) == bool(answers.read_answer(number, 'en').conclusions)
    paths = frame.write(tmp_path / number, number, outcome, note=note, settings={'seed': 0, 'quick': True})
    result = json.loads((tmp_path / number / 'result.json').read_text(encoding='utf-8'))
    assert result['exercise'] == number and result['evidence'] and set(result['figures']) == set(outcome.figures)
    page = (tmp_path / number / 'answer.md').read_text(encoding='utf-8')
    assert all(text in page for text in (*answers.question(number), *note))
    assert (tmp_path / number / 'picture.png' in paths) == bool(outcome.picture) == ('picture.png' in page)
    # a shortened run answers nothing, in no text of its
    for text in (page, json.dumps(result, ensure_ascii=False)):
        assert frame.NO_ANSWER[0] in text and frame.NO_ANSWER[1] in text
        assert not any(paragraph in text for told in frame.answer_text(number, outcome) for paragraph in told.split('\n\n'))


def test_a_whole_run_is_answered(shortened, tmp_path):
    outcome, note = shortened('6.2.1')
    frame.write(tmp_path, '6.2.1', outcome, note=note, settings={'quick': False})
    page = (tmp_path / 'answer.md').read_text(encoding='utf-8')
    for en in frame.answer_text('6.2.1', outcome):
        assert en in page and '{' not in en
    assert f'{outcome.figures["outputs"]:,}' in page


def test_the_books_order_and_numbers():
    assert list(EXERCISES) == answers.numbers()
    assert list(EXERCISES) == sorted(EXERCISES, key=lambda number: tuple(map(int, number.split('.'))))


def test_an_answer_needs_its_figures():
    with pytest.raises(ValueError, match="needs the figure 'unit'"):
        frame.answer_text('6.2.1', Outcome([], {'off': 1}))


def test_what_is_written_is_strict_json(tmp_path):
    outcome = Outcome([Table(('t', '表'), ('x',), [(math.nan,), (np.int64(3),)])], {'share': np.float32(0.5)})
    frame.write(tmp_path, '6.2.1', outcome, note=('n', '注'), settings={'quick': True})
    rows = json.loads((tmp_path / 'result.json').read_text(), parse_constant=pytest.fail)['evidence'][0]['rows']
    assert rows == [['nan'], [3]]
