"""scripts/exercise.py: the list, one exercise, and what it refuses."""
import json

import pytest

from gluon_rnn.book import answers
from gluon_rnn.book.exercises import EXERCISES

QUICK = ('--quick', '--corpus', 'lyrics', '--out')


def test_lists_all_in_both_languages(script):
    ended = script('exercise', 'list')
    assert (ended.status, ended.err) == (0, '')
    for number in EXERCISES:
        en, zh = answers.question(number)
        assert f'{number:8}{en}\n        {zh}\n' in ended.out


def test_prints_evidence_then_answer_and_keeps_both(script, tmp_path, refused):
    ended = script('exercise', '6.2.1', *QUICK, tmp_path)
    assert (ended.status, ended.err) == (0, '')
    assert ended.out.index('vocabulary') < ended.out.index('## Answer') < ended.out.index('## 回答')
    assert 'Shortened' in ended.out and '缩短运行' in ended.out
    result = json.loads((tmp_path / '6.2.1' / 'result.json').read_text(encoding='utf-8'))
    assert result['corpus'] == 'lyrics' and result['quick'] is True and result['answer'][0] in ended.out
    # what is there is not lost by asking again
    path = tmp_path / '6.2.1' / 'result.json'
    path.write_text('as it was')
    refused('holds an answer: --overwrite replaces it', 'exercise', '6.2.1', *QUICK, tmp_path)
    assert path.read_text() == 'as it was'
    assert script('exercise', '6.2.1', '--overwrite', *QUICK, tmp_path).status == 0
    assert json.loads(path.read_text(encoding='utf-8'))['answer'] == result['answer']


def test_all_leaves_what_is_answered(script, tmp_path, monkeypatch):
    import exercise
    monkeypatch.setattr(exercise, 'EXERCISES', {number: EXERCISES[number] for number in ('6.2.1', '6.3.1')})
    assert script('exercise', '6.2.1', *QUICK, tmp_path).status == 0
    ended = script('exercise', '--all', *QUICK, tmp_path)
    assert ended.status == 0 and '6.2.1 holds an answer already' in ended.out and '# 6.2.1' not in ended.out
    assert '# 6.3.1' in ended.out and (tmp_path / '6.3.1' / 'picture.png').exists()


def test_a_text_that_is_not_there_is_not_another(refused, tmp_path):
    refused('typo.txt', 'exercise', '6.2.1', '--quick', '--corpus', tmp_path / 'typo.txt', '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('said, flags', [
    ("unknown exercise '6.4': choose from 6.", ['6.4']), ('give the numbers of exercises, list, or --all', []),
    ('give the numbers of exercises, list, or --all', ['6.2.1', '--all']), ('--seed must be 0 or more', ['6.2.1', '--seed', -1])])
def test_refuses_what_it_cannot_do(said, flags, refused, tmp_path):
    refused(said, 'exercise', *flags, *QUICK, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_the_reason_why_another_text_is_taken_is_told_once(script, tmp_path, monkeypatch):
    monkeypatch.setattr('gluon_rnn.book.exercises.workbench.corpus_here', lambda name: ('lyrics', 'it is nowhere'))
    ended = script('exercise', '6.2.1', '--quick', '--out', tmp_path)
    lines = [line for line in ended.out.splitlines() if 'it is nowhere' in line]
    assert (ended.status, lines) == (0, ['jaychou is not here, lyrics takes its place: it is nowhere'])


def test_leaves_foreign_files_alone(script, tmp_path):
    (tmp_path / '6.2.1').mkdir()
    (tmp_path / '6.2.1' / 'thesis.md').write_text('mine')
    assert script('exercise', '6.2.1', *QUICK, tmp_path).status == 0
    assert (tmp_path / '6.2.1' / 'thesis.md').read_text() == 'mine'
