"""scripts/compare_torch.py and scripts/export.py as commands."""
from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEASURED = 'd2lzh scratch', 'gluon_rnn numba', 'torch by hand', 'torch.nn', 'products alone'
WITHOUT_TORCH = """import sys
class Block:
    def find_spec(self, name, *_):
        if name.partition('.')[0] == 'torch':
            raise ImportError('torch is blocked')
sys.meta_path.insert(0, Block())
"""


@pytest.mark.parametrize('command', [['parity'], ['curves'], ['speed'], ['all', '--out', 'none'], None])
def test_where_torch_is_missing_one_line_says_how_to_install_it(command, tmp_path, script, small, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if command is None:
        assert script('train', *small, '--out', 'run').status == 0
        name, arguments = 'export', ['run', '--format', 'torch']
    else:
        name, arguments = 'compare_torch', command
    for module in [module for module in sys.modules if module.startswith('gluon_rnn.torch_parity')]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, 'torch', None)
    ended = script(name, *arguments)
    assert ended.status == 2
    assert ended.err.strip() == f'{name}.py: PyTorch is not installed: pip install torch==2.13.0'
    assert not Path('none').exists() and not Path('run.pt').exists()


@pytest.mark.slow
def test_the_rest_does_not_notice_that_torch_is_missing():
    code = ('import pkgutil, importlib, gluon_rnn\n'
            'for module in pkgutil.walk_packages(gluon_rnn.__path__, "gluon_rnn."):\n'
            '    if "torch_parity" not in module.name and not module.name.endswith((".workers.book", ".workers.jax_scan")):\n'
            '        importlib.import_module(module.name)\n'
            'print("torch" in sys.modules)')
    done = subprocess.run([sys.executable, '-c', WITHOUT_TORCH + code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == 'False', done.stderr


def test_wrong_numbers_are_refused(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip('torch')
    refused('--lockstep must be 1 or more, got 0', 'compare_torch', 'parity', '--lockstep', 0)
    refused("--only 'LSTMs' begins no row", 'compare_torch', 'parity', '--only', 'LSTMs')
    refused('--threads must be 1 or more, got 0', 'compare_torch', 'speed', '--threads', 0)
    refused('neither a run with a checkpoint', 'export', tmp_path / 'none', '--format', 'torch')


@pytest.mark.slow
def test_parity_ends_with_status_1_where_one_fails(script, monkeypatch, tmp_path):
    pytest.importorskip('torch')
    from gluon_rnn.torch_parity import differences, parity
    flags = ('parity', '--only', 'GRU of the book | ', '--num-hiddens', 6, '--num-steps', 3, '--vocab-size', 9, '--lockstep', 2,
             '--out', tmp_path)
    ended = script('compare_torch', *flags)
    assert ended.status == 0, ended.err
    saved = json.loads((tmp_path / 'parity.json').read_text())
    assert saved['passed'] and len(saved['rows']) == len(parity.IMPLS) - 1 and saved['versions']['torch']
    monkeypatch.setitem(parity.TOLERANCES, 'states', 0)
    monkeypatch.setattr(differences, 'all_differences', lambda size: [])
    ended = script('compare_torch', *flags, '--overwrite')
    assert ended.status == 1 and 'NOT EQUAL' in ended.out + ended.err


def test_export_writes_beside_the_run(script, trained_in, tmp_path):
    torch = pytest.importorskip('torch')
    trained_in(tmp_path / 'run', '--impl', 'scratch')
    ended = script('export', tmp_path / 'run', '--format', 'torch')
    assert ended.status == 0, ended.err
    assert torch.load(tmp_path / 'run.pt', weights_only=True)['settings']['num_hiddens'] == 8
    ended = script('export', tmp_path / 'run', '--format', 'torch', '--form', 'layer', '--out', tmp_path / 'other.pt')
    assert ended.status == 2 and 'different networks' in ended.err      # the default is the book's GRU


@pytest.mark.slow
def test_everything_ends_in_one_page(script, crowded, monkeypatch, tmp_path, lyrics):
    """With a few of the pairs and of the cases: each case is a process that loads its libraries."""
    pytest.importorskip('torch')
    from gluon_rnn.benchmark.implementations import epoch_cases
    from gluon_rnn.torch_parity import parity
    every = parity.pairs
    monkeypatch.setattr(parity, 'pairs', lambda size: [pair for pair in every(size) if pair.name.startswith('LSTM | ')])
    cases = [case for case in epoch_cases(compiled=False) if case.name in MEASURED]
    monkeypatch.setattr(importlib.import_module('compare_torch'), 'epoch_cases', lambda compiled: cases)
    text = tmp_path / 'text.txt'
    text.write_text(lyrics.decode(lyrics.indices), encoding='utf-8')
    ended = script('compare_torch', 'all', '--quick', '--no-compile', '--corpus', text, '--num-epochs', 1, '--rounds', 1,
                   '--threads', 1, '--lockstep', 2, '--out', tmp_path / 'page')
    assert ended.status == 0, ended.err
    assert {path.name for path in (tmp_path / 'page').iterdir()} == {'index.html', 'parity.json', 'curves.json', 'speed.json',
                                                                     'curves.png', 'speed.png'}
    speed = json.loads((tmp_path / 'page' / 'speed.json').read_text())
    assert {m['name']: m['error'] for m in speed['measured'][0]['implementations']} == dict.fromkeys(MEASURED, '')
    assert (tmp_path / 'page' / 'index.html').stat().st_size > 50_000
