"""Section 6.3, exercise 2: a whole sentence as a sample, and what that does to batches."""
from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ...cells.ops import OneHot, State
from ...corpora.sampling import Batch
from ...models.language_model import LanguageModel
from ...plots import new_figure, save_figure
from ...training.loss import evaluate
from .frame import Exercise, Outcome, Table, Text
from .scoring import Row, log_probs, near_lowest, verses
from .workbench import Training, Workbench

PADDING = -1


class Sentences:
    """Sentences as samples: a batch is as long as its longest, the rest of it PADDING.

    by_length: sentences of about the same length in one batch, the batches in random order; else all at random.
    Labels are those of the real characters alone, all rows of the first step first.
    """

    def __init__(self, rows: Sequence[Row], batch_size: int, *, by_length: bool, seed: int):
        self.rows, self.batch_size, self.by_length, self.seed = rows, batch_size, by_length, seed
        self.cells = self.real = 0      # places of all batches so far, and those that hold a character

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def batches(self, epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.rows))
        if self.by_length:
            order = order[np.argsort([len(self.rows[i]) for i in order], kind='stable')]
        for k in rng.permutation(len(self)):
            rows = [self.rows[i] for i in order[k * self.batch_size:(k + 1) * self.batch_size]]
            XY = np.full((len(rows), max(map(len, rows))), PADDING, dtype=np.float32)
            for i, row in enumerate(rows):
                XY[i, :len(row)] = row
            Y = XY[:, 1:].T.reshape(-1)
            X = np.where(XY[:, 1:] == PADDING, PADDING, XY[:, :-1])
            self.cells, self.real = self.cells + Y.size, self.real + int((Y != PADDING).sum())
            yield nd.array(X), nd.array(Y[Y != PADDING])


class OfSentences:
    """A language model that takes batches with PADDING and gives logits for the real characters alone.

    skip: leave the padding out of the network (`cells/lengths.py`); else it is computed, and what comes of it thrown away.
    """

    def __init__(self, model: LanguageModel, *, skip: bool):
        self.model, self.skip, self.ctx, self.config = model, skip, model.ctx, model.config

    def begin_state(self, batch_size: int) -> State:
        return self.model.begin_state(batch_size)

    def parameters(self) -> Dict[str, nd.NDArray]:
        return self.model.parameters()

    def __call__(self, X: nd.NDArray, state: State) -> Tuple[nd.NDArray, State]:
        characters = X.asnumpy()
        real = characters != PADDING
        inputs = OneHot(nd.array(np.maximum(characters, 0).T, ctx=self.ctx), self.config.vocab_size)
        H, state = self.model.network(inputs, state, real.sum(axis=1) if self.skip else None)
        rows = nd.array(np.flatnonzero(real.T.reshape(-1)), ctx=self.ctx, dtype='int32')
        return self.model.output(nd.take(H.reshape((-1, self.model.network.num_outputs)), rows)), state


