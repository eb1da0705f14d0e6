"""scripts/reproduce.py: a shortened run of every section, what is left of it, and starting again."""
from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import _trainings
import mxnet as mx
import pytest
import reproduce

from gluon_rnn import load_corpus
from gluon_rnn.book import tasks
from gluon_rnn.book.sections import SECTIONS
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.folder import RunFolder, read_config, read_metrics
from tests.scripts import dies

SCRIPT = Path(reproduce.__file__)
VARIANTS = [f'{section.name}/{variant.name}' for section in SECTIONS.values() for variant in section.variants]
SHORT = ('--num-epochs', 2, '--num-hiddens', 4, '--ctx', 'cpu', '--impl', 'scratch')


@pytest.fixture(scope='module')
def text(tmp_path_factory):
    """A text of one batch."""
    path = tmp_path_factory.mktemp('text') / 'small.txt'
    corpus = load_corpus('lyrics', max_chars=1300)
    path.write_text(corpus.decode(corpus.indices), encoding='utf-8')
    return path


def written(folder):
    """When each file of the runs was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob('*') if path.name in ('metrics.jsonl', 'checkpoint.npz')}


@pytest.mark.slow
def test_every_section_shortened(script, text, tmp_path):
    out = tmp_path / 'book'
    ended = script('reproduce', '--all', *SHORT, '--corpus', text, '--out', out)
    assert (ended.status, ended.err) == (0, '')
    for name in VARIANTS:
        records = read_metrics(out / name)
        assert len(records) == 2 and checkpoint.read(out / name / 'checkpoint.npz').epoch == 2
        # printed as the book prints, and kept so
        printed = f'epoch 2, perplexity {records[1].perplexity:f}, time {records[1].seconds:.2f} sec\n - '
        assert printed in ended.out
        assert printed in (out / name / 'samples.txt').read_text(encoding='utf-8')
        layers = out / name / 'layers.json'
        assert layers.exists() == name.startswith('6.9/')
    assert 'X: [[ 0  1  2  3  4  5]' in ended.out and (out / '6.3' / 'batches.txt').exists()

    last = ended.out[ended.out.index('Summary'):]
    assert all(f'{name} ' in last for name in VARIANTS)

    # every run's perplexity stands in both reports
    for report in ('report.html', 'report.md'):
        page = (out / report).read_text(encoding='utf-8')
        for name in VARIANTS:
            assert f'{read_metrics(out / name)[-1].perplexity:.4f}' in page

    # started again, nothing is trained, and the report is the same
    before, page = written(out), (out / 'report.html').read_text(encoding='utf-8')
    again = script('reproduce', '--all', *SHORT, '--corpus', text, '--out', out)
    assert again.status == 0 and 'epoch 1' not in again.out
    assert written(out) == before and (out / 'report.html').read_text(encoding='utf-8') == page


@pytest.mark.slow
def test_a_half_done_one_goes_on(script, text, tmp_path, monkeypatch):
    whole, halves = tmp_path / 'whole', tmp_path / 'halves'
    flags = ('6.5', '6.7', '--num-epochs', 4, '--num-hiddens', 4, '--ctx', 'cpu', '--corpus', text, '--out')
    assert script('reproduce', *flags, whole).status == 0

    add, epochs = _trainings.RunFolder.add, []

    def stop_at_the_seventh(self, record):
        add(self, record)
        epochs.append(record.epoch)
        if len(epochs) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(_trainings.RunFolder, 'add', stop_at_the_seventh)
    ended = script('reproduce', *flags, halves)
    assert ended.status == 130 and 'the same command goes on' in ended.err
    assert epochs == [1, 2, 3, 4, 1, 2, 3]
    page = (halves / 'report.html').read_text(encoding='utf-8')      # what there is, is reported, and what there is not
    for words in ('6.7/scratch: stopped, 2 of 4 epochs saved', '6.7/scratch：中断', '6.7/gluon: not trained yet'):
        assert words in page
    assert '6.5/gluon:' not in page and f'{read_metrics(halves / "6.5" / "gluon")[-1].perplexity:.4f}' in page
    finished = written(halves / '6.5')
    assert script('reproduce', *flags, halves).status == 0
    assert epochs == [1, 2, 3, 4, 1, 2, 3, 3, 4, 1, 2, 3, 4]    # only what was left, with the epoch whose writing was broken off
    assert written(halves / '6.5') == finished
    for name in ('6.5/gluon', '6.7/scratch', '6.7/gluon'):
        assert [(r.perplexity, r.grad_norm) for r in read_metrics(whole / name)] == \
            [(r.perplexity, r.grad_norm) for r in read_metrics(halves / name)]


def test_networks_by_hand_are_fast_where_nobody_asks_and_go_on_as_they_began(script, text, tmp_path):
    flags = ('reproduce', '6.7', *SHORT[2:-2], '--corpus', text, '--out', tmp_path)
    assert script(*flags, '--num-epochs', 1).status == 0
    impls = {variant: read_config(tmp_path / '6.7' / variant).impl for variant in ('scratch', 'gluon')}
    assert impls == {'scratch': 'numba', 'gluon': 'gluon'}
    for name in ('report.md', 'report.html'):
        assert 'numba, the numbers of scratch' in (tmp_path / name).read_text(encoding='utf-8')
    assert script(*flags, '--num-epochs', 1, '--impl', 'scratch').status == 2
    began = tmp_path / 'slowly'
    assert script(*flags[:-1], began, '--num-epochs', 1, '--impl', 'scratch').status == 0
    assert script(*flags[:-1], began, '--num-epochs', 1).status == 0
    assert read_config(began / '6.7' / 'scratch').impl == 'scratch'


def test_refuses_what_it_cannot_do(refused, script, text, tmp_path):
    refused('give sections (6.3, 6.4', 'reproduce', '--out', tmp_path)
    refused('give sections', 'reproduce', '6.4', '--all', '--out', tmp_path)
    refused("unknown section '6.1'", 'reproduce', '6.1', '--out', tmp_path)
    refused('--jobs must be 1 or more, got 0', 'reproduce', '6.4', '--jobs', 0, '--out', tmp_path)
    for flag in ('--num-epochs', '--num-hiddens'):
        refused(f'{flag} must be 1 or more, got 0', 'reproduce', '6.4', flag, 0, '--corpus', text, '--out', tmp_path / 'out')
    refused('--seed must be 0 or more, got -1', 'reproduce', '6.4', '--seed', -1, '--corpus', text, '--out', tmp_path / 'out')
    assert not any(tmp_path.iterdir())
    flags = ('--ctx', 'cpu', '--corpus', text, '--num-epochs', 1, '--out', tmp_path)
    assert script('reproduce', '6.5', '--num-hiddens', 3, *flags).status == 0
    refused('holds a run with --num-hiddens 3, this one has 4: choose another folder',
            'reproduce', '6.5', '--num-hiddens', 4, *flags)


@pytest.mark.parametrize('error', [ArithmeticError('it went wrong'), MemoryError('it went wrong'), OSError(5, 'it went wrong'),
                                   mx.MXNetError('it went wrong'), KeyError('it went wrong')], ids=repr)
def test_one_that_fails_does_not_stop_the_others(script, text, tmp_path, monkeypatch, error):
    go = _trainings.Run.go

    def fail(self, **options):
        if self.settings.impl == 'scratch':
            raise error
        go(self, **options)

    monkeypatch.setattr(_trainings.Run, 'go', fail)
    ended = script('reproduce', '6.7', *SHORT, '--corpus', text, '--out', tmp_path / 'out')
    assert ended.status == 2 and re.search('6.7/scratch: .*it went wrong', ended.err)
    assert ('Traceback' in ended.err) == isinstance(error, KeyError)        # which would be a mistake of ours
    assert len(read_metrics(tmp_path / 'out' / '6.7' / 'gluon')) == 2
    assert re.search('^6.7/scratch +failed, 0 of 2 epochs saved: .*it went wrong', ended.out, re.M)
    for name in ('report.md', 'report.html'):
        page = (tmp_path / 'out' / name).read_text(encoding='utf-8')
        assert 'rnn.GRU' in page and re.search('6.7/scratch：失败，.*it went wrong', page)


def test_a_failure_to_measure_norms_leaves_the_report(script, text, tmp_path, monkeypatch):
    def fail(run):
        if run.name == 'gluon-2':
            raise MemoryError('too many layers')

    monkeypatch.setattr(reproduce, 'write_layers', fail)
    monkeypatch.setattr(reproduce, 'train_all', lambda *args: None)
    monkeypatch.setattr(reproduce.Task, 'epochs_done', lambda self: 2)
    ended = script('reproduce', '6.9', *SHORT, '--corpus', text, '--out', tmp_path / 'out')
    assert ended.status == 2 and ended.err == 'reproduce.py: 6.9/gluon-2: too many layers\n'
    assert '6.9/gluon-2: failed, 2 of 2 epochs saved' in (tmp_path / 'out' / 'report.md').read_text(encoding='utf-8')


def deadly(tmp_path, monkeypatch, *deaths):
    monkeypatch.setattr(_trainings, 'train_here', dies.work)
    for k in range(len(deaths)):
        (tmp_path / f'{k}').write_text('')
    return [SimpleNamespace(name=f'task {k}', folder=tmp_path / f'{k}', settings={'deaths': n}) for k, n in enumerate(deaths)]


def test_processes_that_die_lose_nothing(tmp_path, monkeypatch, capsys):
    doomed = deadly(tmp_path, monkeypatch, 0, 1, 9, 0)
    steps = []
    bar = SimpleNamespace(set_postfix_str=lambda *args, **options: None, update=steps.append)
    listener = reproduce.Listener(bar, {}, name_each=True)
    _trainings.train_all(doomed, 2, listener)
    assert listener.failed == {'task 2': 'its process has ended with status -9'}
    assert sum(steps) == 3 * 3 + 2 and listener.last == {'task 0': 3, 'task 1': 3, 'task 2': 2, 'task 3': 3}
    assert [task.folder.read_text() for task in doomed] == ['', '+', '++', '']
    said = capsys.readouterr().out
    assert [said.count(f'task {k}: its process has ended with status -9; it goes on') for k in range(4)] == [0, 1, 1, 0]


def test_where_no_process_can_be_started_the_tasks_are_told(tmp_path, monkeypatch):
    def start(task, threads):
        raise OSError(11, 'no more processes')

    monkeypatch.setattr(_trainings, 'start', start)
    heard = []
    _trainings.train_all(deadly(tmp_path, monkeypatch, 0, 0), 2, lambda task, message: heard.append((task.name, message)))
    assert heard == [(f'task {k}', {'error': 'no more processes'}) for k in range(2)]


def test_a_stop_in_the_middle_of_writing_is_told_once_and_truly(script, text, tmp_path, monkeypatch):
    """The third epoch's verses are being written: its metrics are on the disk, and it is not saved."""
    add_sample, epochs = RunFolder.add_sample, []

    def stop(self, epoch, text):
        epochs.append(epoch)
        if epoch == 3:
            raise KeyboardInterrupt
        return add_sample(self, epoch, text)

    monkeypatch.setattr(RunFolder, 'add_sample', stop)
    ended = script('reproduce', '6.5', '--num-epochs', 4, '--num-hiddens', 4, '--ctx', 'cpu', '--corpus', text,
                   '--out', tmp_path / 'out')
    assert ended.status == 130 and epochs == [1, 2, 3] and len(read_metrics(tmp_path / 'out' / '6.5' / 'gluon')) == 3
    last = ended.out[ended.out.index('Summary'):]
    assert last.count('6.5/gluon') == 1 and 'stopped, 2 of 4 epochs saved' in last and 'epoch   3' not in last
    page = (tmp_path / 'out' / 'report.md').read_text(encoding='utf-8')
    assert 'after 2 epochs' in page and 'after 3 epochs' not in page


