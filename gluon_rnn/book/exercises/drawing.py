"""Pictures and lines that several exercises share."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence, Tuple

import numpy as np

from ...plots import new_figure
from ...tables import Lines
from .workbench import Training

_TOP = 1e6         # what is above it is drawn there
_TITLES = {'perplexity': 'perplexity', 'valid_perplexity': 'perplexity on held-out text',
           'grad_norm': 'norm of the gradient before clipping'}


@dataclass(frozen=True)
class Panel:
    """Lines of one picture. lines: label -> (x, y); style: what `Axes.set` takes."""
    title: str
    lines: Mapping[str, Tuple[Any, Any]]
    style: Mapping[str, Any] = field(default_factory=dict)


def draw_panels(*panels: Panel) -> Any:
    """The panels, three in a row. Those of the same lines share a legend, at the last of them."""
    from matplotlib.ticker import MaxNLocator
    columns, rows = min(3, len(panels)), -(-len(panels) // 3)
    figure, axes = new_figure(4.4 * columns + 1, 3.8 * rows, nrows=rows, ncols=columns, squeeze=False)
    for axis in axes.flat[len(panels):]:
        axis.axis('off')
    for k, (axis, panel) in enumerate(zip(axes.flat, panels)):
        for i, (label, (x, y)) in enumerate(panel.lines.items()):
            style = {'marker': 'o' if len(x) < 20 else None, 'markersize': 3, 'linewidth': 1.4}
            axis.plot(x, y, '-' if i < 10 else '--', label=label, **style)
        axis.set(title=panel.title, **panel.style)
        axis.grid(True, alpha=0.25)
        if axis.get_xscale() == 'linear':
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        if k + 1 == len(panels) or panel.lines.keys() != panels[k + 1].lines.keys():
            beside = {'loc': 'center left', 'bbox_to_anchor': (1, 0.5)} if len(panel.lines) > 5 else {}
            axis.legend(frameon=False, fontsize=8, **beside)
    return figure


def draw_runs(runs: Sequence[Training], figures: Sequence[str] = ('perplexity', 'grad_norm')) -> Any:
    """Figures of the records of several trainings over their epochs."""
    panels = []
    for name in figures:
        lines = {run.label + ('; broke off' if run.diverged else ''): (
            [record.epoch for record in run.records], np.minimum([getattr(record, name) for record in run.records], _TOP))
            for run in runs}
        panels.append(Panel(_TITLES[name], lines, {'xlabel': 'epoch', 'yscale': 'log'}))
    return draw_panels(*panels)


def verse_lines(runs: Sequence[Training]) -> Lines:
    """The last verse of each training, after its first prefix."""
    wide = max(len(run.label) for run in runs)
    verses = [run.verses[-1][1][0].replace('\n', ' ') if run.verses else '-' for run in runs]
    return Lines(('Verses at the end', '结束时的歌词'), [f'{run.label:{wide}}  {verse}' for run, verse in zip(runs, verses)])
