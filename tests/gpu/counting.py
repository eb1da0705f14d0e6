"""What a training step asks of a GPU, counted on the pretend one.

    python tests/gpu/counting.py            print the tables
    python tests/gpu/counting.py --write    put them into docs/machines.md, which `make gpu-check` holds to them

In the environment of `make gpu-check`: CUDA's place is taken by `pretend_gpu.c`.
"""
from __future__ import annotations

import collections
import ctypes
import sys
from pathlib import Path
from typing import Counter, Dict, List, Mapping, Sequence, Tuple

import numpy as np

import gluon_rnn  # before MXNet, which loads only where this has prepared the machine

# isort: split
import mxnet as mx

from gluon_rnn import TrainConfig
from gluon_rnn.training.trainer import Trainer

DOCUMENT = Path(__file__).resolve().parents[2] / 'docs' / 'machines.md'
COLUMNS = {'launches': 'kernel', 'products': 'product', 'cuDNN': 'cudnn', 'copies to the card': 'to_card', 'on it': 'within_card',
           'to the host': 'to_host', 'waits for the card': 'sync'}
CALLS = ('kernel', 'product', 'cudnn')
ROWS = [(cell, impl) for cell in ('rnn', 'gru', 'lstm') for impl in ('scratch', 'hybrid', 'gluon')]
_STEPS, _VOCAB_SIZE = 8, 1027       # the book's: 10,000 characters in batches of 32 x 35
_GATES = {'rnn': 1, 'gru': 3, 'lstm': 4}
LAUNCH = (2.9, 6.2)         # microseconds a launch costs the host; docs/machines.md has the sources of these and the next
CARDS = {'T4': 8.1, 'RTX 3060': 12.7, 'RTX 4090': 83}     # TFLOP/s in float32


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


def config_of(cell: str, impl: str) -> gluon_rnn.ModelConfig:
    return gluon_rnn.ModelConfig(cell=cell, impl=impl, vocab_size=_VOCAB_SIZE)


def tables() -> Dict[str, str]:
    """The tables of docs/machines.md in Markdown: what a step asks, and what that predicts."""
    found = {row: step_of(config_of(*row)) for row in ROWS}
    asked = {' '.join(row): [f'{found[row].get(kind, 0):,}' for kind in COLUMNS.values()] for row in ROWS}
    predicted = {' '.join(row): [f'{calls(found[row]):,}', *predictions(row[0], calls(found[row]))] for row in ROWS}
    return {'counts': table(['a step of', *COLUMNS], asked),
            'predictions': table(['ms a step of', 'calls', *CARDS], predicted)}


def table(head: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    lines = [f'| {" | ".join(head)} |', f'|---|{"---|" * (len(head) - 1)}']
    return '\n'.join(lines + [f'| {name} | {" | ".join(cells)} |' for name, cells in rows.items()])


def calls(found: Mapping[str, int]) -> int:
    """What the host asks of the card in a step."""
    return sum(found.get(kind, 0) for kind in CALLS)


def predictions(cell: str, number: int) -> List[str]:
    """Milliseconds of a step with so many calls on each card: where the host and the card work at once, and where in turn."""
    hiddens, rows = 256, 35 * 32
    columns = _GATES[cell] * hiddens
    # a product and its two gradients; of the one-hot input there is no gradient
    operations = 2 * rows * (3 * (hiddens * columns + hiddens * _VOCAB_SIZE) + 2 * _VOCAB_SIZE * columns)
    cells = []
    for peak in CARDS.values():
        host, card = [number * microseconds / 1e3 for microseconds in LAUNCH], operations / peak / 1e9
        cells.append(f'{max(host[0], card):.1f} to {host[1] + card:.1f}')
    return cells


def documented(name: str) -> str:
    """A table as docs/machines.md has it, between its two marks."""
    return DOCUMENT.read_text(encoding='utf-8').partition(f'<!-- {name} -->\n')[2].partition('\n<!-- end -->')[0]


if __name__ == '__main__':
    for name, new in tables().items():
        print(f'{name}\n{new}\n')
        if '--write' in sys.argv:
            text = DOCUMENT.read_text(encoding='utf-8')
            DOCUMENT.write_text(text.replace(documented(name), new), encoding='utf-8')
