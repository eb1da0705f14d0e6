"""Two trainings into one folder at once: the second is refused, and the first never knows."""
from __future__ import annotations

import harness
import pytest

FLAGS = ('--max-chars', '400', '--num-hiddens', '8', '--num-steps', '8', '--batch-size', '8', '--period', '1',
         '--checkpoint-period', '1', '--length', '5', '--ctx', 'cpu', '--impl', 'scratch')


@pytest.mark.slow
def test_the_second_is_refused(starter, script, tmp_path, tally):
    """The first stands still inside the writing of its third checkpoint meanwhile."""
    run, flags = tmp_path / 'run', ('--num-epochs', '6')
    script('train', *FLAGS, *flags, '--out', tmp_path / 'alone')
    first = starter.start([*FLAGS, *flags, '--out', run], pause=('checkpoint.npz', 'write', 3))
    assert first.paused()
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    for more in ((), ('--resume',), ('--overwrite',)):
        ended = script('train', *FLAGS, *flags, '--out', run, *more)
        assert (ended.status, ended.err) == \
            (2, f'train.py: another run is writing in {run}: wait for it, or choose another folder\n')
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert first.killed()
    script('train', *FLAGS, *flags, '--out', run, '--resume')      # the lock went with its process
    harness.assert_same_end(run, tmp_path / 'alone')
    tally('a second training into a folder where one is writing: new, `--resume`, `--overwrite`',
          {'refused in one line; the first not disturbed': 3})


@pytest.mark.slow
def test_started_at_the_same_moment(starter, tmp_path, count, tally):
    number = count(3, 12)
    run = tmp_path / 'run'
    several = [starter.start([*FLAGS, '--num-epochs', 40, '--period', 40, '--out', run]) for _ in range(number)]
    ended = [(training.ended(block=True), training.said.read_text()) for training in several]
    refused = [said for status, said in ended if status == 2]
    assert sorted(status for status, _ in ended) == [0] + [2] * (number - 1), ended
    assert all(said.startswith('train.py: another run is writing in') and said.count('\n') == 1 for said in refused)
    metrics, _ = harness.result(run)
    assert [line[0] for line in metrics] == list(range(1, 41))
    tally(f'{number} trainings into one folder, started at the same moment', {'one trains to its end, the others are refused': 1})
