"""What is refused or stopped says so in one line: what a new user met, and its siblings."""
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mxnet import gluon

from gluon_rnn import load_corpus
from gluon_rnn.cells.gluon_layer import GluonLayer

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments, **variables):
    return subprocess.Popen([sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, **variables}, text=True)


def test_a_layer_that_reads_rows_first_is_refused():
    with pytest.raises(ValueError, match="must have layout 'TNC', steps before rows, got 'NTC'"):
        GluonLayer(gluon.rnn.LSTM(4, layout='NTC', input_size=3), 'lstm')


def test_resume_alone_starts_no_other_training(refused, tmp_path):
    refused('holds no run to go on with: give all its flags again', 'train', '--out', tmp_path, '--resume')


def test_a_clockwork_rnn_for_pytorch_is_refused_in_one_line(script, refused, small, tmp_path):
    assert script('train', *small, '--cell', 'clockwork', '--out', tmp_path / 'run').status == 0
    refused('no counterpart in PyTorch', 'export', tmp_path / 'run', '--format', 'torch')


def test_output_that_cannot_hold_chinese(small, tmp_path):
    process = start('scripts/train.py', *small, '--out', tmp_path / 'run', PYTHONIOENCODING='ascii')
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert '\\u' in out


def test_a_flag_that_is_misspelt(refused):
    refused('did you mean --num-epochs for --epochs?', 'train', '--epochs', 3)
    refused('did you mean --num-hiddens for --num-hidden?', 'train', '--num-hidden', 3)


def test_a_compressed_text_is_not_told_to_be_saved_as_utf8(tmp_path):
    path = tmp_path / 'x.txt.gz'
    path.write_bytes(gzip.compress(b'text'))
    with pytest.raises(ValueError, match='compressed by gzip: unpack it by gunzip'):
        load_corpus(str(path))


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
