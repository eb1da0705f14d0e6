"""Measuring implementations beside each other: seconds an epoch, characters a second, peak memory.

Each case runs in a process of its own (`workers/run.py`), all with the same number of threads. After one epoch to warm up,
which is reported apart, the cases take turns: an epoch of the first, one of the second and so on, round after round, so that a
machine that slows down for a while slows down all of them. A round beside which other programs ran is repeated. What counts is
the median of the rounds, and ratios in one run.
"""
from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from .. import runtime
from ..tables import printed
from .implementations import WORKERS, Case, Setting

QUIET = 0.2      # CPUs that other programs may use in a round that counts
_MIB = 1 << 20


@dataclass(frozen=True)
class Measurement:
    """The result of one case. Where it could not run, `error` says why and there are no seconds."""
    name: str
    seconds: Tuple[float, ...] = ()     # an epoch, one figure a round
    tokens: int = 0                     # characters an epoch
    first_seconds: float = 0            # the epoch before the first round, with all that is done once in it
    memory: int = 0                     # bytes, at most
    library_memory: int = 0             # bytes, when the libraries were loaded and nothing else
    perplexity: float | None = None     # of the first epoch: about the same for all who do the same work; None: it trains nothing
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


def measure(cases: Sequence[Case], setting: Setting, *, rounds: int = 5, threads: int | None = None, busy: bool = False,
            repeats: int = 10, timeout: float = 900,
            on_progress: Callable[[str], None] | None = None) -> List[Measurement]:
    """Measure all cases at one setting, in the order given.

    threads: of each process; None: as many as there are CPUs. busy: beside other programs, of which each CPU has one all the
    time. repeats: times that a round is measured again, at most, where other programs ran beside it. timeout: seconds that
    one answer may take. on_progress is called with a line on what is being done. Raises ValueError for a text too short for the
    setting, for less than one round or thread, and for two cases of one name.
    """
    if rounds < 1:
        raise ValueError(f'rounds must be 1 or more, got {rounds}')
    if threads is not None and threads < 1:
        raise ValueError(f'threads must be 1 or more, or None for all CPUs, got {threads}')
    if setting.tokens < 1:
        raise ValueError(f'{setting.num_chars} characters make no batch of {setting.batch_size} x {setting.num_steps}: '
                         f'take more, or a smaller batch')
    if len({case.name for case in cases}) < len(cases):
        raise ValueError(f'each case needs a name of its own, got {[case.name for case in cases]}')
    tell = on_progress or (lambda text: None)
    environment = runtime.child_environment(threads or runtime.usable_cpus())
    for case in (case for case in cases if case.compiles):
        tell(f'compiling for {case.name}')
        with closing(_Process(case, setting, environment, timeout)) as process:
            process.ask(None)
    with ExitStack() as stack:
        processes = []
        for case in cases:
            tell(f'starting {case.name}')
            process = _Process(case, setting, environment, timeout)
            stack.callback(process.close)
            process.ask(None)
            processes.append(process)
        for _ in range(runtime.usable_cpus() if busy else 0):
            other = stack.enter_context(subprocess.Popen([sys.executable, '-c', 'while True: pass']))
            stack.callback(other.kill)
        for i in range(1, rounds + 1):
            for process in processes:
                tell(f'round {i} of {rounds}: {process.case.name}')
                process.ask('epoch')
                for _ in range(repeats if not busy else 0):
                    if process.error or process.answers[-1].get('others', 0) < QUIET:
                        break
                    tell(f'again: other programs kept {process.answers.pop()["others"]:.2f} CPUs busy')
                    time.sleep(1)
                    process.ask('epoch')
        return [process.finish(setting.tokens) for process in processes]


class _Process:
    """A case that runs and answers in lines of JSON. It remembers the first thing that goes wrong, and is then left alone."""

    def __init__(self, case: Case, setting: Setting, environment: Mapping[str, str], timeout: float):
        self.case, self.timeout, self.error = case, timeout, ''
        self.answers: List[Dict[str, Any]] = []
        self.log = tempfile.TemporaryFile('w+', encoding='utf-8', errors='replace')  # noqa: SIM115 (closed by close())
        variables = {**environment, **case.environment}
        options = {**asdict(setting), **case.options, 'threads': int(variables['OMP_NUM_THREADS'])}
        command = [case.python, str(WORKERS / 'run.py'), str(case.worker), json.dumps(options)]
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
        memory = max(answer.get('memory', 0) for answer in (*epochs, last))
        return Measurement(self.case.name, tuple(epoch['seconds'] for epoch in epochs), tokens, first['seconds'],
                           memory, first['library_memory'], first.get('perplexity'), answers=tuple(epochs))

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
            self.answers.append({**json.loads(line)})
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


_COLUMNS: Dict[str, Callable[[Measurement, Measurement], float | None]] = {     # of a case and the reference
    'lowest': lambda m, _: min(m.seconds),
    'highest': lambda m, _: max(m.seconds),
    'chars/s': lambda m, _: m.tokens_per_second,
    'times': lambda m, base: None if base.error else base.median / m.median,
    'first': lambda m, _: m.first_seconds,
    'MiB': lambda m, _: round(m.memory / _MIB),
    'libs': lambda m, _: round(m.library_memory / _MIB),
    'others': lambda m, _: max(answer.get('others', 0) for answer in m.answers) if m.answers else None,
    'perplexity': lambda m, _: m.perplexity,
}


def speed_table(measurements: Sequence[Measurement], reference: str | None = None, *, unit: str = 'epoch',
                columns: Sequence[str] = tuple(_COLUMNS)) -> str:
    """A row a case, for a terminal: its seconds, and those of these columns that are asked for; below, what was not measured.

    times: how many times as fast as the case named `reference` it is (None: the first). unit: what the seconds are of.
    """
    base = next((m for m in measurements if m.name == reference), measurements[0])
    rows = [{'': m.name, f's/{unit}': m.median, **{name: _COLUMNS[name](m, base) for name in columns}}
            for m in measurements if not m.error]
    failed = [f'{m.name}: not measured: {m.error}' for m in measurements if m.error]
    return '\n'.join([*([printed(rows)] if rows else []), *failed])