def test_says_that_the_embedded_text_takes_the_books_place(script, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, 'corpus_here', lambda name: ('lyrics', 'it is nowhere'))
    ended = script('reproduce', '6.5', '--num-epochs', 1, '--num-hiddens', 2, '--ctx', 'cpu', '--out', tmp_path / 'out')
    assert ended.status == 0
    assert 'jaychou is not here, lyrics takes its place (it is nowhere)' in ended.out
    page = (tmp_path / 'out' / 'report.html').read_text(encoding='utf-8')
    assert 'the text lyrics in place of jaychou' in page and '文本为 lyrics' in page


@pytest.mark.slow
def test_jobs_side_by_side_give_the_same_and_stop_politely(script, text, tmp_path):
    command = [sys.executable, SCRIPT, '6.7', '--num-epochs', 3, '--num-hiddens', 4, '--ctx', 'cpu', '--corpus', text]
    one, two = tmp_path / 'one', tmp_path / 'two'
    assert script('reproduce', *command[2:], '--out', one).status == 0
    ended = subprocess.run([*map(str, command), '--jobs', '2', '--out', str(two)], capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr
    assert re.search('^6.7/scratch  epoch 3, perplexity', ended.stdout, re.M)
    for name in ('6.7/scratch', '6.7/gluon'):
        assert [r.perplexity for r in read_metrics(one / name)] == pytest.approx([r.perplexity for r in read_metrics(two / name)])

    command[command.index('--num-epochs') + 1] = 100000
    process = subprocess.Popen([*map(str, command), '--jobs', '2', '--out', str(tmp_path / 'long')], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    runs = [tmp_path / 'long' / name for name in ('6.7/scratch', '6.7/gluon')]
    deadline = time.monotonic() + 100
    while not all(read_metrics(run) for run in runs) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130 and 'the same command goes on' in err
    for run in runs:       # whole up to the last epoch, or the one before where the stop came while that was written
        assert len(read_metrics(run)) - checkpoint.read(run / 'checkpoint.npz').epoch in (0, 1)
