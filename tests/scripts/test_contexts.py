"""scripts/train.py on several contexts, and what it says to contexts and stores that cannot be."""
from __future__ import annotations

import json

import numpy as np
import pytest

from gluon_rnn.runs import checkpoint

FIGURES = ('perplexity', 'grad_norm', 'valid_perplexity')


def result(folder):
    lines = [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]
    return [[line[name] for name in FIGURES] for line in lines], checkpoint.read(folder / 'checkpoint.npz')


@pytest.mark.slow
def test_two_contexts_train_as_one_and_take_over_from_each_other(script, small, tmp_path):
    """Two epochs on two contexts and two on one, and the other way round, are four on one but for rounding."""
    flags = (*small, '--valid-fraction', 0.2, '--optimizer', 'adam', '--impl', 'hybrid')
    runs = {'one': ('cpu', 'cpu'), 'split': ('cpu(0),cpu(1)', 'cpu(1)'), 'joined': ('cpu', 'cpu(0),cpu(1),cpu(2)')}
    for name, (first, second) in runs.items():
        for step in ([*flags, '--ctx', first, '--num-epochs', 2], ['--resume', '--ctx', second, '--num-epochs', 4]):
            ended = script('train', *step, '--out', tmp_path / name)
            assert (ended.status, ended.err) == (0, ''), name
    expected, reference = result(tmp_path / 'one')
    for name in ('split', 'joined'):
        figures, saved = result(tmp_path / name)
        np.testing.assert_allclose(figures, expected, rtol=2e-5)
        assert saved.arrays.keys() == reference.arrays.keys()
        for array, value in reference.arrays.items():
            np.testing.assert_allclose(saved.arrays[array], value, rtol=1e-3, atol=1e-4, err_msg=f'{name} {array}')


@pytest.mark.parametrize('said, flags', [
    ('MXNet sees no GPUs: use --ctx cpu', ('--ctx', 'cpu(0),gpu(1)')),
    ('ctx must name each context once', ('--ctx', 'cpu,cpu(0)')),
    ("ctx must be 'auto', 'cpu', 'gpu'", ('--ctx', 'cpu;cpu(1)')),
    ('--batch-size must be 9 or more, a row for each context of each process, got 8',
     ('--ctx', ','.join(f'cpu({i})' for i in range(9)))),
    ('kvstore dist_sync needs processes to work together: start them by scripts/launch.py', ('--kvstore', 'dist_sync')),
    ("argument --kvstore: invalid choice: 'nccl'", ('--kvstore', 'nccl')),
])
def test_what_cannot_be_is_one_line(refused, small, tmp_path, said, flags):
    refused(said, 'train', *small, '--out', tmp_path / 'run', *flags)
    assert not (tmp_path / 'run').exists()


def test_a_job_that_is_half_described(refused, small, tmp_path, monkeypatch):
    monkeypatch.setenv('DMLC_ROLE', 'worker')
    said = 'DMLC_ROLE is worker and DMLC_NUM_WORKER is not set: start the workers by scripts/launch.py'
    refused(said, 'train', *small, '--out', tmp_path / 'run')
