"""Each exercise shortened, and the frame that they stand in."""
import json
import math
import re

import numpy as np
import pytest

from gluon_rnn.book import answers
from gluon_rnn.book.exercises import EXERCISES, Exercise, Lines, Outcome, Table, Workbench, render

CHINESE = re.compile('[\u4e00-\u9fff]')


@pytest.mark.parametrize('number', EXERCISES)
def test_every_exercise_shortened(number, bench, tmp_path):
    exercise = EXERCISES[number]
    bench.begin()
    outcome = exercise.run(bench)
    for en, zh in (exercise.question, exercise.answer(outcome), *(part.title for part in outcome.evidence)):
        assert en and not CHINESE.search(re.sub('[«"‘“].*?[»"’”]', '', en)) and CHINESE.search(zh), (en, zh)
    # every figure that is measured has its place in the text, and every place its figure
    assert set(outcome.figures) >= set(answers.read_answer(number, 'en').places())
    assert bool(outcome.conclusion) == bool(answers.read_answer(number, 'en').conclusions)
    paths = render.write(tmp_path / number, exercise, outcome, note=bench.note(), settings={'seed': 0, 'quick': True})
    result = json.loads((tmp_path / number / 'result.json').read_text(encoding='utf-8'))
    assert result['exercise'] == number and result['evidence'] and set(result['figures']) == set(outcome.figures)
    page = (tmp_path / number / 'answer.md').read_text(encoding='utf-8')
    assert all(text in page for text in (*exercise.question, *bench.note()))
    assert (tmp_path / number / 'picture.png' in paths) == bool(outcome.picture) == ('picture.png' in page)
    # a shortened run answers nothing, in no text of its
    for text in (page, json.dumps(result, ensure_ascii=False), render.text_of(exercise, outcome, quick=True)):
        assert render.NO_ANSWER[0] in text and render.NO_ANSWER[1] in text
        assert not any(paragraph in text for told in exercise.answer(outcome) for paragraph in told.split('\n\n'))


def test_a_whole_run_is_answered(bench, tmp_path):
    exercise = EXERCISES['6.2.1']
    outcome = exercise.run(bench)
    render.write(tmp_path, exercise, outcome, note=bench.note(), settings={'quick': False})
    page = (tmp_path / 'answer.md').read_text(encoding='utf-8')
    for en in exercise.answer(outcome):
        assert en in page and en in render.text_of(exercise, outcome) and '{' not in en
    assert f'{outcome.figures["outputs"]:,}' in page


def test_the_books_order_and_numbers():
    assert list(EXERCISES) == answers.numbers()
    assert list(EXERCISES) == sorted(EXERCISES, key=lambda number: tuple(map(int, number.split('.'))))
    assert all(number == exercise.number for number, exercise in EXERCISES.items())


def test_a_table_and_an_outcome_refuse_what_is_none():
    with pytest.raises(ValueError, match='must have 2 values, got 1'):
        Table(('a', '甲'), ('x', 'y'), [(1,)])
    with pytest.raises(ValueError, match="needs the figure 'unit'"):
        Exercise('6.2.1', lambda bench: None).answer(Outcome([], {'off': 1}))


@pytest.mark.parametrize('value, text', [
    (None, '-'), (True, 'yes'), (12345, '12,345'), (1234.567, '1,235'), (12.34567, '12.35'), (0.0123456, '0.01235'),
    (1e-9, '1e-09'), (0.0, '0'), (np.float32(2.5), '2.500'), (math.nan, 'nan'), (math.inf, 'inf'), ('分开', '分开')])
def test_values_as_they_are_shown(value, text):
    assert render.shown(value) == text


def test_columns_stand_under_each_other_in_chinese_too():
    outcome = Outcome([Table(('t', '表'), ('name', 'n'), [('分开', 1), ('x', 20)]), Lines(('l', '行'), ['不分开'])], {})
    lines = render.text_of(EXERCISES['6.2.1'], outcome, quick=True).splitlines()
    assert lines[:6] == ['t  表', '  name   n', '  分开   1', '  x     20', '', 'l  行']


def test_what_is_written_is_strict_json(tmp_path):
    outcome = Outcome([Table(('t', '表'), ('x',), [(math.nan,), (np.int64(3),)])], {'share': np.float32(0.5)})
    render.write(tmp_path, EXERCISES['6.2.1'], outcome, note=('n', '注'), settings={'quick': True})
    rows = json.loads((tmp_path / 'result.json').read_text(), parse_constant=pytest.fail)['evidence'][0]['rows']
    assert rows == [['nan'], [3]]


def test_the_workbench_trains_as_the_library_does(bench):
    steps = []
    bench_two = Workbench('lyrics', quick=True, seed=3, on_step=lambda *at: steps.append(at))
    one, two = (bench_two.train('x', cell='gru', verses=True, num_epochs=2, pred_period=1, valid_fraction=0.3) for _ in range(2))
    assert [r.perplexity for r in one.records] == [r.perplexity for r in two.records] and len(steps) > 2
    assert [epoch for epoch, _ in one.verses] == [1, 2] and one.verses == two.verses
    assert one.model.config.impl == 'numba' and one.model.config.num_hiddens == 8
    assert one.best_held_out == min((r.valid_perplexity, r.epoch) for r in one.records)
    assert bench.train('x', cell='gru', num_epochs=2).perplexity != one.perplexity
    with pytest.raises(ValueError, match='num_hidden is no setting: choose from corpus'):
        bench.train('x', num_hidden=3)


def test_a_divergence_is_a_result(bench):
    training = bench.train('wild', cell='rnn', activation='relu', clipping_theta=0, lr=1e12, num_epochs=2)
    assert 'no longer finite' in training.diverged and training.records == [] and math.isnan(training.perplexity)
    assert math.isnan(training.best_held_out[0])


def test_the_note_says_which_text_an_exercise_has_read():
    bench = Workbench('lyrics', seed=4)
    assert bench.note() == ('text lyrics; seed 4', '文本 lyrics；随机种子 4')
    bench.begin()
    assert bench.note() == ('no text; seed 4', '不用文本；随机种子 4')
    whole = bench.corpus(0)
    bench.corpus(0)
    assert bench.note()[0] == f'text lyrics, {len(whole):,} characters, {whole.vocab_size:,} different; seed 4'
    part = bench.corpus(300)
    assert bench.note()[1].endswith(f'，300 个字符，其中不同的 {part.vocab_size} 个；随机种子 4')
    bench.begin()
    assert bench.note()[0] == 'no text; seed 4'


def test_says_where_another_text_takes_the_books_place(monkeypatch):
    monkeypatch.setattr('gluon_rnn.book.exercises.workbench.corpus_here', lambda name: ('lyrics', 'it is nowhere'))
    bench = Workbench(quick=True)
    en, zh = bench.note()
    assert 'jaychou is not here, lyrics takes its place.' in en and '找不到 jaychou，以 lyrics 代替。' in zh
    assert bench.fallback == 'it is nowhere' not in en + zh      # which is said once, by the script
