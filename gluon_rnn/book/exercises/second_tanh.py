"""Section 6.8: why the LSTM takes tanh of its memory once more, when the candidate memory has been through tanh already."""
from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any, Dict, Sequence, Tuple

import numpy as np
from mxnet import nd

from ... import runtime
from ...cells.base import Network
from ...cells.hybrid import Hybrid
from ...cells.lstm import LSTM
from ...cells.ops import Inputs, OneHot, State, dot, sigmoid, tanh
from ...cells.output_layer import OutputLayer
from ...models.language_model import LanguageModel, ModelConfig
from ...plots import COLOURS, new_figure, save_figure, style_perplexity
from ...runs.settings import pick
from .frame import Exercise, Outcome, Table, Text
from .scoring import CHANCE, compared
from .workbench import Training, Workbench


class OnceTanhLSTM(LSTM):
    """The LSTM of section 6.8 without its second tanh: H_t = O_t * C_t."""

    def step(self, X: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        H, C = state
        I = sigmoid(dot(X, self.W_xi) + dot(H, self.W_hi) + self.b_i)
        F = sigmoid(dot(X, self.W_xf) + dot(H, self.W_hf) + self.b_f)
        O = sigmoid(dot(X, self.W_xo) + dot(H, self.W_ho) + self.b_o)
        C_tilde = tanh(dot(X, self.W_xc) + dot(H, self.W_hc) + self.b_c)
        C = F * C + I * C_tilde
        H = O * C                       # the book: O * tanh(C)
        return H, (H, C)


KINDS = {'book': LSTM, 'once': OnceTanhLSTM}
NAMES = {'book': 'H = O * tanh(C)', 'once': 'H = O * C'}


def learn(bench: Workbench, kind: str, **changes: Any) -> Training:
    """Train an LSTM with or without its second tanh, from the same weights for one seed."""
    corpus, settings = bench.corpus(), bench.settings(cell='lstm', **changes)
    runtime.seed(settings.seed)
    config = pick(ModelConfig, settings, vocab_size=corpus.vocab_size)
    network = Hybrid(KINDS[kind](config.vocab_size, config.num_hiddens, ctx=bench.ctx))
    model = LanguageModel(config, network, OutputLayer(config.num_hiddens, config.vocab_size, ctx=bench.ctx))
    return bench.train(NAMES[kind], model=model, cell='lstm', **changes)


def read(network: Network, indices: Any) -> Dict[str, np.ndarray]:
    """H and C after each character of a text, from zero states, (num_steps, num_hiddens) each."""
    state, seen = network.begin_state(1), []
    for index in indices:
        _, state = network(OneHot(nd.array([[index]], ctx=network.ctx), network.num_inputs), state)
        seen.append(nd.concat(*state, dim=0).asnumpy())
    return {'H': np.stack(seen)[:, 0], 'C': np.stack(seen)[:, 1]}


def gates_open(kind: str, num_steps: int) -> Tuple[float, float]:
    """C and H after num_steps of a unit set by hand: all gates at 1, candidate at 1, so that its memory counts the steps."""
    network = KINDS[kind](1, 1)
    network.load_book_params({name: np.full(value.shape, 20.0 if name.startswith('b_') else 0.0)
                              for name, value in network.book_params().items()})
    H, (_, C) = network(nd.zeros((num_steps, 1, 1)), network.begin_state(1))
    return C.asnumpy().item(), H[-1].asnumpy().item()


def second_tanh(bench: Workbench) -> Outcome:
    """6.8.3: how far memory and hidden state go with and without the second tanh, and how both learn."""
    corpus = bench.corpus()
    shown = corpus.indices[:bench.size(300, 40)]
    counting = [(NAMES[kind], steps, *gates_open(kind, steps)) for kind in KINDS for steps in (1, 10, 100)]
    runs: Dict[str, Training] = {}
    traces: Dict[str, Dict[str, np.ndarray]] = {}
    for kind in KINDS:
        runs[kind] = learn(bench, kind, num_hiddens=64, num_epochs=bench.size(80, 2))
        traces[kind] = read(runs[kind].model.network, shown)
    again = learn(bench, 'book', num_hiddens=64, num_epochs=bench.size(80, 2), seed=bench.seed + 1)
    rows = []
    for kind, run in runs.items():
        H, C = (np.abs(traces[kind][name]) for name in 'HC')
        rows.append((NAMES[kind], float(C.max()), float((C > 1).mean()), float(H.max()), float((H > 1).mean()),
                     float(np.mean([record.grad_norm for record in run.records] or [np.nan])), run.perplexity,
                     run.diverged or 'no'))
    return Outcome(_answer(counting, rows, again.perplexity), [
        Table(('All gates and the candidate set to 1 by hand', '手工把所有门与候选记忆设为 1'),
              ('output', 'steps', 'C', 'H'), counting),
        Table((f'Trained alike, then reading {len(shown)} characters', f'相同训练之后读 {len(shown)} 个字符'),
              ('output', 'largest |C|', 'part of |C| above 1', 'largest |H|', 'part of |H| above 1', 'mean gradient norm',
               'perplexity', 'broken off'), rows),
        Table(('To compare with: the same network from another seed', '对照：同一网络，换一个随机种子'), ('output', 'perplexity'),
              [(NAMES['book'], again.perplexity)]),
    ], partial(draw, traces=traces, runs=runs))


def _answer(counting: Sequence[Tuple], rows: Sequence[Tuple], again: float) -> Text:
    """again: the perplexity of the book's network from another seed."""
    book, once = rows
    steps, C, H = next(row[1:] for row in counting if row[0] == NAMES['book'] and row[1] == 100)
    noise = book[6] / again
    chance = max(CHANCE, noise, 1 / noise) if math.isfinite(noise) else CHANCE
    # a training may break off before an epoch is whole, and one that broke off has not ended anywhere
    ends = [math.nan if row[7] != 'no' else row[6] for row in rows]
    gone = [not math.isfinite(end) for end in ends]
    en = ('The first tanh bounds what one step may add, not what adds up: C = F * C + I * C~ is a sum over all steps. With '
          f'all gates open it counted to {C:.4g} in {steps} steps, and tanh(C) brought H back to {H:.4g}.')
    zh = (f'第一个 tanh 只限制一步所加的量，不限制累加的结果：C = F * C + I * C~ 是对各步的求和。门全开时 {steps} 步后 C 数到 '
          f'{C:.4g}，而 tanh(C) 把 H 拉回 {H:.4g}。')
    if not gone[0]:
        left = ('left', '超出了') if book[1] > 1 else ('stayed within', '没有超出')
        en += (f' In the trained network |C| {left[0]} [-1, 1]: {book[1]:.3g} at most, above 1 in {book[2]:.1%} of all cases, '
               f'while |H| was {book[3]:.3g} at most; O * tanh(C) cannot be above 1.')
        zh += (f'训练后的网络中 |C| {left[1]} [-1, 1]：最大 {book[1]:.3g}，{book[2]:.1%} 的值大于 1，而 |H| 最大 {book[3]:.3g}，'
               'O * tanh(C) 不可能超过 1。')
    if gone[1]:
        en += ' Without the second tanh the training broke off.'
        zh += '去掉第二个 tanh，训练中断。'
    else:
        en += f' Without the second tanh |H| reached {once[3]:.3g}, with a mean gradient norm of {once[5]:.3g}.'
        zh += f'去掉第二个 tanh 后，|H| 最大 {once[3]:.3g}，平均梯度范数 {once[5]:.3g}。'
    if not any(gone):
        says = {'lower': ('lower here', '此处更低'), 'higher': ('higher here', '此处更高'),
                'alike': ('no clear difference', '没有明显差别')}[compared(ends[1], ends[0], chance)]
        en += (f' Its perplexity came to {once[6]:.3g} against {book[6]:.3g} of the book\'s, which from another seed comes to '
               f'{again:.3g}: {says[0]}. The bound is what the second tanh gives for sure.')
        zh += (f'它的困惑度为 {once[6]:.3g}，书中的网络为 {book[6]:.3g}，换一个随机种子为 {again:.3g}：{says[1]}。'
               '第二个 tanh 一定能保证的，是隐藏状态有界。')
    return en, zh


def draw(path: Path, traces: Dict[str, Dict[str, np.ndarray]], runs: Dict[str, Training]) -> None:
    """Per output: the largest |C| and |H| after each character. Beside it the perplexities."""
    figure, axes = new_figure(13, 4, ncols=3)
    for axis, (kind, trace) in zip(axes, traces.items()):
        for name, colour in zip('CH', COLOURS):
            values = np.abs(trace[name])
            axis.plot(values.max(axis=1), color=colour, linewidth=1, label=f'largest |{name}|')
            axis.plot(np.quantile(values, 0.9, axis=1), ':', color=colour, linewidth=1, label=f'|{name}|, nine tenths are below')
        axis.axhline(1, color='#bbb', linewidth=1)
        axis.set(title=NAMES[kind], xlabel='characters read', ylim=(0, 1.3 * max(np.abs(t['C']).max() for t in traces.values())))
        axis.spines[['top', 'right']].set_visible(False)
    axes[0].legend(frameon=False, fontsize=8, ncols=2, loc='upper center')
    for kind, run in runs.items():
        axes[2].plot([record.epoch for record in run.records], [record.perplexity for record in run.records], label=NAMES[kind])
    style_perplexity(axes[2])
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.8.3', ("The LSTM's candidate memory is a tanh, within -1 and 1. Why is tanh taken once more where the memory "
                       'becomes the hidden state?',
                       'LSTM 的候选记忆细胞已经过 tanh，值在 -1 到 1 之间，为何得到隐藏状态时还要再用一次 tanh？'), second_tanh),
)
