"""Section 6.6: what else helps against exploding gradients, beside clipping them to a norm."""
from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np
from mxnet import nd

from ...models.language_model import LanguageModel
from ...plots import COLOURS, new_figure, save_figure
from ...runs.settings import pick
from ...training.config import TrainConfig
from ...training.loss import Diverged
from ...training.trainer import Trainer
from .. import diagnostics
from .frame import Exercise, Outcome, Table, Text
from .remedies import BATCH_SIZE, LR, NUM_STEPS, PLAIN, REMEDIES, Remedy, Watched
from .scoring import CHANCE, compared, unigram_perplexity
from .workbench import Workbench

AGAIN = replace(PLAIN, name='nothing, another seed', zh='无措施，另一随机种子')
BROKEN = 'broke off', '中断'


@dataclass
class Tried:
    """What came of a remedy. norms: the gradient's, a number a step; per_step: how many times it grows a step back, at first."""
    remedy: Remedy
    per_step: float
    norms: np.ndarray
    perplexities: List[float]
    stopped: str

    @property
    def largest(self) -> float:
        """The largest norm, infinite where one was no longer finite."""
        return float(self.norms.max()) if np.isfinite(self.norms).all() else math.inf

    @property
    def last(self) -> float:
        """The last perplexity; nan where no epoch was whole or the training broke off."""
        return self.perplexities[-1] if self.perplexities and not self.stopped else math.nan


def new_model(bench: Workbench, vocab_size: int, remedy: Remedy, settings: Mapping[str, Any]) -> LanguageModel:
    model = bench.model(vocab_size, **settings)
    rng, params = np.random.default_rng(settings.get('seed', bench.seed)), model.book_params()
    for name in params:
        if re.fullmatch('W_h[^q]', name):       # W_hh, and a gate's like it
            params[name] = remedy.recurrent(params[name].shape, rng=rng)
    model.load_book_params(params)
    return model


