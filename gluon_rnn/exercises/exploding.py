"""Section 6.6: what else helps against exploding gradients, beside clipping them to a norm."""
from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence

import numpy as np
from mxnet import nd

from .. import inside
from ..language_model import LanguageModel
from ..report import COLOURS, new_figure, save_figure
from ..runs import pick
from ..training import Diverged, TrainConfig, Trainer
from ..updating import Updater, global_norm
from .frame import Exercise, Outcome, Table, Text
from .workbench import Workbench

GAIN = 3            # the recurrent weights come from N(0, GAIN / sqrt(num_hiddens)): their singular values reach up to 2 GAIN
LR = 0.5            # without clipping, where the book's 100 stands with it


class Watched(Updater):
    """An updater that keeps every gradient's norm, before anything is done about it.

    limit: clip each number of the gradient to -limit … limit; decay: the part of each weight that a step takes away.
    """

    def __init__(self, parameters: Dict[str, nd.NDArray], config: TrainConfig, *, limit: float = 0, decay: float = 0):
        super().__init__(parameters, config.optimizer, config.lr, config.clipping_theta)
        self.limit, self.decay = limit, decay
        self.norms: List[nd.NDArray] = []

    def step(self) -> nd.NDArray:
        norm = global_norm(self.grads)
        self.norms.append(norm)
        for param, grad in zip(self.params, self.grads):
            if self.limit:
                nd.clip(grad, -self.limit, self.limit, out=grad)
            if self.decay:
                param *= 1 - self.decay
        super().step()
        return norm


def gaussian(shape: Sequence[int], sigma: float, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(scale=sigma, size=shape)


def exploding_weights(shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    return gaussian(shape, GAIN / math.sqrt(shape[0]), rng)


def orthogonal(shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """All singular values 1: it turns a vector, and makes it neither longer nor shorter (Saxe et al., 2014)."""
    Q, R = np.linalg.qr(rng.normal(size=shape))
    return Q * np.sign(np.diag(R))


@dataclass(frozen=True)
class Remedy:
    """One change to the plain training. settings: of model and trainer; recurrent: draws W_hh; updater: see `Watched`."""
    name: str
    zh: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recurrent: Callable[..., np.ndarray] = exploding_weights
    updater: Mapping[str, float] = field(default_factory=dict)


PLAIN = Remedy('nothing', '无措施')
REMEDIES = (
    PLAIN,
    Remedy('clip the norm to 1', '范数裁剪到 1', {'clipping_theta': 1}),
    Remedy('clip each number to 0.01', '逐个元素裁剪到 0.01', updater={'limit': 1e-2}),
    Remedy('learning rate / 100', '学习率除以 100', {'lr': LR / 100}),
    Remedy('Adam, 0.01', 'Adam，0.01', {'optimizer': 'adam', 'lr': 0.01}),
    Remedy('weight decay', '权重衰减', updater={'decay': 1e-3}),
    Remedy('BPTT over 5 steps', '时间步数截断为 5', {'num_steps': 5}),
    Remedy("small W_hh (the book's)", '小的 W_hh（书中初始化）', recurrent=partial(gaussian, sigma=0.01)),
    Remedy('orthogonal W_hh', '正交的 W_hh', recurrent=orthogonal),
    Remedy('GRU', 'GRU', {'cell': 'gru'}),
    Remedy('LSTM', 'LSTM', {'cell': 'lstm'}),
)


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
    changes = {'cell': 'rnn', 'num_hiddens': 64, 'batch_size': 16, 'num_epochs': num_epochs, 'lr': LR, 'clipping_theta': 0,
               **remedy.settings}
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


def unigram_perplexity(indices: np.ndarray) -> float:
    """What knowing how often each character occurs comes to, and nothing else: below it something of the order is learned."""
    p = np.bincount(indices) / len(indices)
    p = p[p > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


def remedies(bench: Workbench) -> Outcome:
    """6.6.1: one network whose gradient explodes, one remedy at a time."""
    tried = [attempt(bench, remedy, bench.size(25, 2)) for remedy in REMEDIES]
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
    learned = [t for t in others if t.last < known]
    tame = [t for t in learned if t.norms.max() < 0.1 * plain.norms.max()]
    endured = [t for t in learned if t not in tame]
    useless = [t for t in others if t not in learned]
    best = min(others, key=lambda t: t.last if t.last == t.last else math.inf)

    def named(some: Sequence[Tried], zh: bool = False) -> str:
        texts = [f'{t.remedy.zh if zh else t.remedy.name} ({t.last:.3g})' for t in some]
        return ('；' if zh else ', ').join(texts) or ('无' if zh else 'none')

    verdict = 'learned nothing' if not plain.last < known else f'still came to {plain.last:.3g}'
    verdict_zh = '什么也没学到' if not plain.last < known else f'困惑度仍降到 {plain.last:.3g}'
    en = (f'In the plain network the gradient grows {plain.per_step:.2f}-fold with each step back; its norm reached '
          f'{plain.norms.max():.3g}, and the network {verdict} (perplexity {plain.last:.3g}, how often each character occurs '
          f'alone gives {known:.3g}). Remedies that kept the norm below a tenth of that, and learned: {named(tame)}. That left '
          f'the gradient large and learned all the same: {named(endured)}. Of no help by themselves: {named(useless)}. The '
          f'best was "{best.remedy.name}", perplexity {best.last:.3g}.')
    zh = (f'无措施时，梯度每往回一步增大到 {plain.per_step:.2f} 倍，范数最大 {plain.norms.max():.3g}，网络{verdict_zh}'
          f'（困惑度 {plain.last:.3g}；只知道字频是 {known:.3g}）。使范数低于其十分之一并学会的：{named(tame, True)}。'
          f'梯度仍然大但照样学会的：{named(endured, True)}。单独使用无效的：{named(useless, True)}。'
          f'最好的是“{best.remedy.zh}”，困惑度 {best.last:.3g}。')
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
