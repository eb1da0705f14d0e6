"""A disk that is full, at each thing that a training asks of it in turn: one line, and nothing lost."""
from __future__ import annotations

import collections
import errno
import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import harness
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / 'scripts'


def full_at(monkeypatch, kth):
    """Have the kth thing asked of the disk fail. Returns the list of all that was asked; from then on nothing fits any more."""
    asked = []

    def hook(what, path):
        if what == 'replaced':
            return
        asked.append((what, path.name))
        if len(asked) >= kth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    harness.interpose(hook, setattr=functools.partial(monkeypatch.setattr, raising=False))
    return asked


@pytest.mark.slow
def test_full_at_each_write(script, small, tmp_path, monkeypatch, count, tally):
    flags = ('train', *small, '--num-epochs', 3, '--period', 3, '--checkpoint-period', 2, '--optimizer', 'adam', '--out')
    with monkeypatch.context() as patched:
        everything = full_at(patched, 10 ** 9)
        assert script(*flags, tmp_path / 'alone').status == 0
    last_of_each = {what: k for k, (what, _) in enumerate(everything, 1)}
    outcomes = collections.Counter()
    for k in sorted({*last_of_each.values(), *range(1, len(everything) + 1, count(8, 1))}):
        run = tmp_path / f'full-{k}'
        with monkeypatch.context() as patched:
            asked = full_at(patched, k)
            ended = script(*flags, run)
        what, name = asked[k - 1]
        assert ended.status == 2, (k, what, name)
        said = 'No space left on device: free some space, what was saved before is whole'
        assert re.fullmatch(rf'train\.py: {run}/[\w.]+: {said}\n', ended.err)
        assert not list(run.glob('.*.part'))
        ended = script(*flags, run, *(['--resume'] if run.exists() else []))
        assert ended.status == 0, (k, what, name, ended.err)
        harness.assert_same_end(run, tmp_path / 'alone')
        outcomes[what] += 1
    assert outcomes.keys() == {'open', 'write', 'sync', 'replace'} and len(everything) > 25
    tally('disk full from the k-th opening, write, sync or renaming of a training on, then `--resume` with space again',
          {'one line, exit status 2; gone on with to the same end': sum(outcomes.values())},
          lost='the epochs since the last checkpoint, which are trained again')


@pytest.mark.slow
def test_full_when_a_run_is_replaced_or_gone_on_with(script, small, tmp_path, monkeypatch, count, tally):
    """The old run is still whole where the new one never came to be."""
    flags = ('train', *small, '--num-epochs', 2, '--period', 2, '--checkpoint-period', 1, '--out')
    assert script(*flags, tmp_path / 'old').status == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / 'old').iterdir()}
    replaced, gone_on = ('--overwrite', '--seed', 3), ('--resume', '--num-epochs', 3)
    tried = [(k, replaced) for k in (1, 2, 3, 4)] + [(k, gone_on) for k in (1, 2, 3, 4, 5)]     # 1 to 4 are config.json's
    for k, more in tried:
        run = tmp_path / f'{k}{more[0]}'
        shutil.copytree(tmp_path / 'old', run)
        with monkeypatch.context() as patched:
            full_at(patched, k)
            ended = script(*flags, run, *more)
        assert ended.status == 2 and 'No space left on device' in ended.err
        now = {path.name: path.read_bytes() for path in run.iterdir()}
        assert now.keys() == before.keys() and all(now[name] == before[name] for name in before if name != 'config.json')
        assert (now['config.json'] == before['config.json']) == (k < 5)
    tally('disk full when a finished run is to be replaced or gone on with',
          {'one line, exit status 2; the old run whole': len(tried)})


@pytest.mark.slow
def test_the_system_says_that_a_file_is_too_large(starter, tmp_path, small, tally):
    """The limit on a file's size stands in for the full disk, and the system itself breaks the writing off."""
    run = tmp_path / 'run'
    flags = [*small, '--period', 1, '--checkpoint-period', 1, '--out', run]
    assert starter.start([*flags, '--num-epochs', 2]).ended(block=True) == 0
    before = (run / 'checkpoint.npz').read_bytes()
    for name in ('curve.png', 'checkpoint.npz'):        # the others are no larger than what is said, which the limit would cut
        limited = starter.start([*flags, '--num-epochs', 3, '--resume'], limit=(run / name).stat().st_size // 2)
        assert limited.ended(block=True) == 2
        [said] = limited.said.read_text().splitlines()[-1:]
        assert said.startswith(f'train.py: {run}')
        assert said.endswith(': File too large: free some space, what was saved before is whole')
        assert 'Traceback' not in limited.said.read_text()
        assert (run / 'checkpoint.npz').read_bytes() == before
        assert not list(run.glob('.*.part'))
    tally("a file's size limited by the system (`ulimit -f`)",
          {'one line, exit status 2; the old checkpoint whole': 2})


@pytest.mark.slow
@pytest.mark.parametrize('where', ['/dev/full', 'closed'])
def test_what_is_printed_has_no_place(script, small, tmp_path, where, tally):
    """Standard output on a full disk, or closed: then the next file that is opened must not take its place."""
    run, flags = tmp_path / 'run', [str(flag) for flag in (*small, '--num-epochs', 2, '--out')]
    script('train', *flags, tmp_path / 'alone')
    to = '&-' if where == 'closed' else where
    command = ['bash', '-c', f'exec "$@" >{to}', 'bash', sys.executable, SCRIPTS / 'train.py', *flags]
    ended = subprocess.run([*command, run], stderr=subprocess.PIPE, text=True, timeout=200)
    if where == 'closed':
        assert (ended.returncode, ended.stderr) == (0, '')
    else:
        said = 'train.py: No space left on device: free some space, what was saved before is whole\n'
        assert (ended.returncode, ended.stderr) == (2, said)
        assert script('train', *flags, run, '--resume').status == 0
    harness.assert_same_end(run, tmp_path / 'alone')
    tally(f'standard output {"closed" if where == "closed" else "on a full disk"}',
          {'trained as ever' if where == 'closed' else 'one line, exit status 2; gone on with to the same end': 1})
