"""Measuring implementations beside each other: seconds an epoch, characters a second, peak memory.

Each case runs in a process of its own (`workers/run.py`), all with the same number of threads. After one epoch to warm up,
which is reported apart, the cases take turns: an epoch of the first, one of the second and so on, round after round, so that a
machine that slows down for a while slows down all of them. What counts is the median of the rounds, and ratios in one run.
"""
from __future__ import annotations

import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from .. import runtime
from ..cells.build import CELLS, IMPLS

WORKERS = Path(__file__).resolve().parent / 'workers'
# where it lies is all that is known here of that room: it is run, not imported
_TORCH_WORKER = WORKERS.parents[1] / 'torch_parity' / 'worker.py'
_TORCH = {'hand': 'torch by hand', 'compile': 'torch.compile of it', 'layer': 'torch.nn'}
_MIB = 1 << 20
_FALLBACK_KERNEL = 'PRESCOTT'       # where the OpenBLAS 0.3.13 inside MXNet 1.9.1 meets a CPU that it does not know


@dataclass(frozen=True)
class Setting:
    """What is trained; the defaults are the book's, sections 6.4 to 6.8."""
    cell: str = 'gru'
    num_hiddens: int = 256
    num_steps: int = 35
    batch_size: int = 32
    vocab_size: int = 1027
    num_chars: int = 10000          # length of the text that is one epoch
    lr: float = 1e2
    clipping_theta: float = 1e-2

    def __post_init__(self) -> None:
        """Raise ValueError for what nobody can train."""
        if self.cell not in CELLS:
            raise ValueError(f'cell must be one of {", ".join(CELLS)}, got {self.cell!r}')
        for name in ('num_hiddens', 'num_steps', 'batch_size', 'vocab_size', 'num_chars'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} must be 1 or more, got {getattr(self, name)}')
        if not 0 < self.lr < math.inf:
            raise ValueError(f'lr must be above 0, got {self.lr}')
        if not 0 <= self.clipping_theta < math.inf:
            raise ValueError(f'clipping_theta must be 0 (no clipping) or more, got {self.clipping_theta}')

    @property
    def tokens(self) -> int:
        """Characters that one epoch trains on, with consecutive sampling."""
        return (self.num_chars // self.batch_size - 1) // self.num_steps * self.num_steps * self.batch_size

    def __str__(self) -> str:
        return (f'{self.cell}, {self.num_hiddens} hidden, {self.num_steps} steps, batch {self.batch_size}, '
                f'vocabulary {self.vocab_size}, {self.num_chars} characters')


@dataclass(frozen=True)
class Case:
    """One implementation: the file that runs it, and what that file is told beside the setting.

    environment: variables of its process; None: one that the others have and it has not.
    """
    name: str
    worker: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """What one case came to. Where it could not run, `error` says why and there are no seconds."""
    name: str
    seconds: Tuple[float, ...] = ()     # an epoch, one figure a round
    tokens: int = 0                     # characters an epoch
    first_seconds: float = 0            # the epoch before the first round, with all that is done once in it
    memory: int = 0                     # bytes, at most
    library_memory: int = 0             # bytes, when the libraries were loaded and nothing else
    perplexity: float | None = None     # of the first epoch: about the same for all who do the same work; None: it trains nothing
    start_seconds: float = 0            # from the start of the process to the end of its first epoch
    error: str = ''
    answers: Tuple[Mapping[str, Any], ...] = ()     # whatever the worker said of an epoch, one a round

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.median

    def to_dict(self, reference: Measurement | None = None) -> Dict[str, Any]:
        """In plain types; with how many times as fast as `reference` it is."""
        if self.error:
            return {'name': self.name, 'error': self.error}
        times = reference.median / self.median if reference and not reference.error else None
        fields = {name: value for name, value in asdict(self).items() if name != 'answers'}
        return {**fields, 'seconds': list(self.seconds), 'median': self.median, 'lowest': min(self.seconds),
                'highest': max(self.seconds), 'tokens_per_second': self.tokens_per_second, 'times_as_fast': times}


def own_cases(impls: Sequence[str] = IMPLS) -> List[Case]:
    """This project's implementations."""
    return [Case(f'gluon_rnn {impl}', WORKERS / 'own.py', {'impl': impl}) for impl in impls]


def book_cases(*, tuned: bool = False) -> List[Case]:
    """d2lzh itself, with as many threads as the others.

    tuned: also as a reader meets it, with the threads that MXNet takes if left alone, half of the CPUs; the same with the
    BLAS kernels that MXNet falls back to on a CPU made after it; and with those that `gluon_rnn.runtime` chooses, where it does.
    """
    cases = [Case(f'd2lzh {impl}', WORKERS / 'book.py', {'impl': impl}) for impl in ('scratch', 'gluon')]
    if not tuned:
        return cases
    others: Dict[str, Mapping[str, str | None]] = {
        'as installed': {'OMP_NUM_THREADS': None},
        'as on a CPU it does not know': {'OMP_NUM_THREADS': None, 'OPENBLAS_CORETYPE': _FALLBACK_KERNEL}}
    if kernel := runtime.blas_kernel_here():
        others['tuned'] = {'OPENBLAS_CORETYPE': kernel}
    return cases + [Case(f'{case.name}, {name}', case.worker, case.options, environment)
                    for name, environment in others.items() for case in cases]


def torch_cases(*, compiled: bool = True) -> List[Case]:
    """PyTorch, which their processes need: the loop by hand, the same compiled, where that is wanted, and the torch.nn layer."""
    return [Case(name, _TORCH_WORKER, {'impl': impl}) for impl, name in _TORCH.items() if compiled or impl != 'compile']


def measure(cases: Sequence[Case], setting: Setting, *, rounds: int = 5, threads: int | None = None, timeout: float = 900,
            on_progress: Callable[[str], None] | None = None) -> List[Measurement]:
    """Measure all cases at one setting, in the order given.

    threads: of each process; None: as many as there are CPUs. timeout: seconds that one answer may take. on_progress is told what
    is being done. Raises ValueError for a text too short for the setting, for less than one round or thread, and for two cases of
    one name.
    """
    check_measuring(setting, rounds, threads)
    if len({case.name for case in cases}) < len(cases):
        raise ValueError(f'each case needs a name of its own, got {[case.name for case in cases]}')
    tell = on_progress or (lambda text: None)
    environment = runtime.child_environment(threads or runtime.usable_cpus())
    with ExitStack() as stack:
        processes = []
        for case in cases:
            tell(f'starting {case.name}')
            process = _Process(case, setting, environment, timeout)
            stack.callback(process.close)
            process.ask(None)
            processes.append(process)
        for i in range(1, rounds + 1):
            for process in processes:
                tell(f'round {i} of {rounds}: {process.case.name}')
                process.ask('epoch')
        return [process.finish(setting.tokens) for process in processes]


def check_measuring(setting: Setting, rounds: int, threads: int | None) -> None:
    """Raise ValueError for what cannot be measured."""
    if rounds < 1:
        raise ValueError(f'rounds must be 1 or more, got {rounds}')
    if threads is not None and threads < 1:
        raise ValueError(f'threads must be 1 or more, or None for all CPUs, got {threads}')
    if setting.tokens < 1:
        raise ValueError(f'{setting.num_chars} characters make no batch of {setting.batch_size} x {setting.num_steps}: '
                         f'take more, or a smaller batch')


class _Process:
    """A case that runs and answers in lines of JSON. It remembers the first thing that goes wrong, and is then left alone."""

    def __init__(self, case: Case, setting: Setting, environment: Mapping[str, str], timeout: float):
        self.case, self.timeout, self.error = case, timeout, ''
        self.answers: List[Dict[str, Any]] = []
        self.log = tempfile.TemporaryFile('w+', encoding='utf-8', errors='replace')  # noqa: SIM115 (closed by close())
        variables = {name: value for name, value in {**environment, **case.environment}.items() if value is not None}
        command = [sys.executable, str(WORKERS / 'run.py'), str(case.worker), json.dumps({**asdict(setting), **case.options})]
        self.started = time.perf_counter()
        try:
            self.process = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.log, text=True, encoding='utf-8', errors='replace',
                                            start_new_session=True)
        except OSError:
            self.log.close()
            raise

    def ask(self, question: str | None) -> None:
        """Send a line, or nothing (None), and keep the answer."""
        if self.error:
            return
        try:
            if question is not None and self.process.stdin:
                print(question, file=self.process.stdin, flush=True)
            self._read()
        except OSError:
            self._failed()

    def finish(self, tokens: int) -> Measurement:
        """End the process and sum up."""
        if not self.error and self.process.stdin:
            self.process.stdin.close()
            self._read()
        if self.error:
            return Measurement(self.case.name, error=self.error)
        first, *epochs, last = self.answers
        return Measurement(self.case.name, tuple(epoch['seconds'] for epoch in epochs), tokens, first['seconds'],
                           last['memory'], first['library_memory'], first.get('perplexity'), first['start_seconds'],
                           answers=tuple(epochs))

    def _read(self) -> None:
        timer = threading.Timer(self.timeout, self.kill)
        timer.start()
        try:
            line = self.process.stdout.readline() if self.process.stdout else ''
        finally:
            timer.cancel()
        if not line:
            self._failed()
            return
        try:
            self.answers.append({'start_seconds': time.perf_counter() - self.started, **json.loads(line)})
        except (ValueError, TypeError):     # a library has written past Python's own standard output
            self.error = f'answered {line.strip()[:100]!r}'

    def _failed(self) -> None:
        try:
            status = self.process.wait(self.timeout)
        except subprocess.TimeoutExpired:   # says nothing more, and does not end
            self.kill()
            status = self.process.wait()
        self.log.seek(0)
        said = [line.strip() for line in self.log if line.strip()]
        self.error = said[-1] if said else f'ended with status {status}'
        if status == -signal.SIGKILL:
            self.error = f'killed: no answer within {self.timeout:g} seconds, or no memory left'

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.log):
            if pipe:
                pipe.close()
        self.process.wait()


