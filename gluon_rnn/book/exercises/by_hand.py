"""Section 6.4, exercises 2 and 5: the recurrent network without clipping, and with other activations."""
from __future__ import annotations

import math
from functools import partial
from typing import Sequence

import numpy as np
from mxnet import nd

from ...cells.ops import OneHot
from ...corpora.corpus import Corpus
from .frame import Exercise, Outcome, Table, Text
from .scoring import compared, unigram_perplexity
from .showing import draw_runs, verse_lines
from .workbench import Training, Workbench


def no_clipping(bench: Workbench) -> Outcome:
    """6.4.2: without clipping at several learning rates, and clipped at several thresholds."""
    epochs = bench.size(40, 2)
    tried = [(0.0, lr) for lr in bench.size((100.0, 10.0, 1.0, 0.1), (100.0, 0.1))]
    tried += [(theta, 100.0) for theta in bench.size((0.1, 0.01, 0.001), (0.01,))]
    runs = [bench.train(f'{f"clipped at {theta:g}" if theta else "not clipped"}, lr {lr:g}', cell='rnn', num_epochs=epochs,
                        clipping_theta=theta, lr=lr, verses=True, pred_len=30) for theta, lr in tried]
    rows = []
    for run in runs:
        norms = [record.grad_norm for record in run.records]
        rows.append((run.label, len(run.records), run.perplexity, min((r.perplexity for r in run.records), default=math.nan),
                     max(norms, default=math.nan), run.diverged.partition(':')[0] or None))
    return Outcome(_clipping_answer(runs, bench.corpus()), [
        Table((f'At most {epochs} epochs', f'最多 {epochs} 个迭代周期'),
              ('training', 'whole epochs', 'perplexity', 'lowest', 'largest norm of an epoch', 'stopped because'), rows),
        verse_lines(runs)], partial(draw_runs, runs=runs))


def _fate(run: Training, single: float, vocab_size: int) -> Text:
    """What became of a training, after 'it'. single: the perplexity of knowing how often each character occurs."""
    if run.diverged:
        return f'breaks off in epoch {len(run.records) + 1}', f'在第 {len(run.records) + 1} 个周期中断（损失或梯度不再有限）'
    if run.perplexity > vocab_size:
        return f'explodes: perplexity {run.perplexity:.3g}', f'发散，困惑度为 {run.perplexity:.3g}'
    if run.perplexity > single:
        return f'stands at {run.perplexity:.4g}, above {single:.4g}', f'停在 {run.perplexity:.4g}，高于 {single:.4g}'
    return f'comes to {run.perplexity:.4g}', f'达到 {run.perplexity:.4g}'


