"""Sections 6.4, 6.7 and 6.8: what the hyperparameters do to time, perplexity and verses.

From one set of settings each hyperparameter alone is moved down and up. Times are of one epoch, perplexities after the same
number of epochs, on the text itself (how well it is known by heart) and on the last tenth of it, held out.
"""
from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, Sequence

from ...plots import COLOURS, new_figure, save_figure
from .frame import Exercise, Lines, Outcome, Table, Text
from .scoring import CHANCE, compared
from .trials import BASE, ZH, Trial, factors_of, one_at_a_time
from .workbench import Workbench

_VERSES = 0.1           # shares of verses that differ by less are not told apart: a verse has some hundred strings
_SHOWN = 1e5            # the top of the picture; a line to a higher perplexity leaves it


def hyperparameters(bench: Workbench, cell: str) -> Outcome:
    """6.4.1, 6.7.2 and 6.8.1."""
    trials, other = one_at_a_time(bench, cell, bench.size(40, 2))
    base = next(trial for trial in trials if trial.is_base)
    updates = base.updates * len(base.run.records)
    rows = [(trial.factor, trial.value or None, trial.run.seconds_an_epoch, trial.updates, trial.run.perplexity,
             trial.after(updates), trial.run.best_held_out[0],
             trial.run.records[-1].grad_norm if trial.run.records else math.nan, trial.known, trial.run.diverged or 'no')
            for trial in [*trials, other]]
    lines = [f'{trial.factor} {trial.value:g}: {trial.run.verses[-1][1][0]}' for trial in trials if trial.run.verses]
    kept, epochs = ', '.join(f'{name} {value:g}' for name, value in BASE.items()), base.run.settings.num_epochs
    return Outcome(_answer(trials, other), [
        Table((f'{cell.upper()}, {epochs} epochs, one hyperparameter moved at a time, else {kept}',
               f'{cell.upper()}，{epochs} 个迭代周期，每次只变一个超参数，其余：{kept}'),
              ('hyperparameter', 'value', 'seconds an epoch', 'updates an epoch', 'perplexity', f'after {updates} updates',
               'lowest held-out perplexity', 'last gradient norm', 'threes of the verses in the text', 'broken off'), rows),
        Lines(('Verses', '歌词'), lines),
    ], partial(draw, trials=trials, title=f'{cell.upper()}: one hyperparameter at a time'))


def _lowest(trials: Sequence[Trial], of: Callable[[Trial], float], chance: float) -> List[Trial]:
    """The trial that has the lowest value, and after it those that chance may have put behind it; the base stands but once."""
    told = {('base' if trial.is_base else trial.factor, 0 if trial.is_base else trial.value): trial for trial in trials}
    order = sorted((trial for trial in told.values() if math.isfinite(of(trial))), key=of)
    return [trial for trial in order if compared(of(trial), of(order[0]), chance) == 'alike']


def _named(trials: Sequence[Trial], of: Callable[[Trial], float]) -> Text:
    """'num_steps 10 (8.8)' and the like."""
    told = [('the base settings' if t.is_base else f'{t.factor} {t.value:g}', '基准设置' if t.is_base else
             f'{ZH[t.factor]} {t.value:g}', f'{of(t):.3g}') for t in trials]
    return (' and '.join(f'{en} ({value})' for en, _, value in told), '、'.join(f'{zh}（{value}）' for _, zh, value in told))


def _answer(trials: Sequence[Trial], other: Trial) -> Text:
    base = next(trial for trial in trials if trial.is_base)
    noise = base.perplexity / other.perplexity
    chance = max(CHANCE, noise, 1 / noise) if math.isfinite(noise) else CHANCE
    effects, effects_zh = [], []
    for factor in factors_of(trials):
        some = [trial for trial in trials if trial.factor == factor]
        effects.append(f'{factor} ' + ', '.join(f'{_shown(t, "broken off")} at {t.value:g}' for t in some))
        effects_zh.append(f'{ZH[factor]} ' + '，'.join(f'{t.value:g} 时 {_shown(t, "中断")}' for t in some))
    moved = _spread(trials, lambda trial: trial.perplexity if math.isfinite(trial.perplexity) else math.inf)
    seconds = _spread(trials, lambda trial: trial.run.seconds_an_epoch)
    strongest, slowest = max(moved, key=lambda factor: moved[factor]), max(seconds, key=lambda factor: seconds[factor])
    clear = moved[strongest] > chance       # infinite where a training broke off
    fold = f'{moved[strongest]:.3g}-fold' if math.isfinite(moved[strongest]) else 'to where a training breaks off'
    fold_zh = f'{moved[strongest]:.3g} 倍' if math.isfinite(moved[strongest]) else '直到训练中断'
    en = [f'Perplexity after the same epochs: {"; ".join(effects)}. From another seed the base settings come to '
          f'{_shown(other, "nothing, for they broke off")} in place of {_shown(base, "nothing, for they broke off")}; what '
          f'differs by a factor of {chance:.3g} or less is called no clear difference here. '
          + (f'{strongest} moves it most ({fold}).' if clear else 'No hyperparameter makes a clear difference.')]
    zh = [f'相同周期后的困惑度：{"；".join(effects_zh)}。基准设置用另一个随机种子，困惑度由 {_shown(base, "中断")} 变为 '
          f'{_shown(other, "中断")}；相差不超过 {chance:.3g} 倍的，这里算没有明显差别。'
          + (f'对困惑度影响最大的是{ZH[strongest]}（{fold_zh}）。' if clear else '没有哪个超参数有明显影响。')]
    if seconds[slowest] > 1.2:
        en.append(f'{slowest} moves the time of an epoch most ({seconds[slowest]:.2g}-fold).')
        zh.append(f'对每周期用时影响最大的是{ZH[slowest]}（{seconds[slowest]:.2g} 倍）。')
    else:
        en.append('The time of an epoch shows no clear difference.')
        zh.append('每周期用时没有明显差别。')
    for lines, line in zip((en, zh), _learned(trials, base, chance)):
        lines.append(line)
    broken = [trial for trial in trials if trial.run.diverged]
    en.append(f'Broken off: {", ".join(f"{t.factor} {t.value:g}" for t in broken) or "none"}.')
    zh.append(f'中途失败的：{"，".join(f"{ZH[t.factor]} {t.value:g}" for t in broken) or "无"}。')
    return ' '.join(en), ''.join(zh)


