"""scripts/benchmark.py as a command; what it measures is tested in tests/test_benchmark.py and tests/test_measuring.py."""
from __future__ import annotations

import importlib.util
import json

import benchmark
import pytest

from gluon_rnn import benchmark as library
from gluon_rnn.measuring import Measurement


@pytest.fixture
def measured(monkeypatch):
    """The names of the cases that were to be measured; none is, each gets half the seconds of the one before."""
    names: list[str] = []

    def measure(cases, setting, *, rounds, threads, on_progress):
        names[:] = [case.name for case in cases]
        return [Measurement(name, (2.0 ** -i,) * rounds, setting.tokens, 1, 2 << 20, 1 << 20, 9,
                            answers=({'length': 40},) * rounds) for i, name in enumerate(names)]
    monkeypatch.setattr(benchmark, 'measure', measure)
    monkeypatch.setattr(library, 'measure', measure)
    return names


def test_epochs_beside_everyone(script, measured, tmp_path):
    ended = script('benchmark', 'epochs', '--cell', 'rnn', 'lstm', '--rounds', 2, '--out', tmp_path)
    assert ended.status == 0, ended.err
    wanted = {'d2lzh scratch', 'd2lzh gluon, as installed', 'd2lzh scratch, as on a CPU it does not know', 'gluon_rnn scratch',
              'gluon_rnn hybrid', 'gluon_rnn gluon', 'torch by hand', 'torch.compile of it', 'torch.nn'}
    assert wanted <= set(measured)
    found = json.loads((tmp_path / 'epochs.json').read_text())
    assert [one['setting']['cell'] for one in found] == ['rnn', 'lstm']
    for i, row in enumerate(found[0]['implementations']):
        assert row['times_as_fast'] == 2 ** i
        assert row['name'] in ended.out
    assert (tmp_path / 'epochs.png').stat().st_size > 10_000


def test_epochs_without_torch(script, measured, monkeypatch):
    assert script('benchmark', 'epochs', '--no-compile', '--cell', 'rnn').status == 0
    assert 'torch by hand' in measured and 'torch.compile of it' not in measured
    assert script('benchmark', 'epochs', '--no-torch', '--cell', 'rnn').status == 0
    assert not any('torch' in name for name in measured)
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    ended = script('benchmark', 'epochs', '--cell', 'rnn')
    assert ended.status == 0 and 'pip install' in ended.err
    assert not any('torch' in name for name in measured)


def test_generation_in_characters_a_second(script, measured, tmp_path):
    ended = script('benchmark', 'generation', '--cell', 'gru', '--length', 40, '--rounds', 2, '--out', tmp_path)
    assert ended.status == 0, ended.err
    title, heading, first, *_ = ended.out.splitlines()
    assert title == 'gru, 40 characters'
    assert heading.split() == ['s/text', 'lowest', 'highest', 'chars/s', 'times', 'first', 'MiB', 'libs']
    assert first.split() == ['d2lzh', 'scratch', '1.000', '1.000', '1.000', '40', '1.00', '1.00', '2', '1']
    rows = json.loads((tmp_path / 'generation.json').read_text())['gru']
    assert [(row['name'], row['times_as_fast'], row['error']) for row in rows] == [
        (name, 2 ** i, '') for i, name in enumerate(measured)]
    assert 'not measured: wrote 40 characters instead of 7' in script('benchmark', 'generation', '--length', 7).out


@pytest.mark.parametrize('said, flags', [
    ('--rounds must be 1 or more, got 0', ('epochs', '--rounds', 0)),
    ('--threads must be 1 or more, got -1', ('start', '--threads', -1)),
    ('--length must be 1 or more, got 0', ('generation', '--length', 0)),
    ('--values must be 1 or more, got 0', ('growth', '--size', 'batch_size', '--values', 4, 0))])
def test_numbers_that_make_no_sense(refused, measured, said, flags):
    refused(said, 'benchmark', *flags)
    assert not measured
