"""Section 6.3: other ways to cut a text into batches, each a `trainer.Source`."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import numpy as np
from mxnet import nd

from ...corpora.sampling import Batch, num_batches
from ...plots import new_figure, save_figure, style_perplexity
from ...training.loss import evaluate
from .frame import Exercise, Outcome, Table, Text
from .scoring import near_lowest
from .workbench import Training, Workbench

Starts = Callable[[np.random.Generator], Any]
_ZH = {'fixed cuts': '固定切分', 'fixed cuts, next seed': '固定切分（另一随机种子）', 'shifted cuts': '平移切分',
       'anywhere': '任意位置', 'half over': '重叠一半', 'at verses': '句首开始', 'consecutive': '相邻采样'}


class Windows:
    """Windows of num_steps characters that begin where `starts` says, in random order, every epoch drawn anew.

    starts(rng): the first characters of an epoch's windows, more than it has batches for or not. All have the same number of
    batches, that of the book's random sampling, so that a number of epochs is a number of updates.
    """

    def __init__(self, indices: np.ndarray, starts: Starts, *, num_steps: int, batch_size: int, seed: int):
        self.indices, self.starts = indices, starts
        self.num_steps, self.batch_size, self.seed = num_steps, batch_size, seed
        self.seen = np.zeros(len(indices), dtype=np.int64)      # how often each character was asked for
        self.begun: set = set()                                 # at which characters windows have begun

    def __len__(self) -> int:
        return num_batches(len(self.indices), self.batch_size, self.num_steps, 'random')

    def batches(self, epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed, epoch])
        starts = rng.permutation(self.starts(rng))
        wanted = len(self) * self.batch_size
        starts = np.resize(starts, wanted)      # too few are gone through again
        self.begun.update(starts.tolist())
        windows = starts[:, None] + np.arange(self.num_steps + 1)
        np.add.at(self.seen, windows[:, 1:], 1)
        for rows in windows.reshape(len(self), self.batch_size, -1):
            XY = nd.array(self.indices[rows], dtype='float32')
            yield XY[:, :-1], XY[:, 1:].T.reshape((-1,))


def ways(indices: np.ndarray, space: int | None, num_steps: int) -> Dict[str, tuple[Text, Starts]]:
    """The ways to begin windows, by name. space: the index of the character between verses, None: there is none."""
    last = len(indices) - num_steps - 1     # where a window may begin at the latest
    many = last // num_steps
    found: Dict[str, tuple[Text, Starts]] = {
        'fixed cuts': (("the book's random sampling", '书中的随机采样'), lambda rng: np.arange(0, last + 1, num_steps)),
        'shifted cuts': (('cuts moved by a random number of characters each epoch', '每个周期随机平移切分位置'),
                         lambda rng: np.arange(rng.integers(min(num_steps, last + 1)), last + 1, num_steps)),
        'anywhere': (('windows begin anywhere, drawn with replacement, and overlap', '任意位置开始，有放回抽取，可重叠'),
                     lambda rng: rng.integers(0, last + 1, many)),
        'half over': (('cuts every half window, so that each overlaps the next; half of them an epoch',
                       '每半个窗口切一次，相邻窗口重叠，每周期取一半'),
                      lambda rng: np.arange(0, last + 1, max(1, num_steps // 2))),
    }
    if space is not None:
        verses = np.flatnonzero(indices[:last + 1] == space) + 1
        verses = verses[verses <= last]
        if len(verses):
            found['at verses'] = (('windows begin where a verse begins', '从一句歌词的开头开始'), lambda rng: verses)
    return found


def other_samplings(bench: Workbench) -> Outcome:
    """6.3.1: the same network, the same number of updates, windows chosen in several ways."""
    corpus = bench.corpus()
    changes: Dict[str, Any] = {'cell': 'rnn', 'num_epochs': bench.size(45, 2), 'valid_fraction': 0.1}
    settings = bench.settings(**changes)
    train_indices, _ = corpus.split(settings.valid_fraction)
    sizes = {'num_steps': settings.num_steps, 'batch_size': settings.batch_size}
    rows: List[tuple] = []
    runs: Dict[str, Training] = {}

    def add(name: str, run: Training, source: Windows | None) -> None:
        runs[name] = run
        own = evaluate(run.model, train_indices, settings.batch_size, settings.num_steps)
        seen = source.seen[1:] if source else np.array([1])
        rows.append((name, len(source.begun) if source else settings.batch_size * num_batches(
            len(train_indices), settings.batch_size, settings.num_steps, 'consecutive'),
            float((seen > 0).mean()) if source else covered(len(train_indices), **sizes),
            own, *run.best_held_out, run.seconds_an_epoch))

    known = ways(train_indices, corpus.char_to_idx.get(' '), settings.num_steps)
    for name, (_, starts) in known.items():
        source = Windows(train_indices, starts, seed=bench.seed, **sizes)
        add(name, bench.train(name, source=source, corpus=corpus, sampling='random', **changes), source)
    name, seed = 'fixed cuts, next seed', bench.seed + 1        # what chance does
    source = Windows(train_indices, known['fixed cuts'][1], seed=seed, **sizes)
    add(name, bench.train(name, source=source, corpus=corpus, sampling='random', seed=seed, **changes), source)
    add('consecutive', bench.train('consecutive', corpus=corpus, sampling='consecutive', **changes), None)
    return Outcome(_answer(rows), [
        Table(('How each way begins its windows', '各种方式如何开始窗口'), ('sampling', 'in English', '中文'),
              [*((name, text[0], f'{_ZH[name]}：{text[1]}') for name, (text, _) in known.items()),
               ('consecutive', 'each row of a batch goes on with the one before, the state with it',
                '相邻采样：每行接着上一批，隐藏状态也接着传递')]),
        Table(('After the same epochs', '相同迭代周期之后'),
              ('sampling', 'different windows', 'part of the text asked for', 'perplexity on the text it learned from',
               'lowest held-out perplexity', 'at epoch', 'seconds an epoch'), rows),
    ], partial(_draw, runs=runs))


def covered(length: int, *, num_steps: int, batch_size: int) -> float:
    """The part of the labels that consecutive sampling asks for."""
    return num_batches(length, batch_size, num_steps, 'consecutive') * num_steps * batch_size / (length - 1)


def _answer(rows: List[tuple]) -> Text:
    found = {row[0]: row for row in rows}
    base, twin = found['fixed cuts'], found.pop('fixed cuts, next seed')
    windows = max(found.values(), key=lambda row: row[1])
    noise = float(np.max([abs(twin[k] / base[k] - 1) for k in (3, 4)]))
    own, held = (_verdict({name: row[k] for name, row in found.items()}, noise) for k in (3, 4))
    latest = max(row[5] for row in found.values())
    en = (f'Besides fixed cuts, windows can be moved, drawn anywhere, overlap, or begin at verses. "{windows[0]}" shows the '
          f'network the most different windows, {windows[1]:,} against {base[1]:,} of fixed cuts. Perplexity on the training '
          f'text: {own[0]}. On held-out text, at its lowest by epoch {latest} with all of them: {held[0]}. The '
          f'measure of chance is fixed cuts with another seed, {noise:.1%} apart at most.')
    zh = (f'除固定切分外，还可以平移切分位置、在任意位置抽取、让窗口重叠，或从每句歌词开头开始。“{_ZH[windows[0]]}”让网络见到'
          f'最多不同的窗口：{windows[1]:,} 个，固定切分有 {base[1]:,} 个。训练文本上的困惑度：{own[1]}。留出文本上（各方式都在前 '
          f'{latest} 个迭代周期内达到最低）：{held[1]}。衡量随机波动的依据：固定切分换一个随机种子，最多相差 {noise:.1%}。')
    return en, zh


def _verdict(perplexities: Dict[str, float], noise: float) -> Text:
    """Which ways did best. noise: how far apart perplexities are by chance, a part of them."""
    near = near_lowest({name: (value, noise * value) for name, value in perplexities.items()})
    if not near or not np.isfinite(noise):
        return 'it cannot be compared', '无法比较'
    en, zh = (sep.join(form.format(name if not k else _ZH[name], perplexities[name]) for name in near)
              for k, (sep, form) in enumerate(((', ', '"{}" {:.4g}'), ('、', '“{}”{:.4g}'))))
    if len(near) == len(perplexities):
        return f'no clear difference ({en})', f'没有明显差别（{zh}）'
    worst = max(perplexities[name] for name in perplexities if name not in near)
    if len(near) == 1:
        return f'clearly best is {en}, the others have up to {worst:.4g}', f'明显最好的是{zh}，其余最高为 {worst:.4g}'
    return (f'best are {en}, with no clear difference between them, the others have up to {worst:.4g}',
            f'最好的是{zh}，它们之间没有明显差别，其余最高为 {worst:.4g}')


def _draw(path: Path, runs: Dict[str, Training]) -> None:
    """The perplexities on the text itself, and beside them those on held-out text."""
    figure, axes = new_figure(11, 4.2, ncols=2)
    for axis, title, name in zip(axes, ('the text itself, in training', 'held-out text'), ('perplexity', 'valid_perplexity')):
        for label, run in runs.items():
            axis.plot([record.epoch for record in run.records], [getattr(record, name) for record in run.records], label=label,
                      linewidth=1.4)
        style_perplexity(axis, title)
    axes[1].get_legend().remove()
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.3.1', ('In which other ways could mini-batches be drawn from a text?', '还可以用哪些方法从文本中采样小批量？'),
             other_samplings),
)