def _clipping_answer(runs: Sequence[Training], corpus: Corpus) -> Text:
    bare, clipped = runs[0], next(run for run in runs if run.label == 'clipped at 0.01, lr 100')
    single, vocab_size = unigram_perplexity(corpus.indices), corpus.vocab_size

    def fates(some: Sequence[Training], name: str) -> Text:
        told = [(f'{getattr(run.settings, name):g}', *_fate(run, single, vocab_size)) for run in some]
        return '; '.join(f'{value} {en}' for value, en, _ in told), '；'.join(f'{value} {zh}' for value, _, zh in told)

    if bare.diverged or bare.perplexity > vocab_size:
        verdict = 'The training explodes', '训练发散'
    elif bare.perplexity > single:
        verdict = 'It comes to no more than knowing how often each character occurs', '结果不比只知道字频更好'
    else:
        verdict = {'higher': ('It learns less', '学得较差'), 'alike': ('No clear difference', '没有明显差别'),
                   'lower': ('It learns more', '学得更好')}[compared(last(bare), last(clipped))]
    ends, kept = _fate(bare, single, vocab_size), _fate(clipped, single, vocab_size)
    norms = [record.grad_norm for record in bare.records]
    step = (f', which was {max(norms):.3g} at its highest (mean of an epoch): a step of {100 * max(norms):.3g}',
            f'，范数最高时为 {max(norms):.3g}（一个周期的平均），即一步长 {100 * max(norms):.3g}') if norms else ('', '')
    en = (f'{verdict[0]}: with the learning rate of 100 and no clipping it {ends[0]}; clipped at 0.01 it {kept[0]}. Knowing how '
          f'often each character occurs, and nothing else, gives {single:.4g}. A step is the rate times the gradient{step[0]}. '
          f'Clipping at 0.01 keeps every step at 1 or less.')
    zh = (f'{verdict[1]}：学习率为 100 且不裁剪梯度时，训练{ends[1]}；裁剪到 0.01 时{kept[1]}（只知道字频为 {single:.4g}）。'
          f'一步的长度是学习率乘以梯度范数{step[1]}；裁剪到 0.01 则每步不超过 1。')
    others = [run for run in runs if run.settings.clipping_theta and run is not clipped]
    if others:
        told = fates(others, 'clipping_theta')
        worse = any(compared(last(run), last(clipped)) == 'higher' for run in others)
        en += f' {"Clipping alone is not enough, the threshold counts: clipped at" if worse else "Clipped at"} {told[0]}.'
        zh += f'{"只裁剪还不够，阈值也要合适：" if worse else "其他阈值："}裁剪到 {told[1]}。'
    slower = [run for run in runs[1:] if not run.settings.clipping_theta]
    if slower:
        best = min(slower, key=lambda run: math.inf if math.isnan(last(run)) else last(run))
        told = fates(slower, 'lr')
        stands = {'higher': ('behind', '不及'), 'alike': ('not clearly different from', '没有明显不同于'),
                  'lower': ('ahead of', '胜过')}[compared(last(best), last(clipped))]
        en += f' Without clipping, at smaller rates: {told[0]}.'
        zh += f'不裁剪而降低学习率：{told[1]}。'
        if math.isfinite(last(best)):
            en += f' The best of these, {best.settings.lr:g}, is {stands[0]} clipping at 0.01.'
            zh += f'其中最好的 {best.settings.lr:g} {stands[1]}裁剪到 0.01。'
    return en, zh


def activations(bench: Workbench) -> Outcome:
    """6.4.5: relu, tanh and sigmoid, clipped at two thresholds, and what their states are like."""
    epochs, corpus = bench.size(60, 2), bench.corpus()
    runs, rows = [], []
    for name in ('tanh', 'relu', 'sigmoid'):
        runs.append(bench.train(name, cell='rnn', activation=name, num_epochs=epochs, verses=True, pred_len=30))
    for name in ('tanh', 'relu'):
        runs.append(bench.train(f'{name}, clipped at 1, lr 1', cell='rnn', activation=name, num_epochs=epochs, verses=True,
                                pred_len=30, clipping_theta=1, lr=1))
    for run in runs:
        model, X = run.model, nd.array(corpus.indices[:bench.size(2000, 40)].reshape(10, -1))
        H = model.network(OneHot(X.T, corpus.vocab_size), model.network.begin_state(10))[0].asnumpy()
        rows.append((run.label, len(run.records), run.perplexity, run.seconds_an_epoch,
                     run.records[-1].grad_norm if run.records else math.nan, float(np.abs(H).mean()), float(np.abs(H).max()),
                     float((H == 0).mean()), float((np.abs(H) > 0.99).mean()), bool(run.diverged)))
    return Outcome(_activation_answer(runs, rows, corpus), [
        Table((f'After {epochs} epochs', f'{epochs} 个迭代周期之后'),
              ('activation', 'whole epochs', 'perplexity', 'seconds an epoch', 'norm of the gradient', 'mean |H|', 'largest |H|',
               'H exactly 0', '|H| above 0.99', 'diverged'), rows), verse_lines(runs)], partial(draw_runs, runs=runs))


