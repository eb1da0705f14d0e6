"""A training killed with kill -9 at any moment, gone on with, and compared with one that was left alone."""
from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gluon_rnn import checkpoint

SCRIPT = Path(__file__).resolve().parents[2] / 'scripts' / 'train.py'
FLAGS = ('--max-chars', '1200', '--num-hiddens', '16', '--num-steps', '5', '--batch-size', '4', '--num-epochs', '30', '--period', '7',
         '--checkpoint-period', '1', '--length', '5', '--optimizer', 'adam', '--ctx', 'cpu')


def start(out: Path, *more: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(SCRIPT), *FLAGS, '--out', str(out), *more], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env={**os.environ, 'OMP_NUM_THREADS': '1'})


def result(folder: Path):
    lines = [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]
    return [(line['epoch'], line['perplexity'], line['grad_norm']) for line in lines], checkpoint.read(folder / 'checkpoint.npz')


@pytest.mark.slow
def test_kill_9(tmp_path):
    alone = start(tmp_path / 'alone')
    assert alone.wait(200) == 0, alone.stdout.read()
    rng, kills, run = random.Random(9), 0, tmp_path / 'killed'
    for _ in range(30):
        process = start(run, *(['--resume'] if run.exists() else []))
        before = (run / 'checkpoint.npz').stat().st_mtime_ns if (run / 'checkpoint.npz').exists() else 0
        while process.poll() is None:       # kill it somewhere in the epochs after its first checkpoint
            time.sleep(0.005)
            if (run / 'checkpoint.npz').exists() and (run / 'checkpoint.npz').stat().st_mtime_ns != before:
                time.sleep(rng.uniform(0, 0.15))
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                break
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, process.stdout.read()
        for name in ('config.json', 'metrics.jsonl', 'checkpoint.npz'):      # what is there is whole
            assert (run / name).exists()
        result(run)
        if kills == 5:
            last = start(run, '--resume')
            assert last.wait(200) == 0, last.stdout.read()
            break
    assert kills >= 3
    (ours, saved), (theirs, reference) = result(run), result(tmp_path / 'alone')
    assert ours == theirs
    for name, value in reference.arrays.items():
        np.testing.assert_array_equal(value, saved.arrays[name], err_msg=name)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    """The limit on a file's size stands in for the full disk: the checkpoint's writing fails in its middle."""
    done = start(tmp_path / 'run')
    assert done.wait(200) == 0, done.stdout.read()
    before = (tmp_path / 'run' / 'checkpoint.npz').read_bytes()
    command = f'ulimit -f {len(before) // 1024 // 2}; exec "$@"'
    again = subprocess.run(['bash', '-c', command, 'bash', sys.executable, str(SCRIPT), '--out', str(tmp_path / 'run'), '--resume',
                            '--num-epochs', '31'], capture_output=True, text=True, timeout=200)
    assert again.returncode == 2
    assert again.stderr.splitlines()[-1] == 'train.py: File too large'
    assert (tmp_path / 'run' / 'checkpoint.npz').read_bytes() == before
    assert not list((tmp_path / 'run').glob('.*.part'))
