"""PyTorch as cases of `gluon_rnn.measuring`, and the settings at which everything is measured."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Tuple

from ..measuring import Case, Setting, book_cases, own_cases

WORKER = Path(__file__).resolve().with_name('worker.py')
_TORCH = {'hand': 'torch by hand', 'compile': 'torch.compile of it', 'layer': 'torch.nn'}


def torch_cases() -> List[Case]:
    """The loop by hand, the same compiled, and the torch.nn layer."""
    return [Case(name, WORKER, {'impl': impl}) for impl, name in _TORCH.items()]


def all_cases() -> List[Case]:
    """d2lzh, this project and PyTorch."""
    return book_cases(tuned=True) + own_cases() + torch_cases()


def grid(base: Setting) -> List[Setting]:
    """`base`, and one of its sizes at a time made smaller and larger."""
    sizes: Dict[str, Tuple[int, int]] = {'num_hiddens': (64, 512), 'num_steps': (10, 70), 'batch_size': (8, 128),
                                         'vocab_size': (100, 5000)}
    return [base, *(replace(base, **{name: value}) for name, values in sizes.items()  # type: ignore[arg-type]
                    for value in values if value != getattr(base, name))]
