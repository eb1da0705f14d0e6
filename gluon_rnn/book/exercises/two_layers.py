"""Section 6.9: a second hidden layer written out by hand."""
from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from mxnet import autograd, nd

from ...cells.ops import OneHot, State
from ...corpora.sampling import consecutive_batches
from ...models.base import count_parameters, with_parameters
from ...models.language_model import ModelConfig, redraw_weights
from ...tables import Table
from .. import diagnostics
from .drawing import draw_runs, verse_lines
from .frame import Outcome
from .scoring import compared
from .workbench import Workbench


def two_layers(inputs: nd.NDArray, state: State, params: Sequence[nd.NDArray]) -> Tuple[nd.NDArray, State]:
    """The loop of section 6.4 with a second hidden layer, the equations of section 6.9 for two layers:

        H1_t = tanh(X_t W_xh1 + H1_{t-1} W_hh1 + b_h1)
        H2_t = tanh(H1_t W_xh2 + H2_{t-1} W_hh2 + b_h2)
        O_t  = H2_t W_hq + b_q

    inputs: (num_steps, batch_size, vocab_size); state: (H1, H2). Returns the logits (num_steps * batch_size, vocab_size), the
    first step's rows first, and the new state.
    """
    W_xh1, W_hh1, b_h1, W_xh2, W_hh2, b_h2, W_hq, b_q = params
    H1, H2 = state
    outputs = []
    for X in inputs:
        H1 = nd.tanh(nd.dot(X, W_xh1) + nd.dot(H1, W_hh1) + b_h1)
        H2 = nd.tanh(nd.dot(H1, W_xh2) + nd.dot(H2, W_hh2) + b_h2)
        outputs.append(nd.dot(H2, W_hq) + b_q)
    return nd.concat(*outputs, dim=0), (H1, H2)


def differences(bench: Workbench) -> List[Tuple[str, float, float]]:
    """The loop against `DeepRNN`, two batches one after the other: what is compared, its size, the largest difference."""
    corpus, config = bench.corpus(), bench.settings()
    model = bench.model(corpus.vocab_size, cell='rnn', impl='scratch', num_layers=2, num_hiddens=64)
    redraw_weights(model, 0.1)      # weights of the book's 0.01 would hide a difference behind small numbers
    params = [nd.array(value) for value in model.book_params().values()]
    for array in params:
        array.attach_grad()
    by_library, by_loop = model.begin_state(config.batch_size), model.begin_state(config.batch_size)
    found: Dict[str, Any] = {}      # the largest value and the largest difference
    batches = consecutive_batches(corpus.indices, config.batch_size, config.num_steps)
    for (X, _), _ in zip(batches, range(2)):
        with autograd.record():
            logits, by_library = model(X, by_library)
            own_logits, by_loop = two_layers(OneHot(X.T, corpus.vocab_size).dense(), by_loop, params)
        weights = nd.random.normal(shape=logits.shape)          # any gradient of the logits, the same for both
        logits.backward(weights)
        own_logits.backward(weights)
        pairs = {'logits': (logits, own_logits), 'H1': (by_library[0], by_loop[0]), 'H2': (by_library[1], by_loop[1]),
                 **{f'gradient of {name}': (theirs.grad, ours.grad)
                    for (name, theirs), ours in zip(model.parameters().items(), params)}}
        for name, (theirs, ours) in pairs.items():
            found[name] = np.maximum(found.get(name, 0), [a.abs().max().asscalar() for a in (theirs, theirs - ours)])
        by_library, by_loop = (tuple(s.detach() for s in state) for state in (by_library, by_loop))
    return [(name, *both.tolist()) for name, both in found.items()]


def equal_width(two: int, vocab_size: int) -> int:
    """The hidden units of one layer whose model is as large as one of two layers of `two` units."""
    config, sizes = ModelConfig(cell='rnn', num_layers=2, num_hiddens=two, vocab_size=vocab_size), (vocab_size, vocab_size)
    return with_parameters(replace(config, num_layers=1), count_parameters(config, *sizes), *sizes).num_hiddens


def second_layer(bench: Workbench) -> Outcome:
    """6.9.1: the loop is `DeepRNN`; two layers against one of as many parameters."""
    checked, corpus, config = differences(bench), bench.corpus(), bench.settings()
    h, epochs = bench.size(128, 8), bench.size(60, 2)
    first_batch = next(consecutive_batches(corpus.indices, config.batch_size, config.num_steps))
    rows, runs, shares = [], {}, {}
    for weights, sigma in (('small', 0.01), ('large', 0.1)):
        for name, layers, width in (('one', 1, equal_width(h, corpus.vocab_size)), ('two', 2, h)):
            label = f'{layers} layer{"s" * (layers > 1)} of {width}, weights from N(0, {sigma:g})'
            changes: Dict[str, Any] = {'cell': 'rnn', 'num_layers': layers, 'num_hiddens': width, 'sigma': sigma}
            norms = diagnostics.grad_norms_by_layer(bench.model(corpus.vocab_size, **changes, impl='hybrid'), *first_batch)
            shares[weights] = norms[0] / norms[-1] if norms[-1] else math.nan
            run = runs[f'{name}_{weights}'] = bench.train(label, verses=True, num_epochs=epochs, **changes)
            rows.append({**run.row, 'parameters': run.model.num_parameters(), 'first gradient norm, lowest layer': norms[0],
                         'highest layer': norms[-1]})
    ends = {name: run.perplexity for name, run in runs.items()}
    return Outcome([
        Table(('The loop by hand against DeepRNN, weights from N(0, 0.1)', '手写循环与 DeepRNN 对比'),
              ('', 'largest value', 'largest difference'), checked),
        Table.of(('Two layers against one of as many parameters', '两层与参数量相同的一层'), rows),
        verse_lines([*runs.values()])],
        {**ends, 'epochs': epochs, 'difference': max(apart / largest for _, largest, apart in checked if largest),
         'share_small': shares['small'], 'share_large': shares['large']},
        {'lower': 'ahead', 'alike': 'alike', 'higher': 'behind'}[compared(ends['two_large'], ends['one_large'])],
        draw_runs([*runs.values()]))
