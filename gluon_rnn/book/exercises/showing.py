"""How several trainings are shown beside each other."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Sequence

import numpy as np

from ...plots import new_figure, save_figure, style_perplexity
from .frame import Lines
from .workbench import Training

_SHOWN_PERPLEXITY = 1e6         # the top of a picture


def verse_of(training: Training) -> str:
    """The last verse of a training, after its first prefix."""
    return training.verses[-1][1][0].replace('\n', ' ') if training.verses else '-'


def verse_lines(runs: Sequence[Training]) -> Lines:
    wide = max(len(run.label) for run in runs)
    return Lines(('Verses at the end', '结束时的歌词'), [f'{run.label:{wide}}  {verse_of(run)}' for run in runs])


def draw_runs(path: Path, runs: Sequence[Training]) -> None:
    """Perplexity over epochs, beside the norm of the gradient."""
    figure, (left, right) = new_figure(13, 4.4, ncols=2)
    for k, run in enumerate(runs):
        perplexity = np.minimum([record.perplexity for record in run.records], _SHOWN_PERPLEXITY)
        style: Dict[str, Any] = {'label': run.label + ('; diverged' if run.diverged else ''), 'color': f'C{k % 10}',
                                 'linestyle': '-' if k < 10 else '--', 'linewidth': 1.4,
                                 'marker': 'x' if len(run.records) == 1 else None}
        left.plot(range(1, len(perplexity) + 1), perplexity, **style)
        right.semilogy(range(1, len(perplexity) + 1), [record.grad_norm for record in run.records], **style)
    style_perplexity(left, f'drawn up to {_SHOWN_PERPLEXITY:,.0f}' if left.dataLim.y1 >= _SHOWN_PERPLEXITY else '')
    if left.get_legend():
        left.get_legend().remove()
    right.set(xlabel='epoch', ylabel='norm of the gradient before clipping')
    right.grid(True, alpha=0.25)
    right.spines[['top', 'right']].set_visible(False)
    right.legend(frameon=False, fontsize=8, loc='center left', bbox_to_anchor=(1, 0.5))
    save_figure(figure, path)
