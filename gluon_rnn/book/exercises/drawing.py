"""Parts that the pictures of several exercises share."""
from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from ...plots import new_figure, style_perplexity
from .frame import Lines
from .workbench import Training

_TOP = 1e6         # perplexities above it are drawn there


def verse_of(training: Training) -> str:
    """The last verse of a training, after its first prefix."""
    return training.verses[-1][1][0].replace('\n', ' ') if training.verses else '-'


def verse_lines(runs: Sequence[Training]) -> Lines:
    wide = max(len(run.label) for run in runs)
    return Lines(('Verses at the end', '结束时的歌词'), [f'{run.label:{wide}}  {verse_of(run)}' for run in runs])


def rule(*axes: Any, legend: bool = False) -> None:
    """Grid lines, no frame, and a legend where one is wanted."""
    for axis in axes:
        axis.grid(True, alpha=0.25)
        axis.spines[['top', 'right']].set_visible(False)
        if legend:
            axis.legend(frameon=False, fontsize=8)


def legend_beside(axis: Any) -> None:
    axis.legend(frameon=False, fontsize=8, loc='center left', bbox_to_anchor=(1, 0.5))


def draw_runs(runs: Sequence[Training]) -> Any:
    """Perplexity over epochs, beside the norm of the gradient."""
    figure, (left, right) = new_figure(13, 4.4, ncols=2)
    for k, run in enumerate(runs):
        epochs = [record.epoch for record in run.records]
        style = {'label': run.label + ('; broke off' if run.diverged else ''), 'linewidth': 1.4, 'color': f'C{k % 10}',
                 'linestyle': '-' if k < 10 else '--', 'marker': 'x' if len(epochs) == 1 else None}
        left.plot(epochs, np.minimum([record.perplexity for record in run.records], _TOP), **style)
        right.semilogy(epochs, [record.grad_norm for record in run.records], **style)
    style_perplexity(left, f'drawn up to {_TOP:,.0f}' if left.dataLim.y1 >= _TOP else '')
    if left.get_legend():
        left.get_legend().remove()
    right.xaxis.get_major_locator().set_params(integer=True)
    right.set(xlabel='epoch', ylabel='norm of the gradient before clipping')
    rule(right)
    legend_beside(right)
    return figure