def whole_sentences(bench: Workbench) -> Outcome:
    """6.3.2: verses as samples, at random and by length, padding computed or left out, beside the book's windows."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'impl': 'scratch', 'num_hiddens': 128, 'num_epochs': bench.size(30, 2),
                               'valid_fraction': 0.1, 'sampling': 'random'}
    settings = bench.settings(**changes)
    train, held_out = corpus.split(settings.valid_fraction)
    rows, other = verses(train, corpus), verses(held_out, corpus)
    lengths = np.array([len(row) - 1 for row in rows])      # labels of each
    batch_size = max(1, round(settings.batch_size * settings.num_steps / lengths.mean()))     # as many labels as windows
    runs: Dict[str, Training] = {}
    table: List[tuple] = []

    def add(name: str, run: Training, source: Sentences | None, samples: int, size: int) -> None:
        runs[name] = run
        by_verse = math.exp(-float(np.mean(np.concatenate(log_probs(run.model, other)))))
        running = evaluate(run.model, held_out, settings.batch_size, settings.num_steps)
        table.append((name, samples, size, -(-samples // size) if source else samples // size,
                      1 - source.real / source.cells if source else 0.0, run.seconds_an_epoch, run.perplexity, by_verse, running))

    windows = (len(train) - 1) // settings.num_steps
    add('windows', bench.train('windows', corpus=corpus, **changes), None, windows, settings.batch_size)
    for name, by_length, skip in (('verses, padding computed', False, False), ('verses, padding left out', False, True),
                                  ('verses by length', True, False)):
        source = Sentences(rows, batch_size, by_length=by_length, seed=bench.seed)
        run = bench.train(name, corpus=corpus, source=source, wrap=partial(OfSentences, skip=skip), **changes)
        add(name, run, source, len(rows), batch_size)
    return Outcome(_answer(table, lengths), [
        Table(('Characters in a verse, its space included', '每句的字符数（含空格）'),
              ('verses', 'mean', 'median', 'shortest', 'longest'),
              [(len(lengths), float(lengths.mean()), float(np.median(lengths)), int(lengths.min()), int(lengths.max()))]),
        Table(('After the same epochs', '相同迭代周期之后'),
              ('samples', 'number', 'of a batch', 'batches', 'padding', 'seconds an epoch', 'perplexity in training',
               'held-out, verse by verse', 'held-out, running on'), table),
    ], partial(_draw, lengths=lengths, batch_size=batch_size, seed=bench.seed, rows=rows))


def _answer(table: List[tuple], lengths: np.ndarray) -> Text:
    windows, computed, skipped, sorted_ = table
    # padding computed or left out is the same mathematics on the same batches: what lies between the two is chance
    noise = float(np.max([abs(computed[k] / skipped[k] - 1) for k in (7, 8)]))
    said = [_verdict(windows[k], sorted_[k], noise) for k in (7, 8)]
    quick = [row for row in table[1:] if row[5] <= 1.1 * min(row[5] for row in table[1:])]
    fastest = [' and '.join(f'"{row[0]}"' for row in quick), '和'.join(f'“{_ZH[row[0]]}”' for row in quick)]
    en = (f'Each sample then makes sense by itself, but samples have unequal lengths (here {lengths.min()} to {lengths.max()} '
          f'characters), so that a batch must be padded: {computed[4]:.0%} of what it holds is padding, {sorted_[4]:.0%} where '
          'verses of like length go together. Padding must be kept out of the loss, and costs time where it is computed: an '
          f'epoch took {computed[5]:.2f} s with random verses, {skipped[5]:.2f} with their padding left out, {sorted_[5]:.2f} '
          f'by length (windows {windows[5]:.2f}); of the three, {fastest[0]} {"was" if len(quick) == 1 else "were"} fastest. '
          'Batches can neither be adjacent nor carry a state on: the past ends with the sentence. Held-out perplexity after the '
          f'same epochs, windows against verses by length: {windows[7]:.4g} against {sorted_[7]:.4g} verse by verse, '
          f'{said[0][0]}; {windows[8]:.4g} against {sorted_[8]:.4g} on the running text, {said[1][0]}. The measure of chance is '
          f'that padding computed and left out, the same but for rounding, come out up to {noise:.1%} apart.')
    zh = (f'这样每个样本意思完整，但长度不一（这里从 {lengths.min()} 到 {lengths.max()} 个字符），小批量必须填充：填充占 '
          f'{computed[4]:.0%}，把长度相近的句子放在一起则为 {sorted_[4]:.0%}。填充不能计入损失，若参与计算还浪费时间：随机的句'
          f'子每个迭代周期 {computed[5]:.2f} 秒，跳过填充 {skipped[5]:.2f} 秒，按长度分批 {sorted_[5]:.2f} 秒（固定窗口 '
          f'{windows[5]:.2f} 秒）；三者中最快的是{fastest[1]}。相邻采样不再可行，隐藏状态也不能跨句传递。相同迭代周期后'
          f'的留出困惑度，固定窗口与按长度分批的整句：逐句计算为 {windows[7]:.4g} 与 {sorted_[7]:.4g}，{said[0][1]}；连续文本为 '
          f'{windows[8]:.4g} 与 {sorted_[8]:.4g}，{said[1][1]}。衡量随机波动的依据：计算填充与跳过填充只有舍入不同，结果却'
          f'最多相差 {noise:.1%}。')
    return en, zh


def _verdict(windows: float, by_length: float, noise: float) -> Text:
    """Which of two perplexities is better, if one is. noise: how far apart they are by chance, a part of them."""
    near = near_lowest({'windows': (windows, noise * windows), 'verses by length': (by_length, noise * by_length)})
    if not np.isfinite([windows, by_length, noise]).all():
        return 'which cannot be compared', '无法比较'
    return ((f'better with "{near[0]}"', f'“{_ZH[near[0]]}”更好') if len(near) == 1 else
            ('no clear difference', '没有明显差别'))


_ZH = {'windows': '固定窗口', 'verses, padding computed': '随机的句子，计算填充',
       'verses, padding left out': '随机的句子，跳过填充',
       'verses by length': '按长度分批的句子'}


def _draw(path: Path, lengths: np.ndarray, batch_size: int, seed: int, rows: Sequence[Row]) -> None:
    figure, (left, middle, right) = new_figure(11, 3.6, ncols=3)
    left.hist(lengths, bins=np.arange(lengths.min(), lengths.max() + 2) - 0.5, color='C0')
    left.set(xlabel='characters of a verse', ylabel='verses', title='lengths')
    for ax, by_length in ((middle, False), (right, True)):
        source = Sentences(rows, batch_size, by_length=by_length, seed=seed)
        X, _ = next(source.batches(1))
        ax.imshow(X.asnumpy() != PADDING, aspect='auto', cmap='Blues', vmin=0, vmax=1.4, interpolation='nearest')
        ax.set(xlabel='step', ylabel='row of the batch', title='one batch by length' if by_length else 'one batch at random')
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.3.2', ('If a sample should be a whole sentence, what becomes of mini-batches?',
                       '若希望每个样本是完整的一句话，小批量会遇到什么问题？'),
             whole_sentences),
)