def _learned(trials: Sequence[Trial], base: Trial, chance: float) -> Text:
    """What knows the text best, the same text with as many updates, held-out text, and what its verses have of the text."""
    best = _lowest(trials, lambda t: t.perplexity, chance)
    if not best:
        return 'Nothing was learned: every training broke off.', '所有训练都中断，没有学到什么。'
    general = _lowest(trials, lambda t: t.held_out, chance)
    en, zh = _named(best, lambda t: t.perplexity)
    en = f'The text is known best with {en}{": no clear difference" if len(best) > 1 else ""}.'
    zh = f'训练文本上最好的是{zh}{"，没有明显差别" if len(best) > 1 else ""}。'
    updates = base.updates * len(base.run.records)
    for trial in best:
        then = trial.after(updates)
        if trial.updates > base.updates and then is not None and not base.run.diverged:
            stands = {'lower': ('still ahead of', '仍领先于'), 'alike': ('not clearly different from', '没有明显不同于'),
                      'higher': ('behind', '落后于')}[compared(then, base.perplexity, chance)]
            en += (f' But {trial.factor} {trial.value:g} updates the weights {trial.updates} times an epoch, the base settings '
                   f'{base.updates} times; after the same {updates} updates it stands at {then:.3g}, {stands[0]} the base '
                   f'settings with {base.perplexity:.3g}.')
            zh += (f'但{ZH[trial.factor]} {trial.value:g} 每周期更新 {trial.updates} 次，基准设置 {base.updates} 次；同样更新 '
                   f'{updates} 次后它为 {then:.3g}，{stands[1]}基准设置的 {base.perplexity:.3g}。')
    names = _named(general, lambda t: t.held_out)
    if len(general) > 1:
        en += f' On held-out text there is no clear difference between {names[0]}.'
        zh += f'留出文本上没有明显差别的是{names[1]}。'
    elif general:
        same = any(general[0] is trial for trial in best)
        en += f' Held-out text is known best with {names[0]}, {"too" if same else "which is another question"}.'
        zh += f'留出文本上最好的{"也" if same else ""}是{names[1]}{"" if same else "，这是另一个问题"}。'
    verses = max((trial for trial in trials if math.isfinite(trial.known)), key=lambda t: t.known, default=None)
    if verses:
        who, who_zh = (text.rpartition(mark)[0] for text, mark in zip(_named([verses], lambda t: t.known), (' (', '（')))
        beside = ('', '')
        if not verses.is_base and math.isfinite(base.known):
            close = ('', '') if verses.known > base.known + _VERSES else (', no clear difference', '，没有明显差别')
            beside = f' (base settings {base.known:.0%}{close[0]})', f'（基准设置为 {base.known:.0%}{close[1]}）'
        en += (f' Of the verses of {who}, {verses.known:.0%} of the strings of three characters stand in the text, what comes '
               f'again not counted, which is most{beside[0]}.')
        zh += f'{who_zh}写出的歌词有 {verses.known:.0%} 的三字串见于原文（重复的不计），最多{beside[1]}。'
    return en, zh


def _shown(trial: Trial, broken: str) -> str:
    return broken if math.isnan(trial.perplexity) else f'{trial.perplexity:.3g}'


def _spread(trials: Sequence[Trial], of: Callable[[Trial], float]) -> Dict[str, float]:
    """Factor -> its trials' highest value over the lowest; 1 where there are none."""
    found = {}
    for factor in factors_of(trials):
        values = [of(trial) for trial in trials if trial.factor == factor and not math.isnan(of(trial))]
        found[factor] = max(values) / min(values) if values and math.isfinite(min(values)) else 1.0
    return found


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