def _activation_answer(runs: Sequence[Training], rows: Sequence[tuple], corpus: Corpus) -> Text:
    single = unigram_perplexity(corpus.indices)
    tanh, relu, _ = plain = runs[:3]
    if relu.diverged:
        verdict = f'It breaks off in epoch {len(relu.records) + 1}', f'训练在第 {len(relu.records) + 1} 个周期中断'
    elif relu.perplexity > corpus.vocab_size:
        verdict = 'It explodes', '训练发散'
    elif relu.perplexity > single:
        verdict = 'It comes to no more than knowing how often each character occurs', '结果不比只知道字频更好'
    else:
        verdict = {'higher': ('It trains, and is behind tanh here', '可以训练，此处不及 tanh'),
                   'alike': ('It trains, with no clear difference from tanh', '可以训练，与 tanh 没有明显差别'),
                   'lower': ('It trains, and is ahead of tanh here', '可以训练，此处胜过 tanh'),
                   }[compared(relu.perplexity, last(tanh))]
    epochs = max(len(run.records) for run in plain)
    shown, shown_zh = [], []
    for run in plain:
        half = run.records[max(0, len(run.records) // 2 - 1)].perplexity if run.records else math.nan
        shown.append(f'{run.label} broke off' if run.diverged else f'{run.label} {run.perplexity:.4g} (half way {half:.4g})')
        shown_zh.append(f'{run.label} 已中断' if run.diverged else f'{run.label} {run.perplexity:.4g}（中途 {half:.4g}）')
    en = (f'{verdict[0]}: after {epochs} epochs with the book\'s other settings the perplexities are {", ".join(shown)}; '
          f'knowing how often each character occurs gives {single:.4g}.')
    zh = f'{verdict[1]}：其余设置照书，{epochs} 个周期后的困惑度为 {"，".join(shown_zh)}；只知道字频为 {single:.4g}。'
    if not (relu.diverged or tanh.diverged):
        en += (f' relu has no upper bound: its largest state is {rows[1][6]:.3g} (tanh: {rows[0][6]:.3g}), and {rows[1][7]:.0%} '
               f'of its states are exactly 0, where no gradient passes. The norm of the gradient before clipping is '
               f'{rows[1][4]:.3g} with relu, {rows[0][4]:.3g} with tanh.')
        zh += (f'relu 没有上界：最大的隐藏状态为 {rows[1][6]:.3g}（tanh 为 {rows[0][6]:.3g}），且有 {rows[1][7]:.0%} 的状态恰为 '
               f'0，梯度无法通过。裁剪前的梯度范数，relu 为 {rows[1][4]:.3g}，tanh 为 {rows[0][4]:.3g}。')
    others = [(run.label, f'{last(run):.4g}') for run in runs[3:] if not run.diverged]
    if others:
        en += f' With another threshold and rate: {"; ".join(f"{name}: {value}" for name, value in others)}.'
        zh += f'换一种阈值和学习率：{"；".join(f"{name} 为 {value}" for name, value in others)}。'
    gone = [run.label for run in runs if run.diverged]
    en += (f' Broken off: {"; ".join(gone)}; all trainings here clip.' if gone else
           ' All trainings here clip their gradients, and none broke off; exercise 6.4.2 leaves clipping out.')
    zh += (f'中断的有 {"；".join(gone)}；这里的训练都裁剪梯度。' if gone else
           '这里的训练都裁剪梯度，没有一个中断；不裁剪的情形见练习 6.4.2。')
    return en, zh


def last(run: Training) -> float:
    """The perplexity that a training ended with, nan where it broke off."""
    return math.nan if run.diverged else run.perplexity


EXERCISES = (
    Exercise('6.4.2', ('Train without clipping the gradients. What happens?', '不裁剪梯度，结果会怎样？'), no_clipping),
    Exercise('6.4.5', ('Use ReLU in place of tanh and train again.', '把 tanh 换成 ReLU 再训练一次。'), activations),
)
