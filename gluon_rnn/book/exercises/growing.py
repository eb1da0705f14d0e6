"""Section 6.4, exercise 3: the verses of every epoch."""
from __future__ import annotations

from functools import partial
from typing import Any, List

import numpy as np

from ...plots import new_figure, style_perplexity
from .drawing import rule
from .frame import Lines, Outcome, Table
from .scoring import known_share
from .workbench import Workbench

_AROUND = 5         # epochs before and after one that its mean is of
_LENGTH = 40


def verses_by_epoch(bench: Workbench) -> Outcome:
    """6.4.3: what is sung after every epoch, and how much of it the text has."""
    corpus = bench.corpus()
    text, length = corpus.decode(corpus.indices), bench.size(_LENGTH, 8)
    run = bench.train('RNN', cell='rnn', num_epochs=bench.size(160, 3), pred_period=1, verses=True, pred_len=length)
    if not run.verses:
        raise ValueError(f'no epoch was whole, so that there are no verses: {run.diverged}')
    rows, lines = [], []
    for (epoch, texts), record in zip(run.verses, run.records):
        verse = texts[0][-length:]
        rows.append((epoch, record.perplexity, len(set(verse)), known_share([verse], text), known_share([verse], text, 6)))
        if epoch <= 40 or epoch % 10 == 0:
            lines.append(f'{epoch:4} {record.perplexity:8.2f}  {texts[0]}')
    marks = [k for k in range(len(rows)) if k in (0, 1, 4, 9, 19, 39, 79, 119, len(rows) - 1)]
    first, last = rows[0], rows[-1]
    return Outcome([
        Lines(('Epoch, perplexity, verse', '迭代周期、困惑度、歌词'), lines),
        Table(('The verses in figures', '歌词的统计'),
              ('epoch', 'perplexity', 'different characters', 'three in a row as in the text', 'six in a row as in the text'),
              [rows[k] for k in marks])],
        {'first': first[1], 'first_different': first[2], 'epochs': last[0], 'last': last[1], 'last_different': last[2],
         'last_threes': last[3], 'last_sixes': last[4], 'threes': first_half(rows, 3), 'sixes': first_half(rows, 4)},
        picture=partial(_draw, rows=rows))


def first_half(rows: List[tuple], column: int) -> int | None:
    """The first epoch at which half of a verse's strings stand in the text; None: there was none."""
    return next((row[0] for row in rows if row[column] >= 0.5), None)


def _draw(rows: List[tuple]) -> Any:
    figure, (left, right) = new_figure(10, 3.8, ncols=2)
    epochs = [row[0] for row in rows]
    left.plot(epochs, [row[1] for row in rows], linewidth=1.6)
    style_perplexity(left)
    most = max(row[2] for row in rows)
    for k, scale, label, colour in ((3, 1, 'three in a row as in the text', 'C0'), (4, 1, 'six in a row as in the text', 'C1'),
                                    (2, most, f'different characters / {most}', '0.4')):
        values = np.array([row[k] / scale for row in rows])
        around = [values[max(0, i - _AROUND):i + _AROUND + 1].mean() for i in range(len(values))]
        right.plot(epochs, values, '.', color=colour, markersize=2.5, alpha=0.5)
        right.plot(epochs, around, color=colour, linewidth=1.6, label=label)
    right.set(xlabel='epoch', ylabel='part', ylim=(-0.03, 1.03), title=f'dots: each epoch; lines: mean of {2 * _AROUND + 1}')
    right.xaxis.get_major_locator().set_params(integer=True)
    rule(right, legend=True)
    return figure
