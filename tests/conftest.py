"""What all tests share: a seed for each, corpora, and running a script's main() in this process."""
from __future__ import annotations

import gc
import importlib
import os
import random
import shutil
import sys
import threading
import zlib
from dataclasses import dataclass

os.environ.setdefault('OMP_NUM_THREADS', '1')       # tests compute little: more threads would only wait for each other
if 'PYTEST_XDIST_WORKER' in os.environ and hasattr(os, 'sched_setaffinity'):
    # A CPU for each worker: MXNet hands every operation to a thread, and to wake one on another CPU takes longer than most do.
    CPUS = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {CPUS[int(os.environ['PYTEST_XDIST_WORKER'][len('gw'):]) % len(CPUS)]})
import gluon_rnn  # noqa: F401  (before MXNet, which loads only where this has prepared the machine)

# isort: split
import _cli
import _progress
import launch
import numpy as np
import pytest

from gluon_rnn import Corpus, load_corpus, runtime
from gluon_rnn.corpora.corpus import CORPORA
from tests import browser

# Only what is light: the process that hands the tests out to workers reads this file, too, and they begin when it has.


def pytest_collection():
    """What hypothesis does, said before the first test of it is read."""
    gc.disable()        # till all are read: what is loaded stays, and is not to be looked through again and again
    import hypothesis
    hypothesis.settings.register_profile('house', deadline=None, derandomize=True, database=None)
    hypothesis.settings.load_profile('house')


def pytest_collection_finish():
    gc.enable()


@pytest.fixture(autouse=True)
def seed(request):
    """A seed of the test's own, always the same; pytest prints it where the test fails."""
    value = zlib.crc32(request.node.nodeid.encode()) % 2 ** 31
    print(f'seed {value}')
    import mxnet as mx
    random.seed(value)
    np.random.seed(value)
    mx.random.seed(value)
    return value


@pytest.fixture(autouse=True)
def silence(monkeypatch):
    """However slow the machine: no line that says that a command is still at work."""
    for module in (_progress, launch):
        monkeypatch.setattr(module, 'SILENCE', 1e6)


@pytest.fixture(autouse=True)
def quick_writing(monkeypatch):
    """No curve is drawn after every printing, nothing is waited for until it is on the disk: half the time of a small training.

    What the curve shows is held by tests/runs/test_folder.py, when a file is told to be on the disk by tests/runs/test_files.py.
    """
    from matplotlib.figure import Figure

    from gluon_rnn.runs import folder
    monkeypatch.setattr(folder, 'plot_perplexity', lambda runs: Figure(figsize=(1, 1)))
    monkeypatch.setattr(os, 'fsync', lambda file: None)


@pytest.fixture
def crowded(monkeypatch):
    """A round counts whatever runs beside it, and here other tests do."""
    from gluon_rnn.benchmark import measuring
    monkeypatch.setattr(measuring, 'QUIET', float('inf'))


@pytest.fixture
def host_reads(monkeypatch):
    """Grows by one whenever this thread waits for what it has queued. (A gradient waits in a thread of MXNet's own.)"""
    import mxnet as mx
    reads, me = [], threading.get_ident()

    def counted(method):
        return lambda self: (threading.get_ident() == me and reads.append(method)) or method(self)

    for name in ('asnumpy', 'wait_to_read'):
        monkeypatch.setattr(mx.nd.NDArray, name, counted(getattr(mx.nd.NDArray, name)))
    return reads


@pytest.fixture
def needs_corpus():
    """needs_corpus(name) -> that corpus. Where its file is in none of the data folders the test skips, in CI it fails."""
    def get(name: str, **options) -> Corpus:
        if not any((folder / CORPORA[name].file).is_file() for folder in runtime.data_folders()):
            message = f'corpus {name} is not here: put {CORPORA[name].file} into a folder and set GLUON_RNN_DATA to it'
            pytest.fail(message) if os.environ.get('CI') else pytest.skip(message)
        return load_corpus(name, **options)
    return get


@pytest.fixture(scope='session')
def lyrics() -> Corpus:
    """A small piece of the embedded corpus, with a vocabulary of its own."""
    return load_corpus('lyrics', max_chars=1000)


@pytest.fixture(scope='session')
def alphabet() -> Corpus:
    """Text that anything learns: the alphabet again and again."""
    return Corpus.from_text('abcdefghijklmnopqrstuvwxyz' * 12)


@dataclass
class Ended:
    status: int
    out: str
    err: str


@pytest.fixture
def script(monkeypatch, capsys):
    """script('train', '--out', folder, ...) -> how it ended, and what it printed."""
    def call(name: str, *args) -> Ended:
        monkeypatch.setattr(sys, 'argv', [f'scripts/{name}.py', *map(str, args)])
        capsys.readouterr()     # what a fixture has printed
        with pytest.raises(SystemExit) as ended:
            _cli.run(importlib.import_module(name).main)
        printed = capsys.readouterr()
        return Ended(ended.value.code, printed.out, printed.err)
    return call


@pytest.fixture(scope='session')
def run_script():
    """run_script('train', '--out', folder, ...): run it to a good end, for a fixture that several tests share."""
    def call(name: str, *args) -> None:
        with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as ended:
            patched.setattr(sys, 'argv', [f'scripts/{name}.py', *map(str, args)])
            _cli.run(importlib.import_module(name).main)
        assert ended.value.code == 0
    return call


@pytest.fixture
def refused(script):
    """refused('what is said', 'train', ...): the script says so in one line and ends with status 2."""
    def call(said: str, name: str, *args) -> None:
        ended = script(name, *args)
        assert ended.status == 2
        assert said in ended.err
        assert len(ended.err.strip().splitlines()) == 1, ended.err
        assert ended.err.startswith(f'{name}.py: ')
    return call


SMALL = ('--corpus', 'lyrics', '--max-chars', 400, '--num-hiddens', 8, '--num-steps', 8, '--batch-size', 8, '--pred-len', 5,
         '--num-epochs', 4, '--pred-period', 2, '--ctx', 'cpu', '--impl', 'gluon')


@pytest.fixture
def small() -> tuple:
    """Flags of a training that takes a moment, also where no kernels are compiled yet."""
    return SMALL


@pytest.fixture(scope='session')
def trained(tmp_path_factory, run_script):
    """trained('--cell', 'lstm', ...) -> the folder of a `small` training with these flags, for all who read and do not write."""
    made: dict = {}

    def call(*flags):
        if flags not in made:
            made[flags] = tmp_path_factory.mktemp('trained') / 'run'
            run_script('train', *SMALL, *flags, '--out', made[flags])
        return made[flags]
    return call


@pytest.fixture
def trained_in(trained):
    """trained_in(folder, ...) -> the folder, a copy of such a training, to be written to."""
    return lambda folder, *flags: shutil.copytree(trained(*flags), folder)


@pytest.fixture(scope='session')
def chromium(tmp_path_factory):
    """A browser for all pages; the test skips where there is none."""
    driver = browser.start(tmp_path_factory.mktemp('chromium'))
    yield driver
    driver.quit()
