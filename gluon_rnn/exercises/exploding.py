"""Section 6.6: what else helps against exploding gradients, beside clipping them to a norm."""
from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np
from mxnet import nd

from .. import inside
from ..language_model import LanguageModel
from ..report import COLOURS, new_figure, save_figure
from ..runs import pick
from ..training import Diverged, TrainConfig, Trainer
from .frame import Exercise, Outcome, Table, Text
from .remedies import LR, REMEDIES, Remedy, Watched
from .scoring import unigram_perplexity
from .workbench import Workbench


@dataclass
class Tried:
    """What came of a remedy. norms: the gradient's, a number a step; per_step: how many times it grows a step back, at first."""
    remedy: Remedy
    per_step: float
    norms: np.ndarray
    perplexities: List[float]
    stopped: str

    @property
    def last(self) -> float:
        """The last perplexity; nan where no epoch was whole or the training broke off."""
        return self.perplexities[-1] if self.perplexities and not self.stopped else math.nan


def new_model(bench: Workbench, vocab_size: int, remedy: Remedy, settings: Mapping[str, Any]) -> LanguageModel:
    model = bench.model(vocab_size, **settings)
    rng, params = bench.rng(), model.book_params()
    for name in params:
        if re.fullmatch('W_h[^q]', name):       # W_hh, and a gate's like it
            params[name] = remedy.recurrent(params[name].shape, rng=rng)
    model.load_book_params(params)
    return model


def attempt(bench: Workbench, remedy: Remedy, num_epochs: int) -> Tried:
    """Train with one remedy, up to the last epoch or to where it breaks."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'num_hiddens': 128, 'num_epochs': num_epochs, 'lr': LR,
                               'clipping_theta': 0, **remedy.settings}
    settings = bench.settings(**changes)
    eager = new_model(bench, corpus.vocab_size, remedy, {**changes, 'impl': 'scratch'})
    reach = inside.reach(eager, corpus.indices[:bench.size(37, 12)].tolist())
    model = new_model(bench, corpus.vocab_size, remedy, changes)
    config = pick(TrainConfig, settings)
    trainer = Trainer(model, config)
    trainer.updater = watched = Watched(model.parameters(), config, **remedy.updater)
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
    """6.6.1: one network whose gradient explodes, one remedy at a time."""
    tried = [attempt(bench, remedy, bench.size(30, 2)) for remedy in bench.size(REMEDIES, REMEDIES[:2] + REMEDIES[-2:-1])]
    known = unigram_perplexity(bench.corpus().indices)
    rows = [(t.remedy.name, t.remedy.zh, t.per_step, float(t.norms.max()), float(np.median(t.norms)), len(t.perplexities),
             t.last, t.stopped or 'no') for t in tried]
    return Outcome(_answer(tried, known), [
        Table(('One remedy at a time', '每次只用一种办法'),
              ('remedy', '办法', 'gradient grows a step back, new network', 'largest norm', 'median norm', 'epochs',
               'perplexity of the last', 'broken off'), rows),
        Table(('To compare with', '对照'), ('', 'perplexity'), [('knowing how often each character occurs', known)]),
    ], partial(draw, tried=tried, known=known))


def _answer(tried: Sequence[Tried], known: float) -> Text:
    plain, others = tried[0], tried[1:]
    better = [t for t in others if t.last < plain.last or (math.isnan(plain.last) and not math.isnan(t.last))]
    tame = [t for t in better if t.norms.max() < 0.1 * plain.norms.max()]
    endured = [t for t in better if t not in tame]
    useless = [t for t in others if t not in better]
    best = min(others, key=lambda t: t.last if t.last == t.last else math.inf)

    def named(some: Sequence[Tried], zh: bool = False) -> str:
        texts = [f'{t.remedy.zh if zh else t.remedy.name} ({t.last:.3g})' for t in some]
        return ('；' if zh else '; ').join(texts) or ('无' if zh else 'none')

    en = (f'In the plain network the gradient grew {plain.per_step:.2f}-fold with each step back, its norm reached '
          f'{plain.norms.max():.3g}, and the perplexity ended at {plain.last:.3g} (knowing how often each character occurs gives '
          f'{known:.3g}). In brackets the perplexity after as many epochs. These kept the norm below a tenth of that and did '
          f'better: {named(tame)}. These met gradients as large and did better all the same: {named(endured)}. These did not do '
          f'better in this time: {named(useless)}. The best was "{best.remedy.name}" with {best.last:.3g}.')
    zh = (f'无措施时，梯度每往回一步变为 {plain.per_step:.2f} 倍，范数最大 {plain.norms.max():.3g}，困惑度最后为 {plain.last:.3g}'
          f'（只知道字频是 {known:.3g}）。括号内是相同周期后的困惑度。使范数低于其十分之一且更好的：{named(tame, True)}。'
          f'遇到同样大的梯度但仍然更好的：{named(endured, True)}。在这段时间内没有更好的：{named(useless, True)}。'
          f'最好的是“{best.remedy.zh}”，{best.last:.3g}。')
    return en, zh


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
    right.axhline(known, color='#bbb', linewidth=1)
    for axes in (left, right):
        axes.grid(True, alpha=0.25)
        axes.spines[['top', 'right']].set_visible(False)
    right.legend(frameon=False, fontsize=8, loc='center left', bbox_to_anchor=(1, 0.5))
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.6.1', ('Which remedies for exploding gradients are there beside clipping?',
                       '除了裁剪梯度，还有哪些办法应对梯度爆炸？'), remedies),
)
