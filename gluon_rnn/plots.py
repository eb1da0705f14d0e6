"""Pictures as figures, which the caller saves: perplexity over the epochs, confusion matrices, waves, surprise."""
from __future__ import annotations

import contextlib
import functools
import importlib
import math
import unicodedata
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np

from .runs.files import whole_file

_CJK_FONTS = ('Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', 'Source Han Sans CN', 'WenQuanYi Micro Hei',
              'WenQuanYi Zen Hei', 'PingFang SC', 'Hiragino Sans GB', 'Heiti SC', 'Microsoft YaHei', 'SimHei', 'Noto Sans CJK JP',
              'Arial Unicode MS', 'Droid Sans Fallback')
SPACE = '␣'
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
    return [SPACE if char == ' ' else char if _drawable(char) else f'{ord(char):X}' for char in text]


@functools.cache
def _drawable(char: str) -> bool:
    from matplotlib import font_manager, ft2font
    paths = [font_manager.findfont(font_manager.FontProperties(family=name)) for name in font_family()]
    return any(ft2font.FT2Font(path).get_char_index(ord(char)) for path in paths)


def font_family() -> List[str]:
    """The fonts for pictures: matplotlib's own, and one with Chinese characters where there is one."""
    return ['DejaVu Sans', *filter(None, [cjk_font()])]


def use_chinese_font() -> None:
    """Let a reader's own plots have Chinese in them, from now on, beside formulas, too."""
    import matplotlib
    # its font first: a text with a formula in it takes no other
    matplotlib.rcParams.update({'font.family': font_family()[::-1], 'axes.unicode_minus': False})


