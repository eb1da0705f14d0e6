"""A training killed with kill -9 at random moments and inside the writing of its files, gone on with, and compared."""
from __future__ import annotations

import collections
import functools
import itertools
import random
import time

import harness
import pytest

from gluon_rnn.runs.folder import read_metrics

FLAGS = ('--max-chars', '400', '--num-hiddens', '16', '--num-steps', '8', '--batch-size', '8', '--num-epochs', '40',
         '--length', '5', '--ctx', 'cpu')
# Trainings that remember different things: Adam's means, what dropout draws and the order of random batches, a held-out text.
NETWORKS = {
    'gru': ('--optimizer', 'adam', '--period', '8', '--checkpoint-period', '1'),
    'lstm': ('--cell', 'lstm', '--impl', 'hybrid', '--num-layers', '2', '--dropout', '0.3', '--sampling', 'random', '--period',
             '10', '--checkpoint-period', '2'),
    'gluon': ('--impl', 'gluon', '--optimizer', 'nadam', '--valid-fraction', '0.2', '--period', '9', '--checkpoint-period', '3'),
}
OFTEN = ('checkpoint.npz', 'metrics.jsonl')     # written each epoch or two
ADDED_TO = 'metrics.jsonl'
OTHERS = (ADDED_TO, 'samples.txt', 'curve.png', 'config.json')      # written beside the checkpoint


def flags(network, out, resume=False):
    return [*FLAGS, *NETWORKS[network], '--out', str(out), *(['--resume'] if resume else [])]


def finish(starter, network, out, *, resume=False):
    training = starter.start(flags(network, out, resume))
    assert training.ended(block=True) == 0, training.said.read_text()


def kill_at_random(starter, network, out, seconds):
    """Kill a training so many seconds after its first new epoch. None where it had come to its end before."""
    parts, path = halves(out), out / 'metrics.jsonl'
    before = path.stat().st_mtime_ns if path.exists() else 0
    training = starter.start(flags(network, out, out.exists()))
    while training.ended() is None and not (path.exists() and path.stat().st_mtime_ns != before):
        time.sleep(0.002)
    time.sleep(seconds)
    if not training.killed():
        return None
    new = [part.name for part, written in halves(out).items() if parts.get(part) != written]
    return f'inside the writing of {new[0][1:-len(".part")]}' if new else 'between'


def kill_inside(starter, network, out, name, point, nth):
    """Kill a training inside the nth writing of a file, at one of `harness.POINTS`. None where it wrote it less often."""
    path = out / name
    before = path.read_bytes() if path.exists() else None
    training = starter.start(flags(network, out, out.exists()), pause=(name, point, nth))
    training.paused()
    if not training.killed():
        return None
    if name == ADDED_TO:
        read_metrics(out)       # the old lines still stand there, and at most a part of a new one
    else:
        assert point in ('open', 'replaced') or (out / f'.{name}.part').exists()
        if nth == 1 and point != 'replaced':        # what stood there is still what stands there, to the last byte
            assert (path.read_bytes() if path.exists() else None) == before
    return f'inside the writing of {name}'


def halves(folder):
    """The files that a kill has left half written, and when."""
    return {part: part.stat().st_mtime_ns for part in folder.glob('.*.part')}


@pytest.mark.slow
def test_kill_9(starter, tmp_path, count, tally):
    rng = random.Random(9)
    inside, beside, at_random = count(3, 12), count(2, 8), count(7, 30)
    points = itertools.cycle(('write', 'sync', 'replace', 'write', 'replaced'))
    kills = [('checkpoint.npz', point) for point in itertools.islice(points, inside)]
    kills += [(name, rng.choice(harness.POINTS[:3] if name == ADDED_TO else harness.POINTS))      # which is replaced by none
              for name in itertools.islice(itertools.cycle(OTHERS), beside)]
    kills += [None] * at_random
    rng.shuffle(kills)
    networks, where = itertools.cycle(NETWORKS), collections.Counter()
    share = -(-len(kills) // count(1, len(NETWORKS)))       # kills of one training
    trainings = 0
    while kills:
        trainings += 1
        network, left = next(networks), min(share, len(kills))
        run, alone = tmp_path / f'killed-{trainings}', tmp_path / f'alone-{trainings}'
        start = time.monotonic()
        finish(starter, network, alone)
        seconds = time.monotonic() - start
        while left:
            kill = kills[-1]
            hit = (kill_inside(starter, network, run, *kill, rng.randint(1, 3) if kill[0] in OFTEN else 1) if kill else
                   kill_at_random(starter, network, run, rng.uniform(0, seconds / 5)))
            if hit is None:     # the training was at its end
                break
            where[hit] += 1
            kills.pop()
            left -= 1
        finish(starter, network, run, resume=True)
        harness.assert_same_end(run, alone)
    of_checkpoint = where['inside the writing of checkpoint.npz']
    assert of_checkpoint >= inside
    tally(f'`kill -9` of a training, {of_checkpoint} of them inside the writing of `checkpoint.npz`, '
          f'{sum(where.values()) - of_checkpoint - where["between"]} inside that of another file, then `--resume`',
          {'gone on with: metrics, verses and weights equal bit for bit': sum(where.values())},
          lost='the epochs since the last checkpoint, which are trained again')


@pytest.mark.parametrize('point, settings', [('write', ()), ('replaced', ('--seed', 3))], ids=['before', 'after'])
def test_stopped_while_a_run_is_replaced(script, small, tmp_path, monkeypatch, point, settings):
    """Gone on with by the old settings or the new ones, never with the weights of the one under those of the other."""
    run, alone = tmp_path / 'run', tmp_path / 'alone'
    flags = ('train', *small, '--num-epochs', 2, '--checkpoint-period', 1, '--out')
    script(*flags, run)
    script(*flags, alone, *settings)

    def stop(what, path):
        if (what, path.name) == (point, 'config.json'):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        harness.interpose(stop, setattr=functools.partial(patched.setattr, raising=False))
        assert script(*flags, run, '--overwrite', '--seed', 3).status == 130
    assert script('train', '--out', run, '--resume').status == 0
    harness.assert_same_end(run, alone)
