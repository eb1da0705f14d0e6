"""Section 6.4, exercises 2 and 5: the recurrent network without clipping, and with other activations."""
from __future__ import annotations

import math
from functools import partial
from typing import Sequence

import numpy as np
from mxnet import nd

from ..cells.ops import OneHot
from ..corpus import Corpus
from .frame import Exercise, Outcome, Table, Text
from .scoring import unigram_perplexity
from .showing import draw_runs, verse_lines
from .workbench import Training, Workbench


def no_clipping(bench: Workbench) -> Outcome:
    """6.4.2: without clipping at several learning rates, and clipped at several thresholds."""
    epochs = bench.size(40, 2)
    tried = [(0.0, lr) for lr in bench.size((100.0, 10.0, 1.0, 0.1), (100.0, 0.1))]
    tried += [(theta, 100.0) for theta in bench.size((0.1, 0.01, 0.001), (0.01,))]
    runs = [bench.train(f'{f"clipped at {theta:g}" if theta else "not clipped"}, lr {lr:g}', cell='rnn', num_epochs=epochs,
                        clipping_theta=theta, lr=lr, verses=True, length=30) for theta, lr in tried]
    rows = []
    for run in runs:
        norms = [record.grad_norm for record in run.records]
        rows.append((run.label, len(run.records), run.perplexity, min((r.perplexity for r in run.records), default=math.nan),
                     max(norms, default=math.nan), run.diverged.partition(':')[0] or None))
    return Outcome(_clipping_answer(runs, bench.corpus()), [
        Table((f'At most {epochs} epochs', f'最多 {epochs} 个迭代周期'),
              ('training', 'whole epochs', 'perplexity', 'lowest', 'largest norm of an epoch', 'stopped because'), rows),
        verse_lines(runs)], partial(draw_runs, runs=runs))


def _clipping_answer(runs: Sequence[Training], corpus: Corpus) -> Text:
    bare, clipped = runs[0], next(run for run in runs if run.label == 'clipped at 0.01, lr 100')
    single = unigram_perplexity(corpus.indices)
    slower = [run for run in runs[1:] if run.settings['clipping_theta'] == 0 and not run.diverged]
    best = min(slower, key=lambda run: run.perplexity, default=None)
    if bare.diverged:
        ends = (f'the loss or its gradient turned NaN or infinite in epoch {len(bare.records) + 1}',
                f'第 {len(bare.records) + 1} 个迭代周期时损失或梯度变成 NaN 或无穷大')
    elif bare.perplexity > single:
        ends = (f'no NaN comes, for tanh keeps states bounded, but perplexity stands at {bare.perplexity:.4g} after '
                f'{len(bare.records)} epochs, worse than knowing how often each character occurs ({single:.4g})',
                f'因为 tanh 有界，没有出现 NaN，但 {len(bare.records)} 个周期后困惑度为 {bare.perplexity:.4g}，'
                f'还不如只知道字频（{single:.4g}）')
    else:
        ends = (f'perplexity comes to {bare.perplexity:.4g} after {len(bare.records)} epochs',
                f'{len(bare.records)} 个周期后困惑度为 {bare.perplexity:.4g}')
    norm = max((record.grad_norm for record in bare.records), default=math.nan)
    after = ('', '')
    if best and (bare.diverged or best.perplexity < bare.perplexity):
        rate, ahead = best.label.partition(', ')[2], best.perplexity < clipped.perplexity
        after = (f' Without clipping the rate must be smaller: of those tried {rate} did best and came to {best.perplexity:.4g}, '
                 f'{"ahead of" if ahead else "behind"} the clipped one.',
                 f'不裁剪就得降低学习率：试过的之中 {rate} 最好，达到 {best.perplexity:.4g}，{"胜过" if ahead else "不及"}裁剪。')
    en = (f'With the learning rate of 100 and no clipping, {ends[0]}; clipped at 0.01 it is {clipped.perplexity:.4g} after '
          f'{len(clipped.records)}. A step is the rate times the gradient, and the norm reached {norm:.3g} (mean of an epoch), '
          f'a step of {100 * norm:.3g}; clipping at 0.01 keeps every step at 1 or less.{after[0]}')
    zh = (f'学习率为 100 且不裁剪梯度时，{ends[1]}；裁剪到 0.01 时，{len(clipped.records)} 个周期后为 '
          f'{clipped.perplexity:.4g}。一步的长度是学习率乘以梯度，梯度范数曾达 {norm:.3g}（一个周期的平均），即一步长 '
          f'{100 * norm:.3g}；裁剪到 0.01 则每步不超过 1。{after[1]}')
    return en, zh


