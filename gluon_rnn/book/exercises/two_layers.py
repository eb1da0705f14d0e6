"""Section 6.9: a second hidden layer written out by hand."""
from __future__ import annotations

import math
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from mxnet import autograd, nd

from ...cells.ops import OneHot, State
from ...corpora.sampling import consecutive_batches
from ...models.language_model import LanguageModel, redraw_weights
from ...plots import plot_perplexity, save_figure
from .. import diagnostics
from .frame import Exercise, Lines, Outcome, Table, Text
from .scoring import compared
from .workbench import Training, Workbench

Params = Dict[str, nd.NDArray]
_ROUNDING = 1e-4        # of the largest value: what float32 may differ by over two batches of 35 steps


def two_layers(inputs: nd.NDArray, state: State, params: Params) -> Tuple[nd.NDArray, State]:
    """The loop of section 6.4 with a second hidden layer, the equations of section 6.9 for two layers:

        H1_t = tanh(X_t W_xh1 + H1_{t-1} W_hh1 + b_h1)
        H2_t = tanh(H1_t W_xh2 + H2_{t-1} W_hh2 + b_h2)
        O_t  = H2_t W_hq + b_q

    inputs: (num_steps, batch_size, vocab_size); state: (H1, H2). Returns the logits (num_steps * batch_size, vocab_size), the
    first step's rows first, and the new state.
    """
    H1, H2 = state
    outputs = []
    for X in inputs:
        H1 = nd.tanh(nd.dot(X, params['W_xh1']) + nd.dot(H1, params['W_hh1']) + params['b_h1'])
        H2 = nd.tanh(nd.dot(H1, params['W_xh2']) + nd.dot(H2, params['W_hh2']) + params['b_h2'])
        outputs.append(nd.dot(H2, params['W_hq']) + params['b_q'])
    return nd.concat(*outputs, dim=0), (H1, H2)


def own_params(model: LanguageModel) -> Params:
    """The weights of a `DeepRNN` of two RNNs under the names of the loop, gradients attached: 'layer0.W_xh' is 'W_xh1'."""
    params = {}
    for name, value in model.book_params().items():
        layer, _, own = name.rpartition('.')
        params[own + {'': '', 'layer0': '1', 'layer1': '2'}[layer]] = array = nd.array(value)
        array.attach_grad()
    return params


def differences(bench: Workbench) -> List[Tuple[str, float, float]]:
    """The loop against `DeepRNN`, two batches one after the other: what is compared, its size, the largest difference."""
    corpus = bench.corpus()
    sizes = bench.settings()
    model = bench.model(corpus.vocab_size, cell='rnn', impl='scratch', num_layers=2, num_hiddens=64)
    redraw_weights(model, 0.1)      # weights of the book's 0.01 would hide a difference behind small numbers
    params = own_params(model)
    states = model.begin_state(sizes.batch_size), model.begin_state(sizes.batch_size)
    found: Dict[str, Tuple[float, float]] = {}

    def compare(name: str, a: nd.NDArray, b: nd.NDArray) -> None:
        a, b = a.asnumpy(), b.asnumpy()
        largest, difference = found.get(name, (0.0, 0.0))
        found[name] = max(largest, float(np.abs(a).max())), max(difference, float(np.abs(a - b).max()))

    batches = consecutive_batches(corpus.indices, sizes.batch_size, sizes.num_steps)
    for (X, _), _ in zip(batches, range(2)):
        with autograd.record():
            logits, by_library = model(X, states[0])
            own_logits, by_loop = two_layers(OneHot(X.T, corpus.vocab_size).dense(), states[1], params)
        weights = nd.random.normal(shape=logits.shape)          # any gradient of the logits, the same for both
        logits.backward(weights)
        own_logits.backward(weights)
        states = tuple(s.detach() for s in by_library), tuple(s.detach() for s in by_loop)
        compare('logits', logits, own_logits)
        for k in range(2):
            compare(f'H{k + 1}', by_library[k], by_loop[k])
        for name, value in model.parameters().items():
            layer, _, own = name.rpartition('.')
            own += {'': '', 'layer0': '1', 'layer1': '2'}[layer]
            compare(f'gradient of {own}', value.grad, params[own].grad)
    return [(name, *values) for name, values in found.items()]


def equal_width(two: int, vocab_size: int) -> int:
    """The hidden units of one layer whose model is as large as one of two layers of `two` units."""
    def size(n: int) -> int:
        return n * (vocab_size + n + 1) + (n + 1) * vocab_size

    wanted = size(two) + two * (2 * two + 1)
    return min(range(two, 3 * two), key=lambda n: abs(size(n) - wanted))


