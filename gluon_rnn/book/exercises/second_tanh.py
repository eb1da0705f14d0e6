"""Section 6.8: why the LSTM takes tanh of its memory once more, when the candidate memory has been through tanh already."""
from __future__ import annotations

from typing import Any, Dict, Tuple

import numpy as np
from mxnet import nd

from ...cells.base import Network
from ...cells.hybrid import Hybrid
from ...cells.lstm import LSTM
from ...cells.ops import Inputs, OneHot, State, dot, sigmoid
from ...tables import Table
from .drawing import Panel, draw_panels
from .frame import Outcome
from .scoring import chance_of, compared
from .workbench import Training, Workbench


class OnceTanhLSTM(LSTM):
    """The LSTM of section 6.8 without its second tanh: H_t = O_t * C_t."""

    def step(self, X: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        H, _ = state
        O = sigmoid(dot(X, self.W_xo) + dot(H, self.W_ho) + self.b_o)
        _, (_, C) = super().step(X, state)
        H = O * C                       # the book: O * tanh(C)
        return H, (H, C)


KINDS = {'book': LSTM, 'once': OnceTanhLSTM}
NAMES = {'book': 'H = O * tanh(C)', 'once': 'H = O * C'}


def learn(bench: Workbench, kind: str, **changes: Any) -> Training:
    """Train an LSTM with or without its second tanh, from the same weights for one seed."""
    model = bench.model(bench.corpus().vocab_size, cell='lstm', impl='hybrid', **changes)
    network = Hybrid(KINDS[kind](model.vocab_size, model.config.num_hiddens, ctx=bench.ctx))
    network.load_book_params(model.network.book_params())
    model.network = network
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
    reached = {kind: [np.abs(values) for values in read(run.model.network, shown).values()] for kind, run in runs.items()}
    again = learn(bench, 'book', seed=bench.seed + 1, **sizes)
    rows = [{**runs[kind].row, 'largest |C|': C.max(), 'part of |C| above 1': (C > 1).mean(), 'largest |H|': H.max(),
             'part of |H| above 1': (H > 1).mean()} for kind, (H, C) in reached.items()]
    ends = runs['book'].perplexity, runs['once'].perplexity, again.perplexity
    panels = [Panel(NAMES[kind], {f'largest |{name}|': (range(len(shown)), values.max(axis=1)) for name, values in zip('HC', HC)},
                    {'xlabel': 'characters read', 'yscale': 'log'}) for kind, HC in reached.items()]
    return Outcome([
        Table(('All gates and the candidate set to 1 by hand', '手工把所有门与候选记忆设为 1'),
              ('output', 'steps', 'C', 'H'), [(NAMES[kind], steps, *CH) for (kind, steps), CH in counting.items()]),
        Table.of((f'Trained alike, then reading; another seed of the first comes to {again.perplexity:.4g}',
                  f'相同训练之后读文本；换一个随机种子，第一个的困惑度为 {again.perplexity:.4g}'), rows)],
        {'steps': 100, 'counted': counting['book', 100][0], 'counted_h': counting['book', 100][1],
         'memory': rows[0]['largest |C|'], 'above': rows[0]['part of |C| above 1'], 'hidden': rows[0]['largest |H|'],
         'hidden_once': rows[1]['largest |H|'], 'book': ends[0], 'once': ends[1], 'again': ends[2]},
        which_is_better(*ends), draw_panels(*panels))


def which_is_better(book: float, once: float, again: float) -> str:
    """From the perplexities with the second tanh, without it, and with it from another seed."""
    return {'lower': 'free', 'alike': 'alike', 'higher': 'bounded'}[compared(once, book, chance_of(book, again))]
