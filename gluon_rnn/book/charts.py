"""Small charts that stand inside a page, their axes named in English and Chinese."""
from __future__ import annotations

import io
from typing import Any, Dict, Sequence

from ..plots import new_figure, style_log
from .sections import Text


def line_chart(lines: Sequence[Dict[str, Any]], *, x: str, y: str) -> Any:
    """A small figure with whole numbers on the x axis and a logarithmic y axis, both named.

    lines: x, y, colour, and marker or style where wanted; a marker without a style has no line between its points.
    """
    figure, axes = new_figure(4.6, 3)
    for line in lines:
        marker, style = line.get('marker'), line.get('style')
        alone = marker is None and len(line['x']) == 1
        axes.plot(line['x'], line['y'], color=line['colour'], linestyle=style or ('none' if marker else '-'), linewidth=1.6,
                  marker='o' if alone else marker, markersize=5, markerfacecolor='white' if marker else None,
                  zorder=3 if marker else 2)
    style_log(axes, x, y)
    if max((len(line['x']) for line in lines), default=0) < 10:
        axes.margins(x=0.08)
    return figure


def to_svg(figure: Any, name: str, words: Sequence[Text] = ()) -> str:
    """A figure as the SVG element of a page; one name always gives the same ids in it.

    words: English and Chinese of what is written in it. Of both a page shows the language it is read in, a picture alone both.
    """
    import matplotlib
    text = io.StringIO()
    with matplotlib.rc_context({'svg.fonttype': 'none', 'svg.hashsalt': name}):
        figure.savefig(text, format='svg', transparent=True, metadata={'Date': None, 'Creator': None})
    svg = text.getvalue()[text.getvalue().index('<svg'):]
    for en, zh in words:
        svg = svg.replace(f'>{en}</text>', f'><tspan lang="en">{en}</tspan><tspan lang="zh"> {zh}</tspan></text>')
    return svg
