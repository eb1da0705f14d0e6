"""How several trainings are shown beside each other."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Sequence

import numpy as np

from ..report import new_figure, save_figure, style_perplexity
from .frame import Lines
from .workbench import Training

_SHOWN_PERPLEXITY = 1e6         # the top of a picture


def verse_of(training: Training) -> str:
    """The last verse of a training, after its first prefix."""
    return training.verses[-1][1][0].replace('\n', ' ') if training.verses else '-'


def verse_lines(runs: Sequence[Training]) -> Lines:
    wide = max(len(run.label) for run in runs)
    return Lines(('Verses at the end', '结束时的歌词'), [f'{run.label:{wide}}  {verse_of(run)}' for run in runs])


def draw_runs(path: Path, runs: Sequence[Training], *, norms: bool = False) -> None:
    """Perplexity over epochs beside perplexity over seconds, or beside the norm of the gradient."""
    figure, (left, right) = new_figure(11, 4.4, ncols=2)
    for k, run in enumerate(runs):
        perplexity = np.minimum([record.perplexity for record in run.records], _SHOWN_PERPLEXITY)
        style: Dict[str, Any] = {'label': run.label + ('; diverged' if run.diverged else ''), 'color': f'C{k % 10}',
                                 'linestyle': '-' if k < 10 else '--', 'linewidth': 1.4,
                                 'marker': 'x' if len(run.records) == 1 else None}
        left.plot(range(1, len(perplexity) + 1), perplexity, **style)
        if norms:
            right.semilogy(range(1, len(perplexity) + 1), [record.grad_norm for record in run.records], **style)
        else:
            right.plot(np.cumsum([record.seconds for record in run.records]), perplexity, **style)
    style_perplexity(left)
    left.legend(frameon=False, fontsize=7)
    if norms:
        right.set(xlabel='epoch', ylabel='norm of the gradient before clipping')
        right.grid(True, alpha=0.25)
    else:
        style_perplexity(right)
        right.set_xlabel('seconds')
        if right.get_legend():
            right.get_legend().remove()
    save_figure(figure, path)
