"""What all tests share: a seed for each, and corpora."""
from __future__ import annotations

import os
import random
import zlib

os.environ.setdefault('OMP_NUM_THREADS', '1')       # tests compute little: more threads would only wait for each other
import gluon_rnn  # noqa: F401  (before MXNet, which loads only where this has prepared the machine)

# isort: split
import hypothesis
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import Corpus, load_corpus, runtime
from gluon_rnn.corpus import CORPORA

hypothesis.settings.register_profile('house', deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile('house')


@pytest.fixture(autouse=True)
def seed(request):
    """A seed of the test's own, always the same; pytest prints it where the test fails."""
    value = zlib.crc32(request.node.nodeid.encode()) % 2 ** 31
    print(f'seed {value}')
    random.seed(value)
    np.random.seed(value)
    mx.random.seed(value)
    return value


@pytest.fixture
def needs_corpus():
    """needs_corpus(name) -> that corpus. Where its file is on none of the data folders the test skips, in CI it fails."""
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