def new_figure(width: float = 7, height: float = 4.2, **grid: Any) -> Any:
    """A figure and its axes, open at the top and right, that draw into a file, never on a screen.

    width and height in inches; grid: nrows, ncols.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), dpi=120, layout='constrained')
    FigureCanvasAgg(figure)
    with matplotlib.rc_context({'axes.spines.top': False, 'axes.spines.right': False}):
        return figure, figure.subplots(**grid)


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with whole_file(Path(path)) as file:
        figure.savefig(file, format='png')


def plot_perplexity(runs: Dict[str, Sequence[Any]], *, title: str = '', x: str = 'epoch') -> Any:
    """Perplexity over the epochs, a line for each run, dashed on held-out text where there is some.

    runs: label -> records with `epoch`, `seconds`, `perplexity` and `valid_perplexity`. x: 'epoch', or 'seconds' of training.
    """
    figure, axes = new_figure()
    for label, records in runs.items():
        epochs = [r.epoch for r in records] if x == 'epoch' else np.cumsum([r.seconds for r in records])
        line, = axes.plot(epochs, [record.perplexity for record in records], label=label, linewidth=1.8,
                          marker='o' if len(epochs) == 1 else None)
        if records and records[-1].valid_perplexity is not None:
            axes.plot(epochs, [record.valid_perplexity for record in records], '--', color=line.get_color(),
                      label=f'{label}, held out', linewidth=1.2)
    style_perplexity(axes, title or f'Perplexity over the {"epochs" if x == "epoch" else "seconds of training"}', x)
    return figure


def style_perplexity(axes: Any, title: str = '', x: str = 'epoch') -> None:
    """Label and rule axes that hold perplexities over epochs, with a legend where there are several lines."""
    style_log(axes, x, 'perplexity')
    if title:
        axes.set_title(title)
    if len(axes.get_lines()) > 1:
        axes.legend(frameon=False)


def style_log(axes: Any, x: str, y: str) -> None:
    """Label and rule axes of whole numbers along x and logarithmic along y."""
    from matplotlib import ticker
    axes.set(xlabel=x, ylabel=y, yscale='log')
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if high < 1e4 * low else (1,)))
    axes.yaxis.set_major_formatter('{x:g}')
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    axes.xaxis.set_major_locator(ticker.MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.grid(True, which='major', alpha=0.25)


def plot_confusion(matrix: np.ndarray, images: Any, answers: np.ndarray, *, title: str = '', most: int = 30) -> Any:
    """The confusion matrix, and beside it the first misread images, each with its digit and the answer.

    matrix: (classes, classes), rows for what was shown; images: `Images`; answers: (number,) the class named for each.
    """
    figure, (left, right) = new_figure(11.5, 5.4, ncols=2, width_ratios=[1.15, 1])
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    wrong_shares = np.where(np.eye(len(matrix), dtype=bool), np.nan, shares)
    left.imshow(np.where(np.eye(len(matrix), dtype=bool), shares, np.nan), cmap='Greens', vmin=0, vmax=2)
    left.imshow(wrong_shares, cmap='Reds', vmin=0, vmax=max(2 * np.nanmax(wrong_shares), 1e-9))
    for shown, answered in np.ndindex(*matrix.shape):
        if matrix[shown, answered]:
            left.text(answered, shown, matrix[shown, answered], ha='center', va='center', fontsize=9,
                      fontweight='bold' if shown == answered else 'normal')
    classes = range(len(matrix))
    accuracy = np.trace(matrix) / matrix.sum()
    left.set(xticks=classes, yticks=classes, xlabel='answered', ylabel='shown',
             title=f'{title}\n{accuracy:.2%} of {matrix.sum():,} right'.strip())
    left.tick_params(length=0)
    _draw_misread(right, images, answers, most)
    return figure


def _draw_misread(axes: Any, images: Any, answers: np.ndarray, most: int) -> None:
    wrong = np.flatnonzero(images.y != answers)
    axes.axis('off')
    shown = wrong[:most]
    part = f'all {len(wrong)}' if len(shown) == len(wrong) else f'{len(shown)} of the {len(wrong)}'
    axes.set_title(f'{part} misread: shown → answered' if len(wrong) else 'none misread')
    columns = 6
    for k, i in enumerate(shown):
        row, column = divmod(k, columns)
        box = axes.inset_axes((column / columns + .01, 1 - (row + 1) / 5 + .035, 1 / columns - .02, 1 / 5 - .045))
        box.imshow(images.X[i], cmap='gray_r', vmin=0, vmax=1)
        box.axis('off')
        box.text(.5, -.03, f'{images.y[i]} → {answers[i]}', transform=box.transAxes, ha='center', va='top', fontsize=9)


def plot_waves(target: np.ndarray, waves: Dict[str, np.ndarray], errors: Mapping[str, Sequence[float]]) -> Any:
    """Each network's wave over the target, and under them the errors over the epochs. All by the network's label."""
    figure, axes = new_figure(9, 2 + 1.6 * len(waves), nrows=len(waves) + 1, height_ratios=[1] * len(waves) + [1.6])
    for k, (ax, (label, wave)) in enumerate(zip(axes, waves.items())):
        ax.plot(target, color='0.75', linewidth=3, label='target')
        ax.plot(wave, color=f'C{k}', linewidth=1.4)
        ax.set_title(f'{label}: error {errors[label][-1]:.3f}', loc='left', fontsize=10)
        ax.set(xlim=(0, len(target) - 1), ylim=(-1.25, 1.25), yticks=[-1, 0, 1])
        axes[-1].plot(range(1, len(errors[label]) + 1), errors[label], color=f'C{k}', label=label, linewidth=1.4)
    axes[len(waves) - 1].set_xlabel('sample')
    style_log(axes[-1], 'epoch', 'squared error /\nvariance of the target')
    axes[-1].legend(frameon=False, fontsize=9, loc='lower left')
    return figure


def plot_surprise(scores: Dict[str, Any], *, columns: int = 80) -> Any:
    """A figure of a text coloured by how little each of its tokens was expected, once for each model.

    scores: label -> `models.scoring.TextScore`; columns: of a line, of which a Chinese character takes two.
    """
    from matplotlib import colors
    pages = {label: _places(score, columns) for label, score in scores.items()}
    heights = [page[-1][0] + 1 for page in pages.values()]
    tall = 0.8 + 0.25 * sum(heights) + 0.3 * len(pages)
    figure, axes = new_figure(9, tall, nrows=len(pages), squeeze=False, height_ratios=heights)
    scale = colors.Normalize(0, max(bits for page in pages.values() for *_, bits in page) or 1)
    for ax, (label, page), height in zip(axes[:, 0], pages.items(), heights):
        ax.set(xlim=(0, columns), ylim=(height, 0), xticks=[], yticks=[])
        ax.set_title(label, loc='left', fontsize=9, family=font_family())
        drawn = ax.scatter([], [], c=[], norm=scale, cmap='YlOrRd')
        for row, column, width, char, bits in page:
            ax.broken_barh([(column, width)], (row, 1), color=drawn.to_rgba(bits))
            ink = 'white' if scale(bits) > 0.75 else 'black'
            ax.text(column + width / 2, row + 0.5, char, ha='center', va='center', fontsize=9, family=font_family(), color=ink)
    figure.colorbar(drawn, ax=axes[:, 0].tolist(), label='bits by which it surprised', shrink=0.9, aspect=30)
    return figure


def _places(score: Any, columns: int) -> List[Any]:
    """Row, column, width, character and surprise in bits of each character of a text."""
    places, row, column = [], 0, 0
    for piece, loss in zip(score.pieces, score.losses):
        for char, label in zip(piece, characters(piece)):
            width = 1 + (unicodedata.east_asian_width(char) in 'WF')
            row, column = (row + 1, 0) if column + width > columns else (row, column)
            places.append((row, column, width, {'\n': '↵', ' ': ''}.get(char, label), loss / math.log(2)))
            row, column = (row + 1, 0) if char == '\n' else (row, column + width)
    return places
