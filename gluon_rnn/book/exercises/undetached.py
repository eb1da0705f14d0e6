"""Section 6.4, exercise 4: consecutive batches whose state is not detached."""
from __future__ import annotations

import json
import time
from functools import partial
from typing import Any, Dict

import numpy as np
from mxnet import autograd

from ...benchmark.profiling import settle
from ...benchmark.workers.run import memory
from ...cells.base import BookParams
from ...corpora.sampling import consecutive_batches
from ...plots import new_figure
from ...training.loss import cross_entropy
from ...training.optimizer import Optimizer
from .drawing import rule
from .frame import Outcome, Table
from .workbench import Workbench

WAYS = {'detached': 'state = tuple(s.detach() for s in state)',
        'as in the book': 's.detach(), whose result nobody takes',
        'graph kept': 'no detach, and backward(retain_graph=True)'}


def train_batches(bench: Workbench, way: str, many: int, held: BookParams | None = None) -> Dict[str, Any]:
    """Train on the first batches of a text and look at each. Returns lists with a figure a batch, and the weights at the end.

    held: weights to take and not to move, so that a graph over several batches is one of one network; None: new ones, trained.
    nodes: operators of the graph that autograd has recorded for the logits; seconds: forward, backward and update; bytes: of the
    process, above those before the first batch; norm: of the gradient; loss.
    """
    corpus, config = bench.corpus(0), bench.config(cell='rnn')
    model = bench.model(corpus.vocab_size, cell='rnn', impl='scratch')
    if held is not None:
        model.load_book_params(held)
    optimizer = Optimizer(model.parameters(), 'sgd', 0 if held is not None else config.lr, config.clipping_theta)
    state = model.begin_state(config.batch_size)
    found: Dict[str, Any] = {name: [] for name in ('nodes', 'seconds', 'bytes', 'norm', 'loss')}
    settle(model)
    before = memory('VmRSS')
    for k, (X, Y) in zip(range(many), consecutive_batches(corpus.indices, config.batch_size, config.num_steps)):
        start = time.perf_counter()
        if way == 'detached':
            state = tuple(s.detach() for s in state)
        elif way == 'as in the book':
            for s in state:
                s.detach()
        with autograd.record():
            logits, state = model(X, state)
        loss, gradient = cross_entropy(logits, Y.T.reshape((-1,)))
        loss.wait_to_read()
        counting = time.perf_counter()
        nodes = json.loads(autograd.get_symbol(logits).tojson())['nodes']
        found['nodes'].append(sum(node['op'] != 'null' for node in nodes))     # a null is an input or a weight
        start += time.perf_counter() - counting     # counting is no part of a batch's time
        logits.backward(gradient, retain_graph=way == 'graph kept')
        found['norm'].append(float(optimizer.step().asscalar()))
        found['loss'].append(float(loss.asscalar()))
        settle(model)
        found['seconds'].append(time.perf_counter() - start)
        found['bytes'].append(memory('VmRSS') - before)
        bench.tell(f'{way}: batch {k + 1} of {many}')
    found['weights'] = model.book_params()
    return found


def not_detached(bench: Workbench) -> Outcome:
    """6.4.4: graph, time and memory of each batch, detached, as the book writes it, and with the graph kept."""
    many = bench.size(16, 4)
    train_batches(bench, 'detached', 2)         # what is done once is done here
    found = {way: train_batches(bench, way, many) for way in WAYS}
    detached, book, kept = found.values()
    short, whole = (train_batches(bench, way, many, detached['weights'])['norm'] for way in ('detached', 'graph kept'))
    marks = sorted({0, 1, many // 4, many // 2, many - 1})
    rows = [(way, k + 1, f['nodes'][k], f['seconds'][k], f['bytes'][k] / 2 ** 20, f['loss'][k])
            for way, f in found.items() for k in marks]
    apart = {way: max(float(np.abs(f['weights'][name] - value).max()) for name, value in detached['weights'].items())
             for way, f in found.items()}
    usual = min(float(np.median(way['seconds'])) for way in (detached, book))
    return Outcome([
        Table(('The ways', '三种做法'), ('way', 'written', 'largest difference of a weight from "detached"'),
              [(way, text, apart[way]) for way, text in WAYS.items()]),
        Table(('Batch after batch, the book\'s sizes', '逐批量观察，大小照书'),
              ('way', 'batch', 'operators in the graph', 'seconds', 'MiB more', 'loss'), rows),
        Table(('Norm of the gradient, the weights held at those that the detached training ended with',
               '梯度的范数：权重固定为“detached”训练结束时的值，不再更新'), ('batch', 'detached', 'graph kept'),
              [(k + 1, short[k], whole[k]) for k in marks]),
    ], {'batches': many, 'apart': apart['as in the book'], 'nodes': detached['nodes'][-1], 'nodes_book': book['nodes'][-1],
        'nodes_kept': kept['nodes'][-1], 'growth': kept['nodes'][-1] / kept['nodes'][0], 'times': kept['seconds'][-1] / usual,
        'mib': (kept['bytes'][-1] - kept['bytes'][0]) / 2 ** 20, 'norm_whole': whole[-1], 'norm_short': short[-1]},
        'little' if abs(whole[-1] - short[-1]) <= 0.05 * short[-1] else 'much', partial(_draw, found))


def _draw(found: Dict[str, Any]) -> Any:
    figure, axes = new_figure(11, 3.5, ncols=3)
    for ax, (name, label, scale) in zip(axes, (('nodes', 'operators in the graph', 1), ('seconds', 'seconds of a batch', 1),
                                               ('bytes', 'MiB above those before', 2 ** 20))):
        for (way, values), style in zip(found.items(), ('o-', 'x--', 's-')):
            ax.plot(range(1, len(values[name]) + 1), np.array(values[name]) / scale, style, label=way, markersize=4)
        ax.set(xlabel='batch', ylabel=label, ylim=(0, None))
        ax.xaxis.get_major_locator().set_params(integer=True)
    rule(*axes)
    axes[0].legend(frameon=False, fontsize=8)
    return figure