_Cell = Callable[[Measurement, Measurement], str]       # of a case and the reference
_COLUMNS: Dict[str, Tuple[int, _Cell]] = {              # heading -> width, what stands there
    'lowest': (8, lambda m, _: f'{min(m.seconds):.3f}'),
    'highest': (8, lambda m, _: f'{max(m.seconds):.3f}'),
    'chars/s': (9, lambda m, _: f'{m.tokens_per_second:.0f}'),
    'times': (6, lambda m, base: '-' if base.error else f'{base.median / m.median:.2f}'),
    'first': (7, lambda m, _: f'{m.first_seconds:.2f}'),
    'MiB': (6, lambda m, _: f'{m.memory / _MIB:.0f}'),
    'libs': (6, lambda m, _: f'{m.library_memory / _MIB:.0f}'),
    'perplexity': (10, lambda m, _: '-' if m.perplexity is None else f'{m.perplexity:.1f}'),
}


def text_table(measurements: Sequence[Measurement], reference: str | None = None, *, unit: str = 'epoch',
               columns: Sequence[str] = tuple(_COLUMNS)) -> str:
    """A row a case, for a terminal: its seconds, and those of these columns that are asked for.

    times: how many times as fast as the case named `reference` it is (None: the first). unit: what the seconds are of.
    """
    base = next((m for m in measurements if m.name == reference), measurements[0])
    width = max(len(m.name) for m in measurements)
    lines = [f'{"":{width}}  {"s/" + unit:>8} ' + ' '.join(f'{name:>{_COLUMNS[name][0]}}' for name in columns)]
    for m in measurements:
        if m.error:
            lines.append(f'{m.name:{width}}  not measured: {m.error}')
            continue
        cells = (f'{cell(m, base):>{size}}' for size, cell in (_COLUMNS[name] for name in columns))
        lines.append(f'{m.name:{width}}  {m.median:8.3f} ' + ' '.join(cells))
    return '\n'.join(lines)
