"""Section 6.8: why the LSTM takes tanh of its memory once more, when the candidate memory has been through tanh already."""
from __future__ import annotations

from functools import partial
from typing import Any, Dict, Tuple

import numpy as np
from mxnet import nd

from ... import runtime
from ...cells.base import Network
from ...cells.hybrid import Hybrid
from ...cells.lstm import LSTM
from ...cells.ops import Inputs, OneHot, State, dot, sigmoid, tanh
from ...cells.output_layer import OutputLayer
from ...models.language_model import LanguageModel, ModelConfig
from ...plots import COLOURS, new_figure, style_perplexity
from ...runs.settings import pick
from .drawing import rule
from .frame import Outcome, Table
from .scoring import chance_of, compared
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
    settings = bench.settings(cell='lstm', impl='hybrid', **changes)
    runtime.seed(settings.seed)
    config = pick(ModelConfig, settings, vocab_size=bench.corpus().vocab_size)
    network = Hybrid(KINDS[kind](config.vocab_size, config.num_hiddens, ctx=bench.ctx))
    model = LanguageModel(config, network, OutputLayer(config.num_hiddens, config.vocab_size, ctx=bench.ctx))
    return bench.train(NAMES[kind], model=model, cell='lstm', impl='hybrid', **changes)


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
    shown, sizes = bench.corpus().indices[:bench.size(300, 40)], {'num_hiddens': 64, 'num_epochs': bench.size(80, 2)}
    counting = {(kind, steps): gates_open(kind, steps) for kind in KINDS for steps in (1, 10, 100)}
    runs = {kind: learn(bench, kind, **sizes) for kind in KINDS}
    traces = {kind: read(run.model.network, shown) for kind, run in runs.items()}
    again = learn(bench, 'book', seed=bench.seed + 1, **sizes)
    largest = {(kind, name): np.abs(trace[name]).max() for kind, trace in traces.items() for name in 'HC'}
    above = {(kind, name): (np.abs(trace[name]) > 1).mean() for kind, trace in traces.items() for name in 'HC'}
    rows = [(NAMES[kind], largest[kind, 'C'], above[kind, 'C'], largest[kind, 'H'], above[kind, 'H'],
             float(np.mean([record.grad_norm for record in run.records] or [np.nan])), run.perplexity, run.diverged or None)
            for kind, run in runs.items()]
    ends = runs['book'].perplexity, runs['once'].perplexity, again.perplexity
    return Outcome([
        Table(('All gates and the candidate set to 1 by hand', '手工把所有门与候选记忆设为 1'),
              ('output', 'steps', 'C', 'H'), [(NAMES[kind], steps, *CH) for (kind, steps), CH in counting.items()]),
        Table((f'Trained alike, then reading {len(shown)} characters', f'相同训练之后读 {len(shown)} 个字符'),
              ('output', 'largest |C|', 'part of |C| above 1', 'largest |H|', 'part of |H| above 1', 'mean gradient norm',
               'perplexity', 'broke off'), rows),
        Table(('To compare with: the same network from another seed', '对照：同一网络，换一个随机种子'), ('output', 'perplexity'),
              [(NAMES['book'], again.perplexity)])],
        {'steps': 100, 'counted': counting['book', 100][0], 'counted_h': counting['book', 100][1],
         'memory': largest['book', 'C'], 'above': above['book', 'C'], 'hidden': largest['book', 'H'],
         'hidden_once': largest['once', 'H'], 'book': ends[0], 'once': ends[1], 'again': ends[2]},
        which_is_better(*ends), partial(draw, traces, runs))


def which_is_better(book: float, once: float, again: float) -> str:
    """From the perplexities with the second tanh, without it, and with it from another seed."""
    return {'lower': 'free', 'alike': 'alike', 'higher': 'bounded'}[compared(once, book, chance_of(book, again))]


def draw(traces: Dict[str, Dict[str, np.ndarray]], runs: Dict[str, Training]) -> Any:
    """Per output: the largest |C| and |H| after each character. Beside it the perplexities."""
    figure, axes = new_figure(13, 4, ncols=3)
    top = 1.3 * max(np.abs(trace['C']).max() for trace in traces.values())
    for axis, (kind, trace) in zip(axes, traces.items()):
        for name, colour in zip('CH', COLOURS):
            values = np.abs(trace[name])
            axis.plot(values.max(axis=1), color=colour, linewidth=1, label=f'largest |{name}|')
            axis.plot(np.quantile(values, 0.9, axis=1), ':', color=colour, linewidth=1, label=f'|{name}|, nine tenths are below')
        axis.axhline(1, color='#bbb', linewidth=1)
        axis.set(title=NAMES[kind], xlabel='characters read', ylabel='value', ylim=(0, top))
        axes[2].plot([record.epoch for record in runs[kind].records], [record.perplexity for record in runs[kind].records],
                     label=NAMES[kind])
    rule(*axes[:2])
    axes[0].legend(frameon=False, fontsize=8, ncols=2, loc='upper center')
    style_perplexity(axes[2])
    return figure
