"""What the faults are tried with: a hook into the writing of files, trainings to be killed, and their ends compared."""
from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np

from gluon_rnn.cells.build import NetworkConfig
from gluon_rnn.runs import checkpoint, files
from gluon_rnn.training.trainer import Trainer

POINTS = ('open', 'write', 'sync', 'replace', 'replaced')


class _File:
    """A file that tells of its writes, and makes each in two halves."""

    def __init__(self, path, mode, hook):
        hook('open', self.target(path))
        self.file, self.path, self.hook = open(path, mode), self.target(path), hook     # noqa: SIM115

    @staticmethod
    def target(part):
        """The file that a part will become, .NAME.part -> NAME; or the file itself where a line is added to it."""
        return Path(part).with_name(re.sub(r'^\.(.*)\.part$', r'\1', Path(part).name))

    def write(self, data):
        data = memoryview(data).cast('B')
        self.file.write(data[:len(data) // 2])
        self.file.flush()
        self.hook('write', self.path)
        self.file.write(data[len(data) // 2:])
        return len(data)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)


def after_epoch(monkeypatch, epoch, act):
    """From here on, call act(trainer) once that epoch of a training is done and written; 0: before the first."""
    epochs = Trainer.epochs

    def acting(self, *args, **options):
        if self.epoch == epoch == 0:
            act(self)
        for record in epochs(self, *args, **options):
            yield record
            if record.epoch == epoch:
                act(self)
    monkeypatch.setattr(Trainer, 'epochs', acting)


def press(trainer):
    """Ctrl-C, for `after_epoch`."""
    raise KeyboardInterrupt


def interpose(hook, *, setattr=setattr):
    """Have `gluon_rnn.runs.files` call hook(what, path) before each thing that it asks of the disk.

    What: 'open', 'write' (the first half of the data is with the system already), 'sync', and, but for a line that is added to
    a file, 'replace', and 'replaced' when the new name stands but the folder has not been told to remember it. The hook may stop
    there to be killed, or raise what a full disk raises. setattr: what sets the names of `files`.
    """
    opened = {}

    def open_(path, mode):
        file = _File(path, mode, hook)
        opened[file.fileno()] = file.path
        return file

    def fsync(handle):
        if handle in opened:        # and not the folder's
            hook('sync', opened.pop(handle))
        os.fsync(handle)

    def replace(part, path):
        hook('replace', Path(path))
        os.replace(part, path)
        hook('replaced', Path(path))

    setattr(files, 'open', open_)
    setattr(files, 'os', types.SimpleNamespace(**{**vars(os), 'fsync': fsync, 'replace': replace}))


class Starter:
    """The process that starts trainings, see `starter.py`."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0
        self.process = subprocess.Popen([sys.executable, Path(__file__).with_name('starter.py')], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, 'OMP_NUM_THREADS': '1'})

    def ask(self, **question):
        print(json.dumps(question), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def start(self, flags, pause=None, limit=None):
        """Start a training with flags of scripts/train.py. pause: (name, point, nth); limit: bytes that a file may have."""
        self.number += 1
        said = self.folder / f'said-{self.number}.txt'
        said.write_text('')
        return Training(self, self.ask(flags=[str(flag) for flag in flags], pause=pause, limit=limit, said=str(said)), said)

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


class Training:
    def __init__(self, starter, pid, said):
        self.starter, self.pid, self.said, self.status = starter, pid, said, None

    def ended(self, *, block=False):
        """Its exit status, None while it runs."""
        if self.status is None:
            self.status = self.starter.ask(wait=self.pid, block=block)
        return self.status

    def paused(self):
        """Wait until it has come to where it is to pause. False where it has come to its end."""
        while self.ended() is None:
            if self.said.read_text().endswith('paused\n'):
                return True
            time.sleep(0.005)
        return False

    def killed(self):
        """Kill it. False where it had come to its end before."""
        if self.ended() is None:
            os.kill(self.pid, signal.SIGKILL)
        status = self.ended(block=True)
        assert status in (0, -signal.SIGKILL), (status, self.said.read_text())
        return status != 0


def result(folder):
    """Everything of a run that does not depend on the clock."""
    lines = [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]
    metrics = [(line['epoch'], line['perplexity'], line['grad_norm'], line.get('valid_perplexity')) for line in lines]
    return metrics, re.sub(r'time [\d.]+', '', (folder / 'samples.txt').read_text())


def assert_same_end(ours, theirs):
    """The same metrics, verses and weights, bit for bit, and all that the optimizer remembers."""
    assert result(ours) == result(theirs)
    assert_same_model(ours / 'checkpoint.npz', theirs / 'checkpoint.npz')
    assert (ours / 'best.npz').exists() == (theirs / 'best.npz').exists()
    if (ours / 'best.npz').exists():
        assert_same_model(ours / 'best.npz', theirs / 'best.npz')
    assert not [*ours.glob('.*.part'), *ours.glob('.*.new')]


def assert_same_task(ours, theirs):
    """The same of a run of another task than text: metrics but for times, and checkpoint, bit for bit."""
    clocks = ('seconds', 'tokens_per_second', 'digest')
    one, other = ([{name: value for name, value in json.loads(line).items() if name not in clocks}
                   for line in (folder / 'metrics.jsonl').read_text().splitlines()] for folder in (ours, theirs))
    assert one == other
    assert_same_model(ours / 'checkpoint.npz', theirs / 'checkpoint.npz')
    assert not [*ours.glob('.*.part'), *ours.glob('.*.new')]


def assert_same_model(ours, theirs):
    """The same arrays of the same epoch, bit for bit."""
    one, other = (checkpoint.read(path, NetworkConfig) for path in (ours, theirs))
    assert (one.epoch, one.optimizer, one.config, one.held_out) == (other.epoch, other.optimizer, other.config, other.held_out)
    assert one.arrays.keys() == other.arrays.keys()
    for name, value in one.arrays.items():
        assert value.dtype == other.arrays[name].dtype
        np.testing.assert_array_equal(value.view(np.uint8), other.arrays[name].view(np.uint8), err_msg=name)
