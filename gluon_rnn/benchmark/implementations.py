"""The implementations that are measured, a `Case` for each, and the `Setting` at which."""
from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, List, Mapping, Sequence

from ..cells.build import CELLS, IMPLS
from ..training.config import TrainConfig

WORKERS = Path(__file__).resolve().parent / 'workers'
# where it lies is all that is known here of that room: it is run, not imported
_TORCH_WORKER = WORKERS.parents[1] / 'torch_parity' / 'worker.py'
# `make peers` makes this environment: JAX needs a NumPy that MXNet cannot work with
_PEERS = WORKERS.parents[2] / '.venv-peers' / 'bin' / 'python'
_TORCH = {'hand': 'torch by hand', 'compile': 'torch.compile of it', 'layer': 'torch.nn'}


@dataclass(frozen=True)
class Setting:
    """Network and training of a case; the defaults are the book's, sections 6.4 to 6.8."""
    cell: str = 'gru'
    num_hiddens: int = 256
    num_steps: int = 35
    batch_size: int = 32
    vocab_size: int = 1027
    num_chars: int = 10000          # length of the text that is one epoch
    lr: float = 1e2
    clipping_theta: float = 1e-2

    def __post_init__(self) -> None:
        """Raise ValueError for settings that cannot be trained."""
        if self.cell not in CELLS:
            raise ValueError(f'cell must be one of {", ".join(CELLS)}, got {self.cell!r}')
        for name in ('num_hiddens', 'vocab_size', 'num_chars'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} must be 1 or more, got {getattr(self, name)}')
        TrainConfig(num_steps=self.num_steps, batch_size=self.batch_size, lr=self.lr, clipping_theta=self.clipping_theta)

    @property
    def tokens(self) -> int:
        """Characters that one epoch trains on, with consecutive sampling."""
        return (self.num_chars // self.batch_size - 1) // self.num_steps * self.num_steps * self.batch_size

    def __str__(self) -> str:
        return (f'{self.cell}, {self.num_hiddens} hidden, {self.num_steps} steps, batch {self.batch_size}, '
                f'vocabulary {self.vocab_size}, {self.num_chars} characters')


@dataclass(frozen=True)
class Case:
    """One implementation: the file that runs it, and its options beside the setting.

    environment: variables of its process, beside those that all have. python: that runs it. compiles: its first process on a
    machine compiles what all others load, and is not the one that is measured.
    """
    name: str
    worker: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable
    compiles: bool = False


def own_cases(impls: Sequence[str] = IMPLS) -> List[Case]:
    """This project's implementations."""
    return [Case(f'gluon_rnn {impl}', WORKERS / 'own.py', {'impl': impl}, compiles=impl == 'numba') for impl in impls]


def book_cases() -> List[Case]:
    """d2lzh itself, with as many threads as the others."""
    return [Case(f'd2lzh {impl}', WORKERS / 'book.py', {'impl': impl}) for impl in ('scratch', 'gluon')]


def torch_cases(*, compiled: bool = True) -> List[Case]:
    """PyTorch: the loop by hand, the same compiled if wanted, and the torch.nn layer; none where it is not installed."""
    if importlib.util.find_spec('torch') is None:
        return []
    return [Case(name, _TORCH_WORKER, {'impl': impl}) for impl, name in _TORCH.items() if compiled or impl != 'compile']


def peer_cases() -> List[Case]:
    """JAX, in the environment of `make peers`; none where that is not there."""
    return [Case('JAX, jit over scan', WORKERS / 'jax_scan.py', python=str(_PEERS))] if _PEERS.is_file() else []


def floor_case() -> Case:
    """The time of an epoch's products alone, at the rate of one that is measured in the same rounds."""
    return Case('products alone', WORKERS / 'floor.py')


def script_case() -> Case:
    """`scripts/train.py` itself, as a user starts it, in place of the trainer alone."""
    return Case('gluon_rnn train.py', WORKERS / 'script.py', {'impl': 'numba'}, compiles=True)


def one_thread_cases() -> List[Case]:
    """The kernels, and the products alone, on one thread, whatever the others have: what a second one brings."""
    return [replace(case, name=f'{case.name}, one thread', environment={'OMP_NUM_THREADS': '1'})
            for case in (*own_cases(['numba']), floor_case())]


def epoch_cases(*, compiled: bool = True) -> List[Case]:
    """d2lzh, this project, its training script, PyTorch and JAX where they are there, the products alone, and one thread.

    compiled: with torch.compile.
    """
    return [*book_cases(), *own_cases(), script_case(), *torch_cases(compiled=compiled), *peer_cases(), floor_case(),
            *one_thread_cases()]
