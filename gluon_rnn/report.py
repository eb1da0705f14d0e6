"""Pictures of what training came to."""
from __future__ import annotations

import contextlib
import functools
import importlib
import io
import math
from pathlib import Path
from typing import Any, Dict, List, Sequence

from .files import whole_file

_CJK_FONTS = ('Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', 'Source Han Sans CN', 'WenQuanYi Micro Hei',
              'WenQuanYi Zen Hei', 'PingFang SC', 'Hiragino Sans GB', 'Heiti SC', 'Microsoft YaHei', 'SimHei', 'Noto Sans CJK JP',
              'Arial Unicode MS', 'Droid Sans Fallback')
_SPACE = '␣'
COLOURS = ('#2a6fbb', '#d9652b', '#3a9a5b', '#8e5bb5', '#b08a00', '#c23b6f', '#2aa0a8', '#6b6b6b')


@functools.cache
def cjk_font() -> str | None:
    """The name of a font that has Chinese characters: an installed one, or that of the package pylopdf-fonts-zh-cn, or None."""
    from matplotlib import font_manager
    installed = {font.name for font in font_manager.fontManager.ttflist}
    name = next((name for name in _CJK_FONTS if name in installed), None)
    if name is None:
        with contextlib.suppress(ImportError, OSError):
            path = str(importlib.import_module('pylopdf_fonts_zh_cn').sans_path())
            font_manager.fontManager.addfont(path)
            name = font_manager.FontProperties(fname=path).get_name()
    return name


def characters(text: str) -> List[str]:
    """Labels for the characters of a text in a picture: as they are where the font has them, else their code points.

    A space is shown as ␣. Without a font for Chinese, matplotlib would draw empty boxes and warn of each.
    """
    return [_SPACE if char == ' ' else char if _drawable(char) else f'{ord(char):X}' for char in text]


@functools.cache
def _drawable(char: str) -> bool:
    from matplotlib import font_manager, ft2font
    paths = [font_manager.findfont(font_manager.FontProperties(family=name)) for name in font_family()]
    return any(ft2font.FT2Font(path).get_char_index(ord(char)) for path in paths)


def font_family() -> List[str]:
    """The fonts for pictures: matplotlib's own, and one with Chinese characters where there is one."""
    return ['DejaVu Sans', *filter(None, [cjk_font()])]


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
    figure, axes = new_figure()
    for label, records in runs.items():
        epochs = [record.epoch for record in records]
        line, = axes.plot(epochs, [record.perplexity for record in records], label=label, linewidth=1.8,
                          marker='o' if len(epochs) == 1 else None)
        if records and records[-1].valid_perplexity is not None:
            axes.plot(epochs, [record.valid_perplexity for record in records], '--', color=line.get_color(),
                      label=f'{label}, held out', linewidth=1.2)
    style_perplexity(axes, title)
    save_figure(figure, path)


def style_perplexity(axes: Any, title: str = '') -> None:
    """Label and rule axes that hold perplexities over epochs, with a legend where there are several lines."""
    from matplotlib import ticker
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


def line_chart(lines: Sequence[Dict[str, Any]], *, name: str, whole_x: bool = False) -> str:
    """A small picture with a logarithmic y axis as SVG, to stand inside a page; it has no words, only numbers.

    lines: x, y, colour, and marker or style where wanted; a marker without a style has no line between its points. One name
    always gives the same ids inside the SVG. whole_x: only whole numbers on the x axis.
    """
    import matplotlib
    from matplotlib import ticker
    figure, axes = new_figure(4.6, 3)
    for line in lines:
        marker, style = line.get('marker'), line.get('style')
        alone = marker is None and len(line['x']) == 1
        axes.plot(line['x'], line['y'], color=line['colour'], linestyle=style or ('none' if marker else '-'), linewidth=1.6,
                  marker='o' if alone else marker, markersize=5, markerfacecolor='white', zorder=3 if marker else 2)
    axes.set_yscale('log')
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1,) if _decades(lines) > 3 else (1, 2, 5)))
    axes.yaxis.set_major_formatter('{x:g}')
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    axes.xaxis.set_major_locator(ticker.MaxNLocator(6, integer=True))
    if whole_x:
        axes.margins(x=0.08)
    axes.grid(True, which='major', alpha=0.25)
    axes.spines[['top', 'right']].set_visible(False)
    text = io.StringIO()
    with matplotlib.rc_context({'svg.fonttype': 'none', 'svg.hashsalt': name}):
        figure.savefig(text, format='svg', transparent=True, metadata={'Date': None, 'Creator': None})
    svg = text.getvalue()
    return svg[svg.index('<svg'):]


def _decades(lines: Sequence[Dict[str, Any]]) -> float:
    values = [value for line in lines for value in line['y'] if value > 0]
    return math.log10(max(values) / min(values)) if values else 0
