"""What all scripts share: what keeps MXNet from running is one line and exit status 2, before anything else."""
from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import _cli
import pytest

from gluon_rnn.runtime import GPUWarning, contexts, gpus, wheels
from gluon_rnn.runtime.gpus import Card, CardsFound

ROOT = Path(__file__).resolve().parents[2]
# those that run, or at least begin, without MXNet
WITHOUT = ('_cli', '_flags', '_hosts', '_keep', '_paste', '_progress', 'alphabet', 'bptt_cost',
           'compare_d2lzh', 'generate', 'launch', 'score')
SCRIPTS = sorted(path for path in (ROOT / 'scripts').glob('*.py') if path.stem not in WITHOUT)
H100 = Card('NVIDIA H100', 'GPU-1', '550.54.15', (9, 0))


@pytest.mark.parametrize('path', SCRIPTS, ids=lambda path: path.stem)
def test_a_numpy_too_new_is_one_line(tmp_path, path):
    (tmp_path / 'numpy.py').write_text('__version__ = "2.1.3"')
    ended = subprocess.run([sys.executable, str(path), '--help'], env={'PYTHONPATH': str(tmp_path)}, cwd=ROOT, text=True,
                           capture_output=True)
    assert (ended.returncode, ended.stdout) == (2, '')
    assert ended.stderr == f"{path.name}: MXNet 1.9.1 needs NumPy below 2, found 2.1.3: pip install 'numpy<2'\n"


@pytest.mark.parametrize('before, said', [
    ('import sys; sys.version_info = (3, 13, 0, "", 0)', r'MXNet 1\.9\.1 runs here on Python 3\.9 to 3\.12, this is 3\.13: '),
    ('', r"No module named 'tqdm': pip install -r requirements\.txt$")], ids=['Python 3.13', 'this Python'])
def test_a_package_that_is_missing(tmp_path, before, said):
    """It is named, but where MXNet could not run anyway."""
    (tmp_path / 'tqdm.py').write_text(f'raise ModuleNotFoundError("No module named {chr(39)}tqdm{chr(39)}", name="tqdm")')
    (tmp_path / 'sitecustomize.py').write_text(before)
    ended = subprocess.run([sys.executable, 'scripts/train.py', '--help'], env={'PYTHONPATH': str(tmp_path)}, cwd=ROOT, text=True,
                           capture_output=True)
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, '', 1)
    assert re.match(f'train.py: {said}', ended.stderr)


@pytest.mark.parametrize('answer, cuda, said', [
    (CardsFound((H100,)), True, 'GPU 0 (NVIDIA H100, compute capability 9.0) is newer than MXNet 1.9.1'),
    (CardsFound((Card('V100', 'GPU-1', '440.33.01'),)), True, 'the NVIDIA driver is 440.33.01, too old for CUDA 11'),
    (CardsFound((Card('V100', 'GPU-1', '535.54', (7, 0)),)), False, 'this MXNet is built without CUDA'),
    (CardsFound(complaint='no driver'), True, 'nvidia-smi finds no GPU that works (no driver)')],
    ids=['card too new', 'driver too old', 'CPU build', 'no driver'])
def test_a_gpu_that_cannot_be_used(refused, script, small, monkeypatch, tmp_path, answer, cuda, said):
    """--ctx gpu says why; auto trains on the CPU, and says so where the CUDA build was installed."""
    monkeypatch.setattr(gpus, 'ask', lambda: answer)
    monkeypatch.setattr(contexts, 'built_with_cuda', lambda: cuda)
    monkeypatch.setattr(wheels, 'installed', lambda: [wheels.WHEEL if cuda else 'mxnet'])
    refused(said, 'train', *small, '--out', tmp_path / 'run', '--ctx', 'gpu')
    assert not (tmp_path / 'run').exists()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        warnings.simplefilter('always', GPUWarning)
        warnings.showwarning = lambda *args: print(_cli.format_warning(*args[:4]), end='', file=sys.stderr)
        ended = script('train', *small, '--num-epochs', 1, '--out', tmp_path / 'run', '--ctx', 'auto')
    assert ended.status == 0 and 'saved in' in ended.out
    assert ended.err.count('\n') == cuda and ended.err.startswith(f'train.py: {said}' if cuda else '')


def test_other_warnings_stay_as_they_are():
    where = ('careful', RuntimeWarning, 'file.py', 3)
    assert _cli.format_warning(*where) == warnings.formatwarning(*where) == 'file.py:3: RuntimeWarning: careful\n'


@pytest.mark.parametrize('said, told', [
    ('num_steps must be 1 or more, got 0', '--num-steps must be 1 or more, got 0'),
    ('lr must be above 0, got 0', '--lr must be above 0, got 0'),
    ('the text is too short: lower num_steps', 'the text is too short: lower --num-steps'),
    ('the best lr is not known', 'the best lr is not known'),                       # a word as any other
    ('config.json is damaged (num_steps is 0)', 'config.json is damaged (num_steps is 0)'),
    ('runs/num_steps/a.txt is empty', 'runs/num_steps/a.txt is empty'),
    ('model must be a run', 'model must be a run')])                                # no flag
def test_errors_of_the_library_name_flags(said, told):
    parser = _cli.ArgumentParser()
    parser.add_argument('model')
    parser.add_argument('--num-steps', type=int)
    parser.add_argument('--lr', type=float)
    parser.parse_args(['run'])
    assert _cli.with_flags(said) == told
