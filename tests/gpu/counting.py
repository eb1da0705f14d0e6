"""What a training step asks of a GPU, counted on the pretend one.

    python tests/gpu/counting.py            print the tables
    python tests/gpu/counting.py --write    put them into docs/machines.md, which `make gpu-check` holds to them

In the environment of `make gpu-check`: CUDA's place is taken by `pretend_gpu.c`.
"""
from __future__ import annotations

import collections
import contextlib
import ctypes
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Counter, Dict, List, Mapping, Sequence, Tuple
from unittest import mock

import numpy as np

import gluon_rnn  # before MXNet, which loads only where this has prepared the machine

# isort: split
import mxnet as mx

from gluon_rnn import TrainConfig
from gluon_rnn.cells import gru, hybrid, lstm, ops, rnn
from gluon_rnn.training.trainer import Trainer

DOCUMENT = Path(__file__).resolve().parents[2] / 'docs' / 'machines.md'
COLUMNS = {'launches': 'kernel', 'products': 'product', 'cuDNN': 'cudnn', 'copies to the card': 'to_card', 'on it': 'within_card',
           'to the host': 'to_host', 'waits for the card': 'sync', 'allocations after the first epoch': 'allocation'}
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
    """What a step costs by kind, at the book's sizes with consecutive batches: a mean over the third epoch.

    Allocations are the sum of all steps after the first epoch.
    """
    trainer = Trainer(gluon_rnn.build_model(config, mx.gpu(0)), TrainConfig(num_epochs=3))
    epochs, totals = trainer.epochs(np.arange(10000) % _VOCAB_SIZE), []
    for _ in epochs:
        totals.append(counts())
    found = {kind: round(number / _STEPS) for kind, number in of_kind(totals[2] - totals[1]).items()}
    return {**found, 'allocation': of_kind(totals[2] - totals[0]).get('allocation', 0)}


def config_of(cell: str, impl: str) -> gluon_rnn.ModelConfig:
    return gluon_rnn.ModelConfig(cell=cell, impl=impl, vocab_size=_VOCAB_SIZE)


def in_order() -> List[Dict[str, int]]:
    """What a step of each row costs in a process that does one operator after the other.

    How far the host runs ahead, and so how many arrays are in use at once, is chance; here it is not, and nothing is allocated
    but what a step needs.
    """
    done = subprocess.run([sys.executable, __file__, '--in-order'], capture_output=True, text=True, check=True,
                          env={**gluon_rnn.runtime.child_environment(1), 'MXNET_ENGINE_TYPE': 'NaiveEngine'})
    return json.loads(done.stdout)


def tables() -> Dict[str, str]:
    """The tables of docs/machines.md in Markdown: of what a step asks, of what fusion changes, of what that predicts."""
    found = {row: {**step_of(config_of(*row)), 'allocation': alone['allocation']} for row, alone in zip(ROWS, in_order())}
    asked = {' '.join(row): [f'{found[row].get(kind, 0):,}' for kind in COLUMNS.values()] for row in ROWS}
    predicted = {' '.join(row): [f'{calls(found[row]):,}', *predictions(row[0], calls(found[row]))] for row in ROWS}
    return {'counts': table(['a step of', *COLUMNS], asked),
            'fusion': table(['launches + products + cuDNN', *_GATES], fusion(found)),
            'predictions': table(['ms a step of', 'calls', *CARDS], predicted)}


def table(head: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    lines = [f'| {" | ".join(head)} |', f'|---|{"---|" * (len(head) - 1)}']
    return '\n'.join(lines + [f'| {name} | {" | ".join(cells)} |' for name, cells in rows.items()])


def calls(found: Mapping[str, int]) -> int:
    """What the host asks of the card in a step."""
    return sum(found.get(kind, 0) for kind in CALLS)


def fusion(found: Mapping[Tuple[str, str], Mapping[str, int]]) -> Dict[str, List[str]]:
    """The three kinds of calls of a step of `hybrid`: as recorded, fused, and fused with inputs that are multiplied, as it is."""
    def told(costs: Mapping[str, int]) -> str:
        return ' + '.join(f'{costs[kind]:,}' for kind in CALLS if costs.get(kind))

    def gathered(X: Any, W: Any) -> Any:
        return mx.nd.Embedding(X.indices, W, *W.shape) if isinstance(X, ops.OneHot) else mx.nd.dot(X, W)

    rows: Dict[str, List[str]] = {}
    for name, fused in (('the trace as recorded', False), ('fused', True)):
        with contextlib.ExitStack() as patches:
            for module in (rnn, gru, lstm):
                patches.enter_context(mock.patch.object(module, 'dot', gathered))
            if not fused:
                patches.enter_context(mock.patch.object(hybrid, 'elementwise', lambda graph, shapes: graph))
            rows[name] = [told(step_of(config_of(cell, 'hybrid'))) for cell in _GATES]
    rows['fused, inputs multiplied'] = [told(found[cell, 'hybrid']) for cell in _GATES]
    return rows


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
    if '--in-order' in sys.argv:
        print(json.dumps([step_of(config_of(*row)) for row in ROWS]))
        sys.exit()
    for name, new in tables().items():
        print(f'{name}\n{new}\n')
        if '--write' in sys.argv:
            text = DOCUMENT.read_text(encoding='utf-8')
            DOCUMENT.write_text(text.replace(documented(name), new), encoding='utf-8')
