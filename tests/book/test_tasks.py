"""The trainings of a reproduction: wishes become settings, and a folder of another run is no beginning."""
import dataclasses

import pytest

from gluon_rnn.book import tasks
from gluon_rnn.book.sections import SECTIONS
from gluon_rnn.book.tasks import Task, how_it_stands, settings_of, tasks_of
from gluon_rnn.runs.folder import RunFolder

GRU = SECTIONS['6.7']


def test_wishes_change_the_books_settings_and_nothing_else():
    variant = GRU.variant('gluon')
    book, asked = settings_of(GRU, variant, {}), settings_of(GRU, variant, {'seed': 3, 'num_epochs': 8, 'num_hiddens': 5})
    changed = {name for name, value in dataclasses.asdict(book).items() if getattr(asked, name) != value}
    assert changed == {'seed', 'num_epochs', 'num_hiddens', 'pred_period'} and asked.pred_period == 2
    assert settings_of(GRU, variant, {}, shortened=True).num_epochs < book.num_epochs


def test_a_text_that_cannot_be_had_is_told_with_its_reason(monkeypatch, tmp_path):
    monkeypatch.setattr(tasks, 'corpus_here', lambda name: ('lyrics', 'no network'))
    found, missing = tasks_of([GRU], tmp_path, {})
    assert missing == {'jaychou': 'no network'} and {task.settings.corpus for task in found} == {'lyrics'}
    assert [task.name for task in found] == [f'6.7/{variant.name}' for variant in GRU.variants]
    text = tmp_path / 'text.txt'
    text.write_text('abc')
    found, missing = tasks_of([GRU], tmp_path, {'corpus': str(text), 'impl': 'hybrid'})
    assert not missing and {task.settings.corpus for task in found} == {str(text)}
    assert {task.variant.name: task.settings.impl for task in found} == {'scratch': 'hybrid', 'gluon': 'gluon'}


def test_a_folder_holds_none_of_it_or_the_same_run(tmp_path):
    settings = settings_of(GRU, GRU.variant('gluon'), {})
    task = Task(GRU, GRU.variant('gluon'), settings, tmp_path / 'run')
    assert task.epochs_done() == 0
    with RunFolder(task.folder) as folder:
        folder.begin(dataclasses.replace(settings, ctx='cpu', num_hiddens=7))
    with pytest.raises(ValueError, match='holds a run with num_hiddens 7, this one has 256: choose another folder'):
        task.epochs_done()
    same = dataclasses.replace(task, settings=dataclasses.replace(settings, num_hiddens=7))
    assert same.epochs_done() == 0      # where it runs is no difference, and nothing is saved yet


def test_a_line_on_what_has_not_come_to_its_end():
    assert how_it_stands(0, 9, '')[0] == 'not trained yet' and how_it_stands(2, 9, '')[0] == 'stopped, 2 of 9 epochs saved'
    assert how_it_stands(2, 9, 'no memory') == ('failed, 2 of 9 epochs saved: no memory', '失败，已存 2 / 9 个周期：no memory')
