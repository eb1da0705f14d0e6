"""PyTorch as cases of `gluon_rnn.measuring`, the settings at which everything is measured, and the picture of it."""
from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from ..measuring import Case, Measurement, Setting, book_cases, own_cases
from ..report import new_figure, save_figure

WORKER = Path(__file__).resolve().with_name('worker.py')
REFERENCE = 'd2lzh scratch'         # whose seconds the others' are held against
_TORCH = {'hand': 'torch by hand', 'compile': 'torch.compile of it', 'layer': 'torch.nn'}
_COLOURS = {'d2lzh': '#bdbdbd', 'gluon_rnn': '#e6550d', 'torch': '#3182bd'}


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


def draw_bars(path: Path, measured: Sequence[Tuple[Setting, Sequence[Measurement]]]) -> None:
    """Seconds an epoch, a row of bars for each setting, with the lowest and the highest round as a line."""
    bars = max(len(found) for _, found in measured)
    figure, grid = new_figure(8, 1 + 0.34 * bars * len(measured), nrows=len(measured), squeeze=False)
    for axes, (setting, found) in zip(grid[:, 0], measured):
        found = [m for m in found if not m.error]
        names = [m.name for m in found]
        medians = [m.median for m in found]
        spread = [[m.median - min(m.seconds) for m in found], [max(m.seconds) - m.median for m in found]]
        colours = [_COLOURS[name.replace('.', ' ').split()[0]] for name in names]
        axes.barh(names, medians, xerr=spread, color=colours, ecolor='#555555', error_kw={'linewidth': 1})
        for i, m in enumerate(found):
            axes.annotate(f' {m.median:.3g} s', (max(m.seconds), i), va='center', fontsize=8)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_title(str(setting), fontsize=9, loc='left')
        axes.tick_params(labelsize=8)
        axes.spines[['top', 'right']].set_visible(False)
    grid[-1, 0].set_xlabel('seconds an epoch (median; line: lowest to highest round)', fontsize=9)
    save_figure(figure, path)


def to_list(measured: Sequence[Tuple[Setting, Sequence[Measurement]]]) -> List[Dict[str, Any]]:
    """In plain types, with how many times as fast as `REFERENCE` each is."""
    found = []
    for setting, measurements in measured:
        reference = next((m for m in measurements if m.name == REFERENCE), None)
        found.append({'setting': asdict(setting), 'title': str(setting),
                      'implementations': [m.to_dict(reference) for m in measurements]})
    return found