def attempt(bench: Workbench, remedy: Remedy, num_epochs: int, *, seed: int | None = None) -> Tried:
    """Train with one remedy, up to the last epoch or to where it breaks. seed: None: the workbench's."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'num_hiddens': 128, 'num_epochs': num_epochs, 'lr': LR,
                               'num_steps': NUM_STEPS, 'batch_size': BATCH_SIZE, 'clipping_theta': 0,
                               'seed': bench.seed if seed is None else seed, **remedy.settings}
    settings = bench.settings(**changes)
    eager = new_model(bench, corpus.vocab_size, remedy, {**changes, 'impl': 'scratch'})
    reach = diagnostics.reach(eager, corpus.indices[:bench.size(37, 12)].tolist())
    model = new_model(bench, corpus.vocab_size, remedy, changes)
    config = pick(TrainConfig, settings)
    watched = Watched(model.parameters(), config, **remedy.updater)
    trainer = Trainer(model, config, optimizer=watched)
    perplexities: List[float] = []
    stopped = ''
    try:
        for record in trainer.epochs(corpus.indices, on_step=bench.on_step):
            perplexities.append(record.perplexity)
            bench.tell(f'{remedy.name}: epoch {record.epoch} of {num_epochs}, perplexity {record.perplexity:.4g}')
    except (Diverged, OverflowError) as error:
        stopped = str(error)
    norms = nd.concat(*watched.norms, dim=0).asnumpy()
    return Tried(remedy, float((reach[0] / reach[-1]) ** (1 / (len(reach) - 1))), norms, perplexities, stopped)


def remedies(bench: Workbench) -> Outcome:
    """6.6.1: one network whose gradient explodes, one remedy at a time, all with as many updates."""
    epochs = bench.size(24, 2)
    tried = [attempt(bench, remedy, epochs) for remedy in bench.size(REMEDIES, REMEDIES[:2] + REMEDIES[-2:-1])]
    again = attempt(bench, AGAIN, epochs, seed=bench.seed + 1)
    known = unigram_perplexity(bench.corpus().indices)
    rows = [(t.remedy.name, t.remedy.zh, t.per_step, float(t.norms.max()), float(np.median(t.norms)), len(t.perplexities),
             len(t.norms), t.last, t.stopped or 'no') for t in [*tried, again]]
    return Outcome(_answer(tried, again, known), [
        Table(('One remedy at a time', '每次只用一种办法'),
              ('remedy', '办法', 'gradient grows a step back, new network', 'largest norm', 'median norm', 'epochs', 'updates',
               'perplexity of the last', 'broken off'), rows),
        Table(('To compare with', '对照'), ('', 'perplexity'), [('knowing how often each character occurs', known)]),
    ], partial(draw, tried=tried, known=known))


def _answer(tried: Sequence[Tried], again: Tried, known: float) -> Text:
    plain, others = tried[0], tried[1:]
    ends = [t.last for t in (plain, again) if math.isfinite(t.last)]
    chance = max(CHANCE, max(ends) / min(ends)) if ends else CHANCE
    lowest = min(ends, default=math.nan)        # what a remedy has to be clearly below
    groups: Dict[str, List[Tried]] = {'lower': [], 'alike': [], 'higher': []}
    for t in others:
        groups[compared(t.last, lowest, chance)].append(t)
    tame = [t for t in others if t.largest < 0.1 * plain.largest]
    en = (f'In the plain network the gradient grew {plain.per_step:.2f}-fold with each step back, its norm reached '
          f'{_number(plain.largest, "infinity")}, and the perplexity ended at {_number(plain.last, "none: it broke off")}, from '
          f'another seed at {_number(again.last, "none: it broke off")} (knowing how often each character occurs gives '
          f'{known:.3g}). {_updates(tried)[0]}')
    zh = (f'无措施时，梯度每往回一步变为 {plain.per_step:.2f} 倍，范数最大 {_number(plain.largest, "无穷大")}，困惑度最后为 '
          f'{_number(plain.last, "无（中断）")}，换一个随机种子为 {_number(again.last, "无（中断）")}（只知道字频是 '
          f'{known:.3g}）。{_updates(tried)[1]}')
    en += f' The norm stayed below a tenth of the plain network\'s with: {"; ".join(t.remedy.name for t in tame) or "none"}.'
    zh += f'范数始终低于无措施时十分之一的：{"；".join(t.remedy.zh for t in tame) or "没有"}。'
    titles = {'lower': ('Perplexity lower than without a remedy', '困惑度低于无措施的'),
              'alike': (f'No clear difference from the plain network (a factor of {chance:.3g} or less)',
                        f'与无措施没有明显差别的（不超过 {chance:.3g} 倍）'),
              'higher': ('Worse in this time', '在这段时间里更差的')}
    for name, some in groups.items():
        if some:
            en += f' {titles[name][0]}: {"; ".join(f"{t.remedy.name} ({_number(t.last, BROKEN[0])})" for t in some)}.'
            zh += f'{titles[name][1]}：{"；".join(f"{t.remedy.zh}（{_number(t.last, BROKEN[1])}）" for t in some)}。'
    best = min(others, key=lambda t: t.last if math.isfinite(t.last) else math.inf)
    level = [t for t in others if compared(t.last, best.last) == 'alike']
    if not best.last < known:
        verdict = (f'Which of them learns best cannot be told yet: none is below {known:.3g}',
                   f'谁学得最好还看不出来：都没有低于 {known:.3g}')
    elif len(level) > 1:
        verdict = (f'The lowest, with no clear difference between them: {", ".join(t.remedy.name for t in level)}',
                   f'最低的几种彼此没有明显差别：{"、".join(t.remedy.zh for t in level)}')
    else:
        verdict = (f'The lowest perplexity is that of "{best.remedy.name}"', f'困惑度最低的是“{best.remedy.zh}”')
    return f'{en} {verdict[0]}.', f'{zh}{verdict[1]}。'


def _number(value: float, otherwise: str) -> str:
    return f'{value:.3g}' if math.isfinite(value) else otherwise


def _updates(tried: Sequence[Tried]) -> Text:
    """Whether all that came to the end have updated the weights as often."""
    counts = sorted({len(t.norms) for t in tried if not t.stopped})
    if len(counts) == 1:
        return (f'Each remedy updates the weights {counts[0]:,} times, so that none is ahead only because it updates more often.',
                f'各种办法都更新权重 {counts[0]:,} 次，没有谁只因更新得多而领先。')
    if not counts:
        return 'No training came to its end.', '没有一次训练到达终点。'
    least, most = counts[0], counts[-1]
    return (f'The remedies update the weights {least:,} to {most:,} times, so that some may be ahead only because they update '
            f'more often.', f'各种办法更新权重 {least:,} 至 {most:,} 次，有的可能只因更新得多而领先。')


def draw(path: Path, tried: Sequence[Tried], known: float) -> None:
    """The norms over the updates, and the perplexities over the epochs."""
    figure, (left, right) = new_figure(12, 4.8, ncols=2)
    for k, t in enumerate(tried):
        colour, style = COLOURS[k % len(COLOURS)] if k else 'black', '-' if k <= len(COLOURS) else '--'
        part = np.linspace(0, 1, len(t.norms))
        left.plot(part, np.where(t.norms > 0, t.norms, np.nan), style, color=colour, linewidth=0.7)
        right.plot(range(1, len(t.perplexities) + 1), t.perplexities, style, color=colour, linewidth=1.3 if k else 2.2,
                   label=t.remedy.name)
    left.set(yscale='log', xlabel='part of the training', ylabel='gradient norm before anything is done to it')
    right.set(yscale='log', xlabel='epoch', ylabel='perplexity per character')
    right.axhline(known, color='#bbb', linewidth=1, label='frequencies alone')
    for axes in (left, right):
        axes.grid(True, alpha=0.25)
        axes.spines[['top', 'right']].set_visible(False)
    right.legend(frameon=False, fontsize=8, loc='center left', bbox_to_anchor=(1, 0.5))
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.6.1', ('Which remedies for exploding gradients are there beside clipping?',
                       '除了裁剪梯度，还有哪些办法应对梯度爆炸？'), remedies),
)
