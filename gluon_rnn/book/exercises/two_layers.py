"""Section 6.9: a second hidden layer written out by hand."""
from __future__ import annotations

import math
from functools import partial
from typing import Any, Dict, List, Tuple

import numpy as np
from mxnet import autograd, nd

from ...cells.ops import OneHot, State
from ...corpora.sampling import consecutive_batches
from ...models.language_model import LanguageModel, redraw_weights
from ...plots import plot_perplexity
from .. import diagnostics
from .drawing import verse_lines
from .frame import Outcome, Table
from .scoring import compared
from .workbench import Workbench

Params = Dict[str, nd.NDArray]


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
    config = bench.config()
    model = bench.model(corpus.vocab_size, cell='rnn', impl='scratch', num_layers=2, num_hiddens=64)
    redraw_weights(model, 0.1)      # weights of the book's 0.01 would hide a difference behind small numbers
    params = own_params(model)
    states = model.begin_state(config.batch_size), model.begin_state(config.batch_size)
    found: Dict[str, Tuple[float, float]] = {}

    def compare(name: str, a: nd.NDArray, b: nd.NDArray) -> None:
        a, b = a.asnumpy(), b.asnumpy()
        largest, difference = found.get(name, (0.0, 0.0))
        found[name] = max(largest, float(np.abs(a).max())), max(difference, float(np.abs(a - b).max()))

    batches = consecutive_batches(corpus.indices, config.batch_size, config.num_steps)
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
    checked, corpus, config = differences(bench), bench.corpus(), bench.config()
    h, epochs = bench.size(128, 8), bench.size(60, 2)
    rows, runs, shares = [], {}, {}
    for weights, sigma in (('small', 0.01), ('large', 0.1)):
        for layers, width in ((1, equal_width(h, corpus.vocab_size)), (2, h)):
            label = f'{layers} layer{"s" * (layers > 1)} of {width}, weights from N(0, {sigma:g})'
            changes: Dict[str, Any] = {'cell': 'rnn', 'num_layers': layers, 'num_hiddens': width, 'sigma': sigma}
            norms = diagnostics.grad_norms_by_layer(
                bench.model(corpus.vocab_size, **changes, impl='hybrid'),
                *next(consecutive_batches(corpus.indices, config.batch_size, config.num_steps)))
            run = runs[('one' if layers == 1 else 'two', weights)] = bench.train(label, verses=True, num_epochs=epochs, **changes)
            shares[weights] = norms[0] / norms[-1] if norms[-1] else math.nan
            rows.append((layers, width, sigma, sum(value.size for value in run.model.parameters().values()), norms[0], norms[-1],
                         run.perplexity, run.seconds_an_epoch, run.diverged or None))
    ends = {f'{layers}_{weights}': run.perplexity for (layers, weights), run in runs.items()}
    return Outcome([
        Table(('The loop by hand against DeepRNN, weights from N(0, 0.1)', '手写循环与 DeepRNN 对比'),
              ('', 'largest value', 'largest difference'), checked),
        Table((f'Two layers against one of as many parameters, {epochs} epochs', f'两层与参数量相同的一层，{epochs} 个迭代周期'),
              ('layers', 'hidden units', 'sigma', 'parameters', 'first gradient norm, lowest layer', 'highest layer',
               'perplexity', 'seconds an epoch', 'broke off'), rows),
        verse_lines(list(runs.values()))],
        {**ends, 'epochs': epochs, 'difference': max(apart / largest for _, largest, apart in checked if largest),
         'share_small': shares['small'], 'share_large': shares['large']},
        {'lower': 'ahead', 'alike': 'alike', 'higher': 'behind'}[compared(ends['two_large'], ends['one_large'])],
        partial(plot_perplexity, {run.label: run.records for run in runs.values()}, title='Exercise 6.9.1'))
