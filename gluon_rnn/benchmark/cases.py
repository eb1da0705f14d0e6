"""The benchmark's cases, each measured in a process of its own: epochs, growth with each size, writing of text."""
from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

from ..plots import new_figure
from .implementations import WORKERS, Case, Setting, book_cases, own_cases
from .measuring import Measurement, measure, speed_table

REFERENCE = 'd2lzh scratch'         # whose seconds the others' are held against
_COLOURS = {'d2lzh': '#bdbdbd', 'gluon_rnn': '#e6550d', 'torch': '#3182bd', 'JAX': '#31a354', 'products': '#636363'}
# what is made larger -> from where to where, each step about twice the one before
SIZES: Dict[str, Tuple[int, ...]] = {
    'num_steps': (35, 70, 140, 280, 560),
    'num_hiddens': (64, 128, 256, 512, 1024),
    'batch_size': (1, 4, 16, 64, 256),
    'vocab_size': (64, 256, 1027, 5000, 20000),
    'num_chars': (10_000, 100_000, 1_000_000, 5_000_000),
}
# the same -> smaller and larger than the book's
_AROUND = {'num_hiddens': (64, 512), 'num_steps': (10, 70), 'batch_size': (8, 128), 'vocab_size': (100, 5000)}


Measured = List[Tuple[Setting, List[Measurement]]]


def measure_epochs(cases: Sequence[Case], settings: Sequence[Setting], *, rounds: int = 5, threads: int | None = None,
                   busy: bool = False, on_progress: Callable[[str], None] | None = None,
                   on_table: Callable[[str], None] | None = None) -> Measured:
    """Measure all cases at each setting. on_table is called with each setting's table as soon as it is there."""
    found = []
    for setting in settings:
        measurements = measure(cases, setting, rounds=rounds, threads=threads, busy=busy, on_progress=on_progress)
        found.append((setting, measurements))
        if on_table:
            on_table(f'{setting}\n{speed_table(measurements, REFERENCE)}')
    return found


def settings_around(base: Setting) -> List[Setting]:
    """`base`, and one of its sizes at a time made smaller and larger."""
    return [base, *(replace(base, **{name: value}) for name, values in _AROUND.items()  # type: ignore[arg-type]
                    for value in values if value != getattr(base, name))]


def plot_bars(measured: Sequence[Tuple[Setting, Sequence[Measurement]]]) -> Any:
    """Seconds an epoch, a row of bars for each setting, with the lowest and the highest round as a line.

    A round that another program has held up for long leaves the picture.
    """
    bars = max(len(found) for _, found in measured)
    figure, grid = new_figure(8, 1 + 0.34 * bars * len(measured), nrows=len(measured), squeeze=False)
    for axes, (setting, found) in zip(grid[:, 0], measured):
        found = [m for m in found if not m.error]
        names = [m.name for m in found]
        medians = [m.median for m in found]
        spread = [[m.median - min(m.seconds) for m in found], [max(m.seconds) - m.median for m in found]]
        colours = [_COLOURS[re.split('[ .,]', name)[0]] for name in names]
        axes.barh(names, medians, xerr=spread, color=colours, ecolor='#555555', error_kw={'linewidth': 1})
        end = 1.3 * max(medians)
        for i, m in enumerate(found):
            place = min(max(m.seconds), 1.02 * end)
            axes.annotate(f' {m.median:.3g} s', (place, i), va='center', fontsize=8, annotation_clip=False)
        axes.set_xlim(0, end)
        axes.invert_yaxis()
        axes.set_title(str(setting), fontsize=9, loc='left')
        axes.tick_params(labelsize=8)
    grid[-1, 0].set_xlabel('seconds an epoch (median; line: lowest to highest round)', fontsize=9)
    return figure


def to_list(measured: Sequence[Tuple[Setting, Sequence[Measurement]]]) -> List[Dict[str, Any]]:
    """In plain types, with how many times as fast as `REFERENCE` each is."""
    found = []
    for setting, measurements in measured:
        reference = next((m for m in measurements if m.name == REFERENCE), None)
        found.append({'setting': asdict(setting), 'title': str(setting),
                      'implementations': [m.to_dict(reference) for m in measurements]})
    return found


@dataclass(frozen=True)
class Growth:
    """One implementation's figures while one size grows, up to where it failed.

    seconds: a batch of all but num_chars, where it is an epoch.
    """
    name: str
    size: str
    sizes: Tuple[int, ...]
    seconds: Tuple[float, ...]
    memory: Tuple[int, ...]         # bytes above those of the libraries
    error: str = ''                 # at which size it failed, and why

    @property
    def exponent(self) -> float | None:
        """The p of seconds ~ size^p, fitted to the logarithms; None for fewer than two sizes."""
        if len(set(self.sizes)) < 2:
            return None
        return float(np.polyfit(np.log(self.sizes), np.log(self.seconds), 1)[0])

    @property
    def label(self) -> str:
        """Its name and how it grows."""
        return self.name if self.exponent is None else f'{self.name}: ~ {self.size}^{self.exponent:.2f}'

    def to_dict(self) -> Dict[str, Any]:
        return {**asdict(self), 'exponent': self.exponent}


