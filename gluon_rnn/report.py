"""Pictures of what training came to."""
from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Dict, Sequence

from .files import whole_file

_CJK_FONTS = ('Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', 'Source Han Sans CN', 'WenQuanYi Micro Hei',
              'WenQuanYi Zen Hei', 'PingFang SC', 'Hiragino Sans GB', 'Heiti SC', 'Microsoft YaHei', 'SimHei', 'Noto Sans CJK JP',
              'Arial Unicode MS', 'Droid Sans Fallback')


@functools.cache
def cjk_font() -> str | None:
    """The name of an installed font that has Chinese characters, or None."""
    from matplotlib import font_manager
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in _CJK_FONTS if name in installed), None)


def new_figure(width: float = 7, height: float = 4.2, **grid: Any) -> Any:
    """A figure and its axes that draw into a file, never on a screen. width and height in inches; grid: nrows, ncols."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), dpi=120, layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(**grid)


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with whole_file(Path(path)) as file:
        figure.savefig(file, format='png')


def plot_perplexity(path: Path, runs: Dict[str, Sequence[Any]], *, title: str = '') -> None:
    """Perplexity over the epochs, a line for each run, dashed on held-out text where there is some.

    runs: label -> records with `epoch`, `perplexity` and `valid_perplexity`.
    """
    from matplotlib import ticker
    figure, axes = new_figure()
    for label, records in runs.items():
        epochs = [record.epoch for record in records]
        line, = axes.plot(epochs, [record.perplexity for record in records], label=label, linewidth=1.8,
                          marker='o' if len(epochs) == 1 else None)
        if records and records[-1].valid_perplexity is not None:
            axes.plot(epochs, [record.valid_perplexity for record in records], '--', color=line.get_color(),
                      label=f'{label}, held out', linewidth=1.2)
    axes.set_yscale('log')
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter('{x:g}')
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xlabel('epoch')
    axes.set_ylabel('perplexity per character')
    axes.grid(True, which='both', alpha=0.25)
    axes.spines[['top', 'right']].set_visible(False)
    if title:
        axes.set_title(title)
    if len(axes.get_lines()) > 1:
        axes.legend(frameon=False)
    save_figure(figure, path)