def second_layer(bench: Workbench) -> Outcome:
    """6.9.1: the loop is `DeepRNN`; two layers against one of as many parameters."""
    checked = differences(bench)
    corpus, h = bench.corpus(), bench.size(128, 8)
    wide = equal_width(h, corpus.vocab_size)
    rows, lines = [], []
    runs: Dict[str, Training] = {}
    for sigma in (0.01, 0.1):
        for layers, width in ((1, wide), (2, h)):
            label = f'{layers} layer{"s" * (layers > 1)} of {width}, weights from N(0, {sigma:g})'
            changes: Dict[str, Any] = {'cell': 'rnn', 'num_layers': layers, 'num_hiddens': width, 'sigma': sigma,
                                       'num_epochs': bench.size(60, 2)}
            norms = diagnostics.grad_norms_by_layer(bench.model(corpus.vocab_size, **changes),
                                               *next(consecutive_batches(corpus.indices, *sizes(bench))))
            run = runs[label] = bench.train(label, verses=True, **changes)
            rows.append((layers, width, sigma, sum(value.size for value in run.model.parameters().values()), norms[0], norms[-1],
                         run.perplexity, run.seconds_an_epoch, run.diverged or 'no'))
            lines += [f'{label}: {text}' for text in run.verses[-1][1]] if run.verses else []
    return Outcome(_answer(checked, rows, bench.size(60, 2)), [
        Table(('The loop by hand against DeepRNN, weights from N(0, 0.1)', '手写循环与 DeepRNN 对比'),
              ('', 'largest value', 'largest difference'), checked),
        Table((f'Two layers against one of as many parameters, {bench.size(60, 2)} epochs',
               f'两层与参数量相同的一层，{bench.size(60, 2)} 个迭代周期'),
              ('layers', 'hidden units', 'sigma', 'parameters', 'first gradient norm, lowest layer', 'highest layer',
               'perplexity', 'seconds an epoch', 'broken off'), rows),
        Lines(('Verses', '歌词'), lines),
    ], lambda path: save_figure(plot_perplexity({k: run.records for k, run in runs.items()}, title='Exercise 6.9.1'), path))


def sizes(bench: Workbench) -> Tuple[int, int]:
    settings = bench.settings()
    return settings.batch_size, settings.num_steps


def _answer(differences: Sequence[Tuple[str, float, float]], rows: Sequence[Tuple], epochs: int) -> Text:
    furthest = max(difference / largest for _, largest, difference in differences if largest)
    same = (('is the library\'s DeepRNN', '与库中的 DeepRNN 相同') if furthest < _ROUNDING else
            ('is NOT the library\'s DeepRNN', '与库中的 DeepRNN 并不相同'))
    parts, parts_zh = [], []
    for one, two in zip(rows[::2], rows[1::2]):
        ends = [math.nan if row[8] != 'no' else row[6] for row in (one, two)]
        verb = {'lower': ('ahead of', '优于'), 'higher': ('behind', '不如'),
                'alike': ('not clearly different from', '没有明显不同于')}[compared(ends[1], ends[0])]
        shown, shown_zh = ([f'{end:.3g}' if math.isfinite(end) else broken for end in ends] for broken in ('a break-off', '中断'))
        share = (f'; of the first gradient the lower layer gets {two[4] / two[5]:.2g} times what the upper one gets',
                 f'；最初的梯度中，下层得到的是上层的 {two[4] / two[5]:.2g} 倍') if two[5] else ('', '')
        time = (f', at {two[7] / one[7]:.2f} times the time', f'，用时是其 {two[7] / one[7]:.2f} 倍') if all(
            math.isfinite(row[7]) for row in (one, two)) else ('', '')
        parts.append(f'with weights from N(0, {two[2]:g}) two layers of {two[1]} come to {shown[1]}, {verb[0]} one layer of '
                     f'{one[1]} with {shown[0]}{time[0]}{share[0]}')
        parts_zh.append(f'权重取自 N(0, {two[2]:g}) 时，两层（各 {two[1]}）的困惑度为 {shown_zh[1]}，{verb[1]}一层（{one[1]}）的 '
                        f'{shown_zh[0]}{time[1]}{share[1]}')
    en = ('A second hidden state reads the first one instead of the characters: one line and three weights more in the loop. '
          f'The loop written out here {same[0]} (largest difference {furthest:.1g} of the largest value, over outputs, states '
          f'and all gradients). With as many parameters and {epochs} epochs: {"; ".join(parts)}.')
    zh = (f'第二个隐藏状态读第一个隐藏状态而不是字符：循环里多一行，多三个权重。这里写出的循环{same[1]}（输出、状态和全部梯度中，'
          f'最大差别为最大值的 {furthest:.1g}）。参数量相同，训练 {epochs} 个周期：{"；".join(parts_zh)}。')
    return en, zh


EXERCISES = (
    Exercise('6.9.1', ('Give the RNN written from scratch in 6.4 a second hidden layer. What becomes of it?',
                       '把 6.4 节从零实现的循环神经网络改成两个隐藏层，结果如何？'), second_layer),
)
