"""scripts/benchmark.py as a command; what it measures is tested in tests/benchmark/."""
from __future__ import annotations

import importlib.util
import json

import pytest

from gluon_rnn.benchmark import cases
from gluon_rnn.benchmark.measuring import Measurement


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Where nobody says --out, results lie in runs/ of the present folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def measured(monkeypatch):
    """The names of the cases that were to be measured; none is, each gets half the seconds of the one before."""
    names: list[str] = []

    def measure(cases, setting, *, rounds, threads, on_progress, busy=False):
        names[:] = [case.name for case in cases]
        return [Measurement(name, (2.0 ** -i,) * rounds, setting.tokens, 1, 2 << 20, 1 << 20, 9,
                            answers=({'length': 40},) * rounds) for i, name in enumerate(names)]
    monkeypatch.setattr(cases, 'measure', measure)
    return names


def test_epochs_beside_everyone(script, measured, tmp_path):
    ended = script('benchmark', 'epochs', '--cell', 'rnn', 'lstm', '--rounds', 2, '--out', tmp_path)
    assert ended.status == 0, ended.err
    wanted = {'d2lzh scratch', 'd2lzh gluon', 'gluon_rnn scratch', 'gluon_rnn hybrid',
              'gluon_rnn gluon', 'torch by hand', 'torch.compile of it', 'torch.nn'}
    assert wanted <= set(measured)
    found = json.loads((tmp_path / 'epochs.json').read_text())
    assert [one['setting']['cell'] for one in found] == ['rnn', 'lstm']
    for i, row in enumerate(found[0]['implementations']):
        assert row['times_as_fast'] == 2 ** i
        assert row['name'] in ended.out
    assert (tmp_path / 'epochs.png').stat().st_size > 10_000


def test_epochs_of_some_rows(script, measured):
    rows = ['gluon_rnn numba', 'torch.nn']
    assert script('benchmark', 'epochs', '--only', *rows, '--cell', 'rnn').status == 0
    assert measured == rows
    ended = script('benchmark', 'epochs', '--only', 'torch.nn', 'keras', '--overwrite')
    assert ended.status == 2 and ended.err.splitlines()[-1].startswith('benchmark.py: --only must be of d2lzh scratch, ')
    assert ended.err.endswith(', got keras\n')


def test_epochs_without_torch(script, measured, monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    ended = script('benchmark', 'epochs', '--cell', 'rnn')
    assert ended.status == 0 and 'pip install' in ended.err
    assert not any('torch' in name for name in measured)


def test_compare_torch_measures_the_same(script, measured):
    pytest.importorskip('torch')
    assert script('benchmark', 'epochs', '--cell', 'rnn', '--rounds', 1).status == 0
    epochs = list(measured)
    ended = script('compare_torch', 'speed', '--cell', 'rnn', '--rounds', 1)
    assert ended.status == 0, ended.err
    assert measured == epochs
    assert all(name in ended.out + ended.err for name in epochs)


def test_generation_in_characters_a_second(script, measured, tmp_path):
    ended = script('benchmark', 'generation', '--cell', 'gru', '--length', 40, '--rounds', 2, '--out', tmp_path)
    assert ended.status == 0, ended.err
    title, heading, _, first, *_ = ended.out.replace('|', '').splitlines()
    assert title == 'gru, 40 characters'
    assert heading.split() == ['s/text', 'lowest', 'highest', 'chars/s', 'times', 'first', 'MiB', 'libs']
    assert first.split() == ['d2lzh', 'scratch', '1.000', '1.000', '1.000', '40.00', '1.000', '1', '2', '1']
    rows = json.loads((tmp_path / 'generation.json').read_text())['gru']
    assert [(row['name'], row['times_as_fast'], row['error']) for row in rows] == [
        (name, 2 ** i, '') for i, name in enumerate(measured)]
    assert 'not measured: wrote 40 characters instead of 7' in script('benchmark', 'generation', '--length', 7).out


def test_growth_in_figures_and_pictures(script, refused, measured, tmp_path):
    flags = ('growth', '--cell', 'gru', 'lstm', '--impl', 'hybrid', 'gluon', '--rounds', 2, '--out', tmp_path)
    ended = script('benchmark', *flags, '--size', 'num_steps', '--values', 10, 20, 40)
    assert ended.status == 0, ended.err
    title, *lines = ended.out.splitlines()
    assert title.startswith('gru, gluon_rnn hybrid: ~ num_steps^')
    assert lines[:3] == [f'         {value}     0.5000 s        1 MiB' for value in (10, 20, 40)]
    rows = json.loads((tmp_path / 'growth.json').read_text())
    assert [(row['cell'], row['name']) for row in rows] == [(cell, f'gluon_rnn {impl}') for cell in ('gru', 'lstm')
                                                            for impl in ('hybrid', 'gluon')]
    assert rows[1]['sizes'] == [10, 20, 40] and rows[1]['seconds'] == [0.25] * 3 and abs(rows[1]['exponent']) < 1e-9
    assert all((tmp_path / f'growth-{cell}-num_steps.png').stat().st_size > 10_000 for cell in ('gru', 'lstm'))
    refused('--values needs one --size, got num_steps batch_size', 'benchmark', *flags, '--size', 'num_steps', 'batch_size',
            '--values', 10)


def test_growth_that_ends_says_where(script, monkeypatch, tmp_path):
    def measure(cases, setting, **_):
        failed = setting.batch_size >= limit
        return [Measurement(case.name, error='no memory') if failed else Measurement(case.name, (1.0,), memory=1 << 20)
                for case in cases]
    monkeypatch.setattr(cases, 'measure', measure)
    flags = ('growth', '--size', 'batch_size', '--values', 4, 16, '--out', tmp_path)
    for limit, printed in ((16, 1), (4, 0)):
        ended = script('benchmark', *flags, '--overwrite')
        assert ended.status == 0, ended.err
        assert ended.out.splitlines()[printed + 1:] == [f'  not measured from batch_size {limit}: no memory']
        row, = json.loads((tmp_path / 'growth.json').read_text())
        assert row['sizes'] == [4] * printed and row['exponent'] is None and row['error'] == f'batch_size {limit}: no memory'


@pytest.mark.parametrize('said, flags', [
    ('--rounds must be 1 or more, got 0', ('epochs', '--rounds', 0)),
    ('--threads must be 1 or more, got -1', ('growth', '--threads', -1)),
    ('--length must be 1 or more, got 0', ('generation', '--length', 0)),
    ('--values must be 1 or more, got 0', ('growth', '--size', 'batch_size', '--values', 4, 0))])
def test_numbers_that_make_no_sense(refused, measured, said, flags):
    refused(said, 'benchmark', *flags)
    assert not measured
