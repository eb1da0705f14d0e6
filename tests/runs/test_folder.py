"""A run's folder: what belongs to it, and what goes when something newer comes."""
from __future__ import annotations

import pytest

from gluon_rnn import plots
from gluon_rnn.book.results import read_layers, write_layers
from gluon_rnn.runs import folder as room
from gluon_rnn.runs.folder import RunFolder, read_metrics
from gluon_rnn.runs.settings import RunSettings
from gluon_rnn.training.config import EpochRecord


@pytest.fixture
def run(trained_in, tmp_path):
    """The folder of a finished run of two layers whose norms by layer have been measured."""
    folder = trained_in(tmp_path / 'run', '--num-epochs', 2, '--num-layers', 2)
    write_layers(folder)
    return folder


def test_norms_by_layer_do_not_outlive_their_checkpoint(run, script):
    before = read_layers(run / 'layers.json')
    write_layers(run)
    assert read_layers(run / 'layers.json') == before
    assert script('train', '--out', run, '--resume', '--num-epochs', 4).status == 0
    assert not (run / 'layers.json').exists()
    write_layers(run)
    after = read_layers(run / 'layers.json')
    assert after['untrained'] == before['untrained'] and after['trained'] != before['trained']


def test_a_run_with_norms_by_layer_is_made_again(run, script, small):
    (run / 'checkpoint.npz').unlink()
    assert script('train', '--out', run, '--resume').status == 0
    assert not (run / 'layers.json').exists()
    write_layers(run)
    ended = script('train', *small, '--overwrite', '--num-epochs', 1, '--out', run)
    assert (ended.status, ended.err) == (0, '')
    assert not (run / 'layers.json').exists()


def records(number):
    return [EpochRecord(epoch, 10.0 / epoch, 1.0, 100.0, 0.5) for epoch in range(1, number + 1)]


def test_a_record_is_added_behind_the_others(tmp_path, monkeypatch):
    path = tmp_path / 'run' / 'metrics.jsonl'
    with RunFolder(tmp_path / 'run') as folder:
        folder.begin(RunSettings())
        for record in records(3):
            before = path.read_bytes() if path.exists() else b''
            folder.add(record)
            assert path.read_bytes().startswith(before) and path.read_bytes().count(b'\n') == record.epoch
    assert read_metrics(tmp_path / 'run') == records(3)


@pytest.mark.parametrize('end, number', [(b'', 3), (b'\n', 3), (b'\n{"epoch": 4, "di', 3), (b'\n\0\0\0', 3)], ids=repr)
def test_a_last_line_without_an_end(tmp_path, end, number):
    with RunFolder(tmp_path / 'run') as folder:
        folder.begin(RunSettings())
        for record in records(3):
            folder.add(record)
    path = tmp_path / 'run' / 'metrics.jsonl'
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + end)
    assert read_metrics(tmp_path / 'run') == records(number)
    with RunFolder(tmp_path / 'run') as folder:
        folder.records = read_metrics(folder.folder)
        folder.go_on(RunSettings())
        assert path.read_bytes() == whole
    path.write_bytes(whole + b'{"epoch": 4, "di\n')
    with pytest.raises(ValueError, match=r'metrics\.jsonl is damaged'):
        read_metrics(tmp_path / 'run')


def test_each_printing_draws_the_curve_anew(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(room, 'plot_perplexity', lambda runs: figures.append(plots.plot_perplexity(runs)) or figures[-1])
    with RunFolder(tmp_path / 'run') as folder:
        folder.begin(RunSettings())
        for record in records(3):
            folder.add(record)
            folder.add_sample(record.epoch, 'a verse')
    line, = figures[-1].axes[0].get_lines()
    assert len(figures) == 3 and line.get_ydata().tolist() == [10, 5, 10 / 3]
    assert (tmp_path / 'run' / 'curve.png').read_bytes().startswith(b'\x89PNG')


def test_where_nothing_came_of_it_nothing_is_left_but_what_was_there(tmp_path):
    for above in ('there', 'new'):
        (tmp_path / 'there').mkdir(exist_ok=True)
        with pytest.raises(ZeroDivisionError), RunFolder(tmp_path / above / 'more' / 'run'):
            raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob('*')] == ['there']
