"""Several processes with MXNet's parameter server, on the loopback: the same as one process, whatever ends them."""
from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn.runs import checkpoint
from tests.scripts import together_worker
from tests.scripts.test_launch import alive, token  # noqa: F401  (a fixture)

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(together_worker.__file__)
LAUNCH = ROOT / 'scripts' / 'launch.py'
TRAIN = (sys.executable, str(ROOT / 'scripts' / 'train.py'))
FLAGS = ('--max-chars', '600', '--num-hiddens', '16', '--num-steps', '8', '--batch-size', '6', '--length', '5', '--ctx', 'cpu',
         '--impl', 'hybrid', '--cell', 'rnn', '--optimizer', 'adam', '--checkpoint-period', '5', '--period', '20')


def launched(*command: str, workers: int = 2, servers: int = 1, grace: float = 3) -> subprocess.Popen:
    flags = ('-n', str(workers), '-s', str(servers), '--grace', str(grace))
    return subprocess.Popen([sys.executable, str(LAUNCH), *flags, '--', *command], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, 'OMP_NUM_THREADS': '1'})


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    with process:
        try:
            out, err = process.communicate(timeout=400)
        except subprocess.TimeoutExpired:
            process.terminate()
            raise
    return process.returncode, out, err


def result(folder: Path):
    lines = [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]
    return [(line['epoch'], line['perplexity'], line['grad_norm']) for line in lines], checkpoint.read(folder / 'checkpoint.npz')


@pytest.mark.slow
def test_workers_equal_each_other_and_one_process(token, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv('MXNET_KVSTORE_BIGARRAY_BOUND', '100')       # so that arrays as small as these are cut among the servers
    status, out, err = finish(launched(sys.executable, str(WORKER), str(tmp_path), workers=3, servers=2))
    assert status == 0, (out, err)
    for case in together_worker.CASES:
        reference, expected = together_worker.train(case, None)
        weights = [dict(np.load(tmp_path / f'{case} {rank}.npz')) for rank in range(3)]
        records = [json.loads((tmp_path / f'{case} {rank}.json').read_text()) for rank in range(3)]
        for name, value in reference.model.parameters().items():
            for other in weights[1:]:
                assert_array_equal(other[name], weights[0][name], err_msg=f'{case} {name}')
            # adam divides a gradient by its size, and so makes steps of rounding errors where there is little else
            assert_allclose(weights[0][name], value.asnumpy(), rtol=1e-4, atol=1e-4 if 'deep' in case else 1e-5,
                            err_msg=f'{case} {name}')
        for epoch, record in enumerate(expected):
            for other in records:
                assert_allclose([other[epoch]['perplexity'], other[epoch]['grad_norm']], [record.perplexity, record.grad_norm],
                                rtol=2e-5, err_msg=case)


@pytest.mark.slow
def test_a_worker_that_is_killed_and_a_job_that_is_stopped(token, tmp_path):  # noqa: F811
    """Each is gone on with and ends with the result of a job that nothing disturbed, bit for bit.

    The sum of two workers' gradients does not depend on who came first.
    """
    run = tmp_path / 'disturbed'
    job = launched(*TRAIN, *FLAGS, '--num-epochs', '4000', '--out', str(run))
    wait_for(run / 'checkpoint.npz', job)
    killed, = [pid for pid, variables in alive(token).items() if variables.get('GLUON_RNN_RANK') == '1'
               and (Path('/proc') / str(pid) / 'cmdline').read_bytes().split(b'\0')[1] == TRAIN[1].encode()]
    os.kill(killed, signal.SIGKILL)
    status, _, err = finish(job)
    assert (status, err.splitlines()[-1]) == (137, 'launch.py: worker 1 ended by SIGKILL, and with it the job')
    assert alive(token) == {}
    saved = checkpoint.read(run / 'checkpoint.npz').epoch
    assert saved % 5 == 0 and saved > 0

    job = launched(*TRAIN, '--out', str(run), '--resume', '--num-epochs', str(saved + 4000))
    wait_for(run / 'checkpoint.npz', job)
    job.send_signal(signal.SIGINT)
    status, _, err = finish(job)
    assert status == 130, err
    assert 'epochs are saved in' in err
    pasted = shlex.split(err.strip().splitlines()[-1].rpartition('go on with: ')[2])
    assert pasted == [sys.executable, str(LAUNCH), '-n', '2', '-s', '1', '--grace', '3', '--', *TRAIN, '--out', str(run),
                      '--resume']
    stopped = checkpoint.read(run / 'checkpoint.npz').epoch
    assert stopped > saved
    assert alive(token) == {}

    last, alone = max(40, stopped + 5), tmp_path / 'alone'
    status, out, err = finish(launched(*TRAIN, '--out', str(run), '--resume', '--num-epochs', str(last)))
    assert status == 0, err
    status, out, err = finish(launched(*TRAIN, *FLAGS, '--num-epochs', str(last), '--out', str(alone)))
    assert status == 0, err
    assert not [line for line in (out + err).splitlines() if 'worker 1' in line and ' at work, ' not in line]
    assert [line for line in out.splitlines() if line.startswith('epoch')] == [
        line for line in (alone / 'samples.txt').read_text().splitlines() if line.startswith('epoch')]
    (ours, state), (theirs, reference) = result(run), result(alone)
    assert ours == theirs and len(ours) == last
    assert state.arrays.keys() == reference.arrays.keys()
    for name, value in reference.arrays.items():
        assert_array_equal(state.arrays[name], value, err_msg=name)


@pytest.mark.slow
def test_a_training_that_cannot_be_ends_at_once(token, tmp_path):  # noqa: F811
    start = time.monotonic()
    status, _, err = finish(launched(*TRAIN, *FLAGS, '--out', str(tmp_path / 'run'), '--batch-size', '1'))
    assert status == 2
    assert 'Traceback' not in err
    said = '--batch-size must be 2 or more, a row for each context of each process, got 1'
    assert err.splitlines()[-1].startswith('launch.py: worker ') and said in err.splitlines()[-1]
    assert time.monotonic() - start < 120         # and does not wait for ever


def wait_for(path: Path, job: subprocess.Popen) -> None:
    """Until a job has written its first new checkpoint."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    deadline = time.monotonic() + 200
    while not (path.exists() and path.stat().st_mtime_ns != before):
        assert job.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
