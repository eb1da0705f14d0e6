"""Section 6.4, exercise 3: the verses of every epoch."""
from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import List

import numpy as np

from ...plots import new_figure, save_figure, style_perplexity
from .frame import Exercise, Lines, Outcome, Table, Text
from .scoring import known_share
from .workbench import Workbench

_AROUND = 5         # epochs before and after one that its mean is of


def verses_by_epoch(bench: Workbench) -> Outcome:
    """6.4.3: what is sung after every epoch, and how much of it the text has."""
    corpus = bench.corpus()
    text = corpus.decode(corpus.indices)
    run = bench.train('RNN', cell='rnn', num_epochs=bench.size(160, 3), pred_period=1, verses=True, pred_len=40)
    if not run.verses:
        raise ValueError(f'no epoch was whole, so that there are no verses: {run.diverged}')
    start = len(min(run.verses[0][1], key=len)) - run.settings.pred_len
    rows, lines = [], []
    for (epoch, texts), record in zip(run.verses, run.records):
        verse = texts[0][start:]
        rows.append((epoch, record.perplexity, len(set(verse)), known_share([verse], text), known_share([verse], text, 6)))
        if epoch <= 40 or epoch % 10 == 0:
            lines.append(f'{epoch:4} {record.perplexity:8.2f}  {texts[0]}')
    marks = sorted({0, *(k for k in (1, 4, 9, 19, 39, 79, 119) if k < len(rows)), len(rows) - 1})
    return Outcome(_growing_answer(rows, run.diverged), [
        Lines(('Epoch, perplexity, verse', '迭代周期、困惑度、歌词'), lines),
        Table(('The verses in figures', '歌词的统计'),
              ('epoch', 'perplexity', 'different characters', 'three in a row as in the text', 'six in a row as in the text'),
              [rows[k] for k in marks])],
        partial(_draw_growing, rows=rows))


def _growing_answer(rows: List[tuple], diverged: str = '') -> Text:
    """rows: epoch, perplexity, different characters, shares of the verse's threes and sixes (nan: none so long)."""
    first, last = rows[0], rows[-1]
    told, told_zh = [], []
    for column, least, en, zh in (
            (2, 15, 'the first verse of 15 different characters or more comes at epoch', '首次有 15 个以上不同的字'),
            (3, 0.5, 'the first half of whose strings of three stand in the text at epoch', '首次有一半的三字串见于原文'),
            (4, 0.5, 'the first half of whose strings of six do, at epoch', '首次有一半的六字串见于原文')):
        row = next((row for row in rows if row[column] >= least), None)
        if row:
            told.append(f'{en} {row[0]} (perplexity {row[1]:.4g})')
            told_zh.append(f'第 {row[0]} 个周期（困惑度 {row[1]:.4g}）{zh}')
    shares = [(f'{share:.0%} of its strings of {name}', f'{share:.0%} 的{name_zh}字串')
              for share, name, name_zh in ((last[3], 'three', '三'), (last[4], 'six', '六')) if math.isfinite(share)]
    stand = (f'; {" and ".join(share[0] for share in shares)} characters stand in the text, what comes again not counted',
             f'，其中 {"、".join(share[1] for share in shares)}见于原文（重复的不计）') if shares else ('', '')
    en = (f'At epoch {first[0]} the verse has {first[2]} different character{"s" * (first[2] != 1)} (perplexity {first[1]:.4g}), '
          f'at epoch {last[0]} it has {last[2]} ({last[1]:.4g}){stand[0]}. '
          f'{"On the way: " + "; ".join(told) if told else "No verse had 15 different characters, or half of it from the text"}.')
    zh = (f'第 {first[0]} 个周期的歌词有 {first[2]} 个不同的字（困惑度 {first[1]:.4g}），第 {last[0]} 个周期有 {last[2]} 个（'
          f'{last[1]:.4g}）{stand[1]}。'
          f'{"其间：" + "；".join(told_zh) if told else "没有一次歌词有 15 个不同的字，或有一半见于原文"}。')
    if diverged:
        en += ' Then the training broke off.'
        zh += '此后训练中断。'
    return en, zh


def _draw_growing(path: Path, rows: List[tuple]) -> None:
    figure, (left, right) = new_figure(10, 3.8, ncols=2)
    epochs = [row[0] for row in rows]
    left.plot(epochs, [row[1] for row in rows], linewidth=1.6)
    style_perplexity(left)
    shown = [(3, 1, 'three in a row as in the text', 'C0'), (4, 1, 'six in a row as in the text', 'C1'),
             (2, max(row[2] for row in rows), f'different characters / {max(row[2] for row in rows)}', '0.4')]
    for k, most, label, colour in shown:
        values = np.array([row[k] / most for row in rows])
        around = [values[max(0, i - _AROUND):i + _AROUND + 1].mean() for i in range(len(values))]
        right.plot(epochs, values, '.', color=colour, markersize=2.5, alpha=0.5)
        right.plot(epochs, around, color=colour, linewidth=1.6, label=label)
    right.set(xlabel='epoch', ylim=(-0.03, 1.03), title=f'dots: the verse of each epoch; lines: mean of {2 * _AROUND + 1}')
    right.legend(frameon=False, fontsize=8)
    right.grid(True, alpha=0.25)
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.4.3', ('Write verses after every epoch and follow how they grow.',
                       '每个迭代周期都创作歌词，观察其变化。'), verses_by_epoch),
)