def setting_for(base: Setting, size: str, value: int) -> Setting:
    """`base` with one size changed, with a text of two batches an epoch, unless the text is what grows."""
    setting = replace(base, **{size: value})    # type: ignore[arg-type]
    if size == 'num_chars':
        return setting
    return replace(setting, num_chars=setting.batch_size * (2 * setting.num_steps + 1))


def measure_growth(cases: Sequence[Case], base: Setting, size: str, values: Sequence[int], *, rounds: int = 5,
                   threads: int | None = None, on_progress: Callable[[str], None] | None = None) -> List[Growth]:
    """Measure all cases while one size of `base` grows. A case that fails at one size is not measured at the next."""
    if size not in SIZES:
        raise ValueError(f'size must be one of {", ".join(SIZES)}, got {size!r}')
    found: Dict[str, List[Tuple[int, float, int]]] = {case.name: [] for case in cases}
    errors: Dict[str, str] = {}
    for value in values:
        going = [case for case in cases if case.name not in errors]
        if not going:
            break
        setting = setting_for(base, size, value)
        batches = 1 if size == 'num_chars' else 2
        tell = (lambda text, value=value: on_progress(f'{size} {value}: {text}')) if on_progress else None
        for m in measure(going, setting, rounds=rounds, threads=threads, on_progress=tell):
            if m.error:
                errors[m.name] = f'{size} {value}: {m.error}'
            else:
                found[m.name].append((value, m.median / batches, m.memory - m.library_memory))
    return [Growth(name, size, tuple(row[0] for row in rows), tuple(row[1] for row in rows), tuple(row[2] for row in rows),
                   errors.get(name, '')) for name, rows in found.items()]


def plot_growth(growths: Sequence[Growth]) -> Any:
    """Seconds and memory over one size, both axes logarithmic, the fitted exponent in the legend.

    Nothing is drawn of a case that failed at once. Raises ValueError where that leaves none.
    """
    growths = [growth for growth in growths if growth.sizes]
    if not growths:
        raise ValueError('there is nothing to draw: every case failed at the first size')
    figure, (left, right) = new_figure(9, 3.6, ncols=2)
    for growth in growths:
        left.loglog(growth.sizes, growth.seconds, 'o-', label=growth.label)
        right.loglog(growth.sizes, [bytes_ / 2 ** 20 for bytes_ in growth.memory], 'o-', label=growth.name)
    size = growths[0].size
    figure.suptitle(f'Growth with {size}')
    left.set(xlabel=size, ylabel='seconds an epoch' if size == 'num_chars' else 'seconds a batch')
    right.set(xlabel=size, ylabel='MiB above the libraries')
    left.legend(frameon=False, fontsize=8)
    values = sorted({value for growth in growths for value in growth.sizes})
    for axes in (left, right):
        axes.set_xticks(values, [f'{value:,}' for value in values])
        axes.xaxis.set_minor_formatter('')
        axes.yaxis.set_major_formatter('{x:g}')
        axes.yaxis.set_minor_formatter('{x:g}')
        axes.tick_params(which='both', labelsize=8)
        axes.grid(True, alpha=0.25)
    return figure


def measure_generation(cell: str, num_chars: int, *, rounds: int = 5, threads: int | None = None,
                       on_progress: Callable[[str], None] | None = None) -> List[Measurement]:
    """Characters a second of d2lzh's own two functions and of `generate`, greedy, after the same two characters.

    `generate` writes with each implementation, and with the model as an ONNX file, where ONNX Runtime is installed.
    A case that writes more or fewer characters is not measured.
    """
    setting = Setting(cell=cell, batch_size=1, num_steps=1, num_chars=num_chars + 1)
    cases = [Case(case.name, WORKERS / 'writing.py', {'impl': case.name}) for case in book_cases()]
    cases += [Case(case.name, WORKERS / 'writing.py', case.options) for case in own_cases()]
    cases.append(Case('gluon_rnn ONNX Runtime', WORKERS / 'writing.py', {'impl': 'onnx'}))
    measured = measure(cases, setting, rounds=rounds, threads=threads, on_progress=on_progress)
    return [_whole(m, num_chars) for m in measured]


def _whole(m: Measurement, num_chars: int) -> Measurement:
    wrong = [str(answer['length']) for answer in m.answers if answer['length'] != num_chars]
    return Measurement(m.name, error=f'wrote {wrong[0]} characters instead of {num_chars}') if wrong else m
