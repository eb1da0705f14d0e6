"""scripts/alphabet.py: what the networks answer, what the command leaves, how it fails."""
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gluon_rnn import bptt

SCRIPT = Path(__file__).resolve().parents[2] / 'scripts' / 'alphabet.py'


@pytest.fixture(scope='module')
def alphabet():
    spec = importlib.util.spec_from_file_location('alphabet_script', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(alphabet, *words):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, 'argv', ['scripts/alphabet.py', *map(str, words)])
        alphabet.main()


@pytest.fixture(scope='module')
def trained(alphabet, tmp_path_factory):
    out = tmp_path_factory.mktemp('alphabet') / 'new' / 'folder'
    run(alphabet, '--out', out, '--ask', 'c', 'fg', 'y', 'abcdefghijklm')
    return out


@pytest.fixture(scope='module')
def record(trained):
    return json.loads((trained / 'alphabet.json').read_text())


def test_training_strings(alphabet):
    def spell(indices):
        return [''.join(alphabet.LETTERS[i] for i in column) for column in indices.T]

    batches = [(spell(X.argmax(axis=2)), spell(Y)) for X, Y in alphabet.training_batches()]
    assert [len(inputs) for inputs, _ in batches] == [23, 1, 1]
    assert batches[0][0][:2] == ['abc', 'bcd'] and batches[0][1][:2] == ['bcd', 'cde']
    assert batches[0][0][-1] == 'wxy' and batches[0][1][-1] == 'xyz'
    assert batches[1:] == [(['xy'], ['yz']), (['y'], ['z'])]


@pytest.mark.parametrize('method', ['bptt', 'rtrl', 'rtrl_online'])
def test_learns_the_whole_alphabet(record, method):
    result = record['methods'][method]
    assert result['answers'] == {'c': 'd', 'fg': 'h', 'y': 'z', 'abcdefghijklm': 'n'}
    assert (result['right'], result['asked']) == (325, 325)
    assert result['loss'][0] > 3 and result['loss'][-1] < 0.02


def test_c_and_fg_were_never_training_strings(alphabet):
    strings = [tuple(column) for X, _ in alphabet.training_batches() for column in X.argmax(axis=2).T]
    assert (2,) not in strings and (5, 6) not in strings


def test_one_gradient_gives_one_curve(record):
    curves = [result['loss'] for result in record['methods'].values()]
    assert_allclose(curves[0], curves[1], rtol=1e-8)
    assert abs(np.log(np.divide(curves[0], curves[2]))).max() > 1e-3


@pytest.mark.parametrize('seed', range(1, 5))
def test_learns_from_other_seeds(alphabet, seed):
    params = bptt.init_params(26, 16, 26, seed=seed)
    params, _, _ = alphabet.learn('bptt', alphabet.training_batches(), params, num_epochs=100, lr=4)
    assert alphabet.examine(params) == (325, 325), f'seed {seed}'


def test_leaves_whole_files_and_nothing_else(trained, record):
    assert sorted(path.name for path in trained.iterdir()) == ['alphabet.json', 'alphabet.png']
    assert (trained / 'alphabet.png').read_bytes().startswith(b'\x89PNG')
    assert record['flags']['num_epochs'] == 100


def test_the_same_seed_gives_the_same_losses(alphabet, tmp_path, monkeypatch):
    monkeypatch.setattr(alphabet, 'save_figure', lambda *drawing: None)
    losses = []
    for seed in (3, 3, 4):
        flags = f'--num-epochs 5 --seed {seed} --overwrite --out'
        run(alphabet, *flags.split(), tmp_path)
        losses.append(json.loads((tmp_path / 'alphabet.json').read_text())['methods']['bptt']['loss'])
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize('flags, message', [
    ('--ask c3', "--ask takes letters from a to z, the last of them not z, got 'c3'"),
    ('--ask c yz', "got 'yz'"),
    ('--lr 1e308', 'BPTT: the loss is nan in epoch 2; take an --lr below 1e+308'),
    ('--num-epochs 0', '--num-epochs must be 1 or more, got 0'),
    ('--lr nan', '--lr must be above 0, got nan'),
    ('--seed -1', '--seed must be 0 or more, got -1'),
    ('train', 'unrecognized arguments: train'),
])
def test_bad_input_is_one_line_and_status_2(refused, tmp_path, flags, message):
    refused(message, 'alphabet', *flags.split(), '--out', tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_one_line_and_status_2(tmp_path):
    out = tmp_path / 'file'
    out.write_text('kept')
    run = subprocess.run([sys.executable, str(SCRIPT), '--out', str(out)], check=False, timeout=120,
                         capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 2 and run.stdout == ''
    assert run.stderr.count('\n') == 1 and 'File exists' in run.stderr
    assert out.read_text() == 'kept'