def activations(bench: Workbench) -> Outcome:
    """6.4.5: relu, tanh and sigmoid, clipped at two thresholds, and what their states are like."""
    epochs, corpus = bench.size(60, 2), bench.corpus()
    runs, rows = [], []
    for name in ('tanh', 'relu', 'sigmoid'):
        runs.append(bench.train(name, cell='rnn', activation=name, num_epochs=epochs, verses=True, length=30))
    for name in ('tanh', 'relu'):
        runs.append(bench.train(f'{name}, clipped at 1, lr 1', cell='rnn', activation=name, num_epochs=epochs, verses=True,
                                length=30, clipping_theta=1, lr=1))
    for run in runs:
        model, X = run.model, nd.array(corpus.indices[:bench.size(2000, 40)].reshape(10, -1))
        H = model.network(OneHot(X.T, corpus.vocab_size), model.network.begin_state(10))[0].asnumpy()
        rows.append((run.label, len(run.records), run.perplexity, run.seconds_an_epoch,
                     run.records[-1].grad_norm if run.records else math.nan, float(np.abs(H).mean()), float(np.abs(H).max()),
                     float((H == 0).mean()), float((np.abs(H) > 0.99).mean()), bool(run.diverged)))
    return Outcome(_activation_answer(runs, rows), [
        Table((f'After {epochs} epochs', f'{epochs} 个迭代周期之后'),
              ('activation', 'whole epochs', 'perplexity', 'seconds an epoch', 'norm of the gradient', 'mean |H|', 'largest |H|',
               'H exactly 0', '|H| above 0.99', 'diverged'), rows), verse_lines(runs)], partial(draw_runs, runs=runs))


def _activation_answer(runs: Sequence[Training], rows: Sequence[tuple]) -> Text:
    relu = runs[1]
    best = min(runs[:3], key=lambda run: math.inf if run.diverged else run.perplexity)
    half, end = ({run.label: run.records[max(0, int(len(run.records) * part) - 1)].perplexity if run.records else math.nan
                  for run in runs[:3]} for part in (0.5, 1.0))
    gone = [run.label for run in runs if run.diverged]
    en = ('It still trains: ' if not relu.diverged else 'It does not survive: ') + (
        f'after {len(relu.records)} epochs with the book\'s other settings relu has perplexity {end["relu"]:.4g}, tanh '
        f'{end["tanh"]:.4g}, sigmoid {end["sigmoid"]:.4g} (half way {half["relu"]:.4g}, {half["tanh"]:.4g}, '
        f'{half["sigmoid"]:.4g}); the best is {best.label}. relu has no upper bound: its largest state is {rows[1][6]:.3g} '
        f'(tanh: {rows[0][6]:.3g}), and {rows[1][7]:.0%} of its states are exactly 0, where no gradient passes. The norm of the '
        f'gradient before clipping is {rows[1][4]:.3g} with relu, {rows[0][4]:.3g} with tanh'
        f'{"; diverged: " + ", ".join(gone) if gone else "; nothing diverged as long as gradients were clipped"}.')
    gone_zh = "发散的有 " + "、".join(gone) if gone else "裁剪梯度时都没有发散"
    zh = ('仍可训练：' if not relu.diverged else '训练中断：') + (
        f'其余设置照书，{len(relu.records)} 个周期后困惑度为 relu {end["relu"]:.4g}、tanh {end["tanh"]:.4g}、sigmoid '
        f'{end["sigmoid"]:.4g}（中途为 {half["relu"]:.4g}、{half["tanh"]:.4g}、{half["sigmoid"]:.4g}），最好的是 {best.label}。'
        f'relu 没有上界：最大的隐藏状态为 {rows[1][6]:.3g}（tanh 为 {rows[0][6]:.3g}），且有 {rows[1][7]:.0%} 的状态恰为 0，'
        f'梯度无法通过。裁剪前的梯度范数，relu 为 {rows[1][4]:.3g}，tanh 为 {rows[0][4]:.3g}；{gone_zh}。')
    return en, zh


EXERCISES = (
    Exercise('6.4.2', ('Train without clipping the gradients. What happens?', '不裁剪梯度，结果会怎样？'), no_clipping),
    Exercise('6.4.5', ('Use ReLU in place of tanh and train again.', '把 tanh 换成 ReLU 再训练一次。'), activations),
)
