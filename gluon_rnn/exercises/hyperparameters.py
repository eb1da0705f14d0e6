"""Sections 6.4, 6.7 and 6.8: what the hyperparameters do to time, perplexity and verses.

From one set of settings each hyperparameter alone is moved down and up. Times are of one epoch, perplexities after the same
number of epochs, on the text itself (how well it is known by heart) and on the last tenth of it, held out.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from ..corpus import Corpus
from ..report import COLOURS, new_figure, save_figure
from .frame import Exercise, Lines, Outcome, Table, Text
from .scoring import known_share
from .workbench import Training, Workbench

# The middle of each is what the others stay at; but for the hidden units it is the book's.
FACTORS: Dict[str, Tuple[float, ...]] = {
    'num_hiddens': (32, 128, 384), 'num_steps': (10, 35, 70), 'batch_size': (8, 32, 64), 'lr': (10, 100, 1000),
    'clipping_theta': (1e-3, 1e-2, 1e-1)}
ZH = {'num_hiddens': '隐藏单元数', 'num_steps': '时间步数', 'batch_size': '批量大小', 'lr': '学习率',
      'clipping_theta': '裁剪阈值'}
_SHOWN = 1e5            # the top of the picture; a line to a higher perplexity leaves it
BASE = {name: values[1] for name, values in FACTORS.items()}


@dataclass
class Trial:
    """One training, `value` being what `factor` was set to. known: see `known_share`."""
    factor: str
    value: float
    run: Training
    known: float


def one_at_a_time(bench: Workbench, cell: str, num_epochs: int) -> List[Trial]:
    """A training with the base settings, and two for each factor; the base stands among the trials of each."""
    corpus = bench.corpus()
    base = _trial(bench, corpus, 'base', 0, cell=cell, num_epochs=num_epochs)
    trials = []
    for factor, values in bench.size(FACTORS, {'clipping_theta': FACTORS['clipping_theta']}).items():
        trials += [Trial(factor, value, base.run, base.known) if value == BASE[factor] else
                   _trial(bench, corpus, factor, value, cell=cell, num_epochs=num_epochs) for value in values]
    return trials


def _trial(bench: Workbench, corpus: Corpus, factor: str, value: float, **changes: Any) -> Trial:
    changes = {**BASE, **changes, 'valid_fraction': 0.1, **({} if factor == 'base' else {factor: value})}
    run = bench.train(f'{factor} {value:g}' if value else factor, verses=True, **changes)
    text = corpus.decode(corpus.indices)
    return Trial(factor, value, run, known_share(run.verses[-1][1], text) if run.verses else math.nan)


def hyperparameters(bench: Workbench, cell: str) -> Outcome:
    """6.4.1, 6.7.2 and 6.8.1."""
    trials = one_at_a_time(bench, cell, bench.size(40, 2))
    rows = [(trial.factor, trial.value, trial.run.seconds_an_epoch, trial.run.perplexity, trial.run.best_held_out[0],
             trial.run.records[-1].grad_norm if trial.run.records else math.nan, trial.known, trial.run.diverged or 'no')
            for trial in trials]
    lines = [f'{trial.factor} {trial.value:g}: {trial.run.verses[-1][1][0]}' for trial in trials if trial.run.verses]
    kept = ', '.join(f'{name} {value:g}' for name, value in BASE.items())
    return Outcome(_answer(trials, cell), [
        Table((f'{cell.upper()}, {len(trials[1].run.records)} epochs, one hyperparameter moved at a time, else {kept}',
               f'{cell.upper()}，{len(trials[1].run.records)} 个迭代周期，每次只变一个超参数，其余：{kept}'),
              ('hyperparameter', 'value', 'seconds an epoch', 'perplexity', 'lowest held-out perplexity', 'last gradient norm',
               'threes of the verses in the text', 'broken off'), rows),
        Lines(('Verses', '歌词'), lines),
    ], partial(draw, trials=trials, title=f'{cell.upper()}: one hyperparameter at a time'))


def _answer(trials: Sequence[Trial], cell: str) -> Text:
    by_factor = {factor: [trial for trial in trials if trial.factor == factor] for factor in factors_of(trials)}

    def spread(values: Sequence[float]) -> float:
        values = [value for value in values if math.isfinite(value)]
        return max(values) / min(values) if values else math.nan

    learning = {factor: spread([t.run.perplexity for t in some]) for factor, some in by_factor.items()}
    time = {factor: spread([t.run.seconds_an_epoch for t in some]) for factor, some in by_factor.items()}
    strongest, slowest = max(learning, key=lambda f: learning[f]), max(time, key=lambda f: time[f])
    whole = [trial for trial in trials if not trial.run.diverged]
    best, general = min(whole, key=lambda t: t.run.perplexity), min(whole, key=lambda t: t.run.best_held_out[0])
    verse = max(whole, key=lambda t: t.known)
    effects, effects_zh = [], []
    for factor, some in by_factor.items():
        values = ', '.join(f'{t.run.perplexity:.3g} at {t.value:g}' for t in some)
        values_zh = '，'.join(f'{t.value:g} 时 {t.run.perplexity:.3g}' for t in some)
        effects.append(f'{factor} {values}')
        effects_zh.append(f'{ZH[factor]} {values_zh}')
    broken = [f'{t.factor} {t.value:g}' for t in trials if t.run.diverged]
    en = (f'Perplexity after the same epochs: {"; ".join(effects)}. {strongest} moves it most '
          f'({learning[strongest]:.3g}-fold), {slowest} moves the time of an epoch most ({time[slowest]:.2g}-fold). The text '
          f'is known best with {best.factor} {best.value:g} (perplexity {best.run.perplexity:.3g}), held-out text with '
          f'{general.factor} {general.value:g} ({general.run.best_held_out[0]:.4g}): that is another question. The '
          f'verses of {verse.factor} {verse.value:g} have most of the text: {verse.known:.0%} of their strings of three '
          f'characters stand in it, what comes again not counted. Broken off: {", ".join(broken) or "none"}.')
    zh = (f'相同周期后的困惑度：{"；".join(effects_zh)}。对困惑度影响最大的是{ZH[strongest]}（相差 {learning[strongest]:.3g} '
          f'倍），对每周期用时影响最大的是{ZH[slowest]}（{time[slowest]:.2g} 倍）。训练文本上最好的是{_zh(best)}（困惑度 '
          f'{best.run.perplexity:.3g}），留出文本上最好的是{_zh(general)}（{general.run.best_held_out[0]:.4g}），这是另一个问题。'
          f'{_zh(verse)}写出的歌词有 {verse.known:.0%} 的三字串出自原文（重复的不计），最多。'
          f'中途失败的：{"，".join(broken) or "无"}。')
    return en, zh


def factors_of(trials: Sequence[Trial]) -> List[str]:
    return list(dict.fromkeys(trial.factor for trial in trials))


def _zh(trial: Trial) -> str:
    return f'{ZH[trial.factor]} {trial.value:g} '


def draw(path: Path, trials: Sequence[Trial], title: str) -> None:
    """For each hyperparameter: the perplexities above, the seconds an epoch below."""
    figure, axes = new_figure(13, 5.2, nrows=2, ncols=len(factors_of(trials)), sharey='row', sharex='col', squeeze=False)
    for (upper, lower), factor in zip(axes.T, factors_of(trials)):
        some = [trial for trial in trials if trial.factor == factor]
        values = [trial.value for trial in some]
        upper.plot(values, [t.run.perplexity for t in some], 'o-', color=COLOURS[0], label='the text itself')
        upper.plot(values, [t.run.best_held_out[0] for t in some], 's--', color=COLOURS[1], label='held out, lowest')
        lower.plot(values, [t.run.seconds_an_epoch for t in some], 'o-', color=COLOURS[2])
        upper.set(yscale='log', xscale='log', title=factor)
        lower.set_xticks(values, [f'{value:g}' for value in values])
        lower.minorticks_off()
        for axis in (upper, lower):
            axis.grid(True, alpha=0.25)
            axis.spines[['top', 'right']].set_visible(False)
    axes[0][0].set_ylabel('perplexity')
    axes[0][0].set_ylim(top=min(axes[0][0].get_ylim()[1], _SHOWN))
    axes[1][0].set_ylabel('seconds an epoch')
    axes[1][0].set_ylim(bottom=0)
    axes[0][0].legend(frameon=False, fontsize=8)
    figure.suptitle(title)
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.4.1', ('Change the hyperparameters: what do they do to time, perplexity and verses?',
                       '改变超参数，观察它们对训练时间、困惑度和歌词的影响。'), partial(hyperparameters, cell='rnn')),
    Exercise('6.7.2', ('How do the hyperparameters change the time, the perplexity and the verses of a GRU?',
                       '调节超参数，GRU 的运行时间、困惑度和写出的歌词如何变化？'), partial(hyperparameters, cell='gru')),
    Exercise('6.8.1', ('How do the hyperparameters change the time, the perplexity and the verses of an LSTM?',
                       '调节超参数，LSTM 的运行时间、困惑度和写出的歌词如何变化？'), partial(hyperparameters, cell='lstm')),
)
