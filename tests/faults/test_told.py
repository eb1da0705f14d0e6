"""What is refused or stopped says so in one line: what a new user met, and its siblings."""
import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import _cli
import pytest
from mxnet import gluon

from gluon_rnn.cells.gluon_layer import GluonLayer

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments, **variables):
    return subprocess.Popen([sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, **variables}, text=True)


def test_a_layer_that_reads_rows_first_is_refused():
    with pytest.raises(ValueError, match="must have layout 'TNC', steps before rows, got 'NTC'"):
        GluonLayer(gluon.rnn.LSTM(4, layout='NTC', input_size=3), 'lstm')


def test_resume_alone_starts_no_other_training(refused, tmp_path):
    for flags in ((), ('--num-epochs', 3, '--lr', 1, '--ctx', 'cpu')):       # no kind of network among them
        (tmp_path / 'run').mkdir()
        refused('holds no run to go on with: give all its flags again', 'train', '--out', tmp_path / 'run', '--resume', *flags)


def test_a_clockwork_rnn_for_pytorch_is_refused_in_one_line(script, refused, small, tmp_path):
    assert script('train', *small, '--cell', 'clockwork', '--num-epochs', 1, '--out', tmp_path / 'run').status == 0
    refused('no counterpart in PyTorch', 'export', tmp_path / 'run', '--format', 'torch')


def test_a_flag_that_is_misspelt(refused):
    refused('did you mean --num-epochs for --epochs?', 'train', '--epochs', 3)
    refused('did you mean --num-hiddens for --num-hidden?', 'train', '--num-hidden', 3)


@pytest.mark.parametrize('name', sorted(path.stem for path in (ROOT / 'scripts').glob('[!_]*.py')))
def test_every_script_names_the_flag_that_was_meant(refused, name):
    """Of each of its flags, with a letter left out, and without the word that it begins with."""
    module = importlib.import_module(name)
    if not hasattr(module, 'parser'):
        return
    flags = {flag for flag in _cli.flags_of(module.parser()) if len(flag) > 6}
    for flag in flags:
        wrong = flag[:-1]
        assert _cli.nearest(wrong, sorted(flags)).startswith(wrong), wrong
    for flag, wrong in (('--num-epochs', '--epochs'), ('--num-hiddens', '--num-hidden'), ('--num-hiddens', '--hiddens')):
        if flag in flags:
            command = COMMANDS.get(name, ())
            refused(f'did you mean {flag} for {wrong}?', name, *command, wrong, 3)


# what stands before the flags of a script that has commands, or needs something
COMMANDS = {'benchmark': ('epochs',), 'fill_in': ('train',), 'alphabet': ('--out', 'x'), 'compare_torch': ('curves',)}


def test_a_text_whose_name_is_not_utf8(refused, tmp_path):
    path = os.fsdecode(bytes(tmp_path) + b'/\xff.txt')
    Path(path).write_text('some text ' * 100)
    refused("udcff.txt' is not UTF-8: rename the file", 'train', '--corpus', path, '--out', tmp_path / 'run')


@pytest.mark.slow
def test_a_waveform_that_is_stopped_is_drawn(tmp_path):
    process = start('scripts/waveform.py', '--num-epochs', 100000, '--period', 1, '--num-samples', 40, '--out', tmp_path / 'out')
    assert process.stdout.readline().startswith('clockwork') and process.stdout.readline().startswith('epoch 1,')
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    picture = tmp_path / 'out' / 'waveform.png'
    assert (process.returncode, err) == (130, f'waveform.py: stopped; the waves as they were then are in {picture}\n')
    assert picture.read_bytes().startswith(b'\x89PNG')


@pytest.mark.skipif(not hasattr(signal, 'pthread_sigmask'), reason='signals of POSIX')
def test_ctrl_c_while_modules_load(tmp_path):
    """_cli is there first; what loads after it takes seconds."""
    code = ('import sys, signal, os; sys.argv = ["train.py"]; sys.path.insert(0, "scripts"); import _cli\n'
            'print("ready", flush=True)\nimport time; time.sleep(60)')
    process = start('-c', code)
    assert process.stdout.readline() == 'ready\n'
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, 'train.py: stopped\n')


def test_a_user_without_home_and_name_on_a_narrow_terminal(small, tmp_path):
    """As in a container that is given a plain uid: no home, output that cannot hold Chinese; and warnings are errors."""
    flags = [*map(str, small), '--out', str(tmp_path / 'run')]
    code = ('import os, pwd, runpy, sys\ndef nobody(_):\n    raise KeyError\npwd.getpwuid = nobody\n'
            'os.environ.pop("HOME", None)\nos.environ.pop("XDG_CACHE_HOME", None)\n'
            'sys.path.insert(0, "scripts")\n'
            f'sys.argv = ["scripts/train.py", *{flags!r}]\nrunpy.run_path("scripts/train.py", run_name="__main__")')
    process = start('-W', 'error', '-c', code, PYTHONIOENCODING='ascii')
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert 'epoch 4, perplexity' in out and '\\u' in out and 'Traceback' not in err


def test_a_python_without_docstrings_is_refused_in_one_line(tmp_path):
    process = start('scripts/train.py', '--out', tmp_path / 'run', PYTHONOPTIMIZE='2')
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == ('train.py: MXNet 1.9.1 reads its own docstrings, which python -OO and PYTHONOPTIMIZE=2 leave out: '
                   'run without them\n')
