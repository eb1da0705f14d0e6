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
FLAGS = ('--max-chars', '400', '--num-hiddens', '16', '--num-steps', '8', '--batch-size', '8', '--num-epochs', '60',
         '--period', '7', '--checkpoint-period', '1', '--length', '5', '--optimizer', 'adam', '--ctx', 'cpu')


def start(out: Path, *more: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(SCRIPT), *FLAGS, '--out', str(out), *more], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env={**os.environ, 'OMP_NUM_THREADS': '1'})


def result(folder: Path):
    lines = [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]
    return [(line['epoch'], line['perplexity'], line['grad_norm']) for line in lines], checkpoint.read(folder / 'checkpoint.npz')


def finish(out: Path, *more: str) -> None:
    with start(out, *more) as process:
        said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said


def kill_in_its_epochs(out: Path, seconds: float, *more: str) -> bool:
    """Kill a training so many seconds after its first new checkpoint. False where it had ended before."""
    path = out / 'checkpoint.npz'
    before = path.stat().st_mtime_ns if path.exists() else 0
    with start(out, *more) as process:
        while process.poll() is None and not (path.exists() and path.stat().st_mtime_ns != before):
            time.sleep(0.002)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_kill_9(tmp_path):
    finish(tmp_path / 'alone')
    run, rng = tmp_path / 'killed', random.Random(9)
    kills = [kill_in_its_epochs(run, rng.uniform(0, 0.15), *(['--resume'] if run.exists() else [])) for _ in range(5)]
    assert sum(kills) >= 3
    for name in ('config.json', 'metrics.jsonl', 'checkpoint.npz'):      # what is there is whole
        assert (run / name).exists()
    finish(run, '--resume')
    (ours, saved), (theirs, reference) = result(run), result(tmp_path / 'alone')
    assert ours == theirs
    for name, value in reference.arrays.items():
        np.testing.assert_array_equal(value, saved.arrays[name], err_msg=name)


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    """The limit on a file's size stands in for the full disk: the checkpoint's writing fails in its middle."""
    finish(tmp_path / 'run')
    before = (tmp_path / 'run' / 'checkpoint.npz').read_bytes()
    command = f'ulimit -f {len(before) // 1024 // 2}; exec "$@"'
    again = subprocess.run(['bash', '-c', command, 'bash', sys.executable, str(SCRIPT), '--out', str(tmp_path / 'run'),
                            '--resume', '--num-epochs', '61'], capture_output=True, text=True, timeout=200)
    assert again.returncode == 2
    assert again.stderr.splitlines() == [
        f'train.py: {tmp_path / "run" / "checkpoint.npz"}: File too large: free some space, what was saved before is whole']
    assert (tmp_path / 'run' / 'checkpoint.npz').read_bytes() == before
    assert not list((tmp_path / 'run').glob('.*.part'))
