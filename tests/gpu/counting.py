"""What a training step asks of a GPU, counted on the pretend one.

    python tests/gpu/counting.py            print the table
    python tests/gpu/counting.py --write    put it into docs/machines.md, which `make gpu-check` holds it to

In the environment of `make gpu-check`: CUDA's place is taken by `pretend_gpu.c`.
"""
from __future__ import annotations

import collections
import ctypes
import sys
from pathlib import Path
from typing import Counter, Dict, Tuple

import numpy as np

import gluon_rnn  # before MXNet, which loads only where this has prepared the machine

# isort: split
import mxnet as mx

from gluon_rnn import TrainConfig
from gluon_rnn.training.trainer import Trainer

DOCUMENT = Path(__file__).resolve().parents[2] / 'docs' / 'machines.md'
COLUMNS = {'launches': 'kernel', 'products': 'product', 'cuDNN': 'cudnn', 'copies to the card': 'to_card', 'on it': 'within_card',
           'to the host': 'to_host', 'waits for the card': 'sync'}
ROWS = [(cell, impl) for cell in ('rnn', 'gru', 'lstm') for impl in ('scratch', 'hybrid', 'gluon')]
_STEPS, _VOCAB_SIZE = 8, 1027       # the book's: 10,000 characters in batches of 32 x 35


def counts() -> Counter[Tuple[str, str]]:
    """By kind ('kernel', 'to_host', ...) and name, since the process began; what was queued has been done."""
    mx.nd.waitall()
    text = ctypes.create_string_buffer(1 << 22)
    ctypes.CDLL(None).pretend_report(text, ctypes.c_size_t(len(text)))
    lines = (line.split() for line in text.value.decode().splitlines())
    return collections.Counter({(kind, name): int(number) for kind, name, number in lines})


def of_kind(found: Counter[Tuple[str, str]]) -> Dict[str, int]:
    """The sums by kind."""
    kinds: Counter[str] = collections.Counter()
    for (kind, _), number in found.items():
        kinds[kind] += number
    return dict(kinds)


def step_of(config: gluon_rnn.ModelConfig) -> Dict[str, int]:
    """What a step costs by kind, at the book's sizes with consecutive batches: a mean over an epoch, the third."""
    trainer = Trainer(gluon_rnn.build_model(config, mx.gpu(0)), TrainConfig(num_epochs=3))
    epochs = trainer.epochs(np.arange(10000) % _VOCAB_SIZE)
    next(epochs), next(epochs)
    before = counts()
    next(epochs)
    return {kind: round(number / _STEPS) for kind, number in of_kind(counts() - before).items()}


def table() -> str:
    """The counts of every cell and implementation as a table in Markdown."""
    lines = [f'| a step of | {" | ".join(COLUMNS)} |', f'|---|{"---|" * len(COLUMNS)}']
    for cell, impl in ROWS:
        found = step_of(gluon_rnn.ModelConfig(cell=cell, impl=impl, vocab_size=_VOCAB_SIZE))
        lines.append(f'| {cell} {impl} | {" | ".join(f"{found.get(kind, 0):,}" for kind in COLUMNS.values())} |')
    return '\n'.join(lines)


def documented() -> str:
    """The table as docs/machines.md has it, between its two marks."""
    return DOCUMENT.read_text(encoding='utf-8').partition('<!-- counts -->\n')[2].partition('\n<!-- end -->')[0]


if __name__ == '__main__':
    new = table()
    print(new)
    if '--write' in sys.argv:
        DOCUMENT.write_text(DOCUMENT.read_text(encoding='utf-8').replace(documented(), new), encoding='utf-8')
