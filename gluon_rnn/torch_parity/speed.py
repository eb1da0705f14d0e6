"""PyTorch as cases of `gluon_rnn.measuring`, and the settings at which everything is measured."""
from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import List

from ..measuring import Case, Setting, book_cases, own_cases

WORKER = Path(__file__).resolve().with_name('worker.py')
_NAMES = {'hand': 'torch by hand', 'compile': 'torch.compile of it', 'layer': 'torch.nn'}


def torch_cases() -> List[Case]:
    """The loop by hand, the same compiled, and the torch.nn layer."""
    return [Case(name, WORKER, {'impl': impl}) for impl, name in _NAMES.items()]


def all_cases() -> List[Case]:
    """d2lzh, this project and PyTorch."""
    return book_cases(tuned=True) + own_cases() + torch_cases()


def grid(base: Setting, *, quick: bool = False) -> List[Setting]:
    """One size at a time made smaller and larger than in `base`, the others as they are."""
    steps = {'num_hiddens': (64, 512), 'num_steps': (10, 70), 'batch_size': (8, 128), 'vocab_size': (100, 5000)}
    if quick:
        steps = {'num_hiddens': (64,), 'num_steps': (10,)}
    found = []
    for name, value in itertools.chain.from_iterable(((n, v) for v in values) for n, values in steps.items()):
        setting = replace(base, **{name: value})        # type: ignore[arg-type]
        found.append(setting)
    return found
