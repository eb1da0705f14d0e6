"""Section 6.4, exercises 2 to 5: the recurrent network without clipping, its verses, activations, states not detached."""
from __future__ import annotations

import json
import time
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np
from mxnet import autograd, nd

from ...benchmark.workers.run import memory
from ...cells.base import BookParams
from ...cells.ops import OneHot
from ...corpora.corpus import unigram_perplexity
from ...corpora.sampling import consecutive_batches
from ...tables import Lines, Row, Table
from ...training.loss import cross_entropy
from ...training.optimizer import Optimizer
from .drawing import Panel, draw_panels, draw_runs, verse_lines
from .frame import Outcome
from .scoring import compared, known_share
from .workbench import Workbench

# Clipping threshold (0: none) and learning rate.
TRAININGS = {'bare': (0, 100), 'lr_10': (0, 10), 'lr_1': (0, 1), 'lr_01': (0, 0.1),
             'loose': (0.1, 100), 'clipped': (0.01, 100), 'tight': (0.001, 100)}
# Activation, and what differs from the book's settings.
_SLOW = {'clipping_theta': 1, 'lr': 1}
ACTIVATIONS: Dict[str, Any] = {'tanh': ('tanh', {}), 'relu': ('relu', {}), 'sigmoid': ('sigmoid', {}),
                               'tanh_slow': ('tanh', _SLOW), 'relu_slow': ('relu', _SLOW)}
STATES = 'detached', 'as in the book', 'graph kept'     # what becomes of a state between two batches
THREES, SIXES = 'three in a row as in the text', 'six in a row as in the text'


def no_clipping(bench: Workbench) -> Outcome:
    """6.4.2: without clipping at four learning rates, and clipped at three thresholds."""
    epochs, single = bench.size(40, 2), unigram_perplexity(bench.corpus().indices)
    runs = {name: bench.train(f'{f"clipped at {theta:g}" if theta else "not clipped"}, lr {lr:g}', cell='rnn', num_epochs=epochs,
                              clipping_theta=theta, lr=lr, verses=True, pred_len=30) for name, (theta, lr) in TRAININGS.items()}
    figures = {name: run.perplexity for name, run in runs.items()}
    return Outcome(
        [Table.of((f'At most {epochs} epochs', f'最多 {epochs} 个迭代周期'), [run.row for run in runs.values()]),
         verse_lines([*runs.values()])],
        {**figures, 'bare_epochs': len(runs['bare'].records), 'single': single},
        without_clipping(figures, single), draw_runs([*runs.values()]))


def without_clipping(perplexities: Mapping[str, float], single: float) -> str:
    """Whether the training exploded, and if so, whether one of the small rates kept up with clipping."""
    if perplexities['bare'] <= single:
        return 'trains'
    slower = min(value for name, value in perplexities.items() if name.startswith('lr_'))
    return 'explodes' if compared(slower, perplexities['clipped']) == 'higher' else 'slow'


def verses_by_epoch(bench: Workbench) -> Outcome:
    """6.4.3: what is sung after every epoch, and how much of it the text has."""
    corpus = bench.corpus()
    text, length = corpus.decode(corpus.indices), bench.size(40, 8)
    run = bench.train('RNN', cell='rnn', num_epochs=bench.size(160, 3), pred_period=1, verses=True, pred_len=length)
    rows, lines = [], []
    for (epoch, texts), record in zip(run.verses, run.records):
        verse = texts[0][-length:]
        rows.append({'epoch': epoch, 'perplexity': record.perplexity, 'different characters': len(set(verse)),
                     THREES: known_share([verse], text), SIXES: known_share([verse], text, 6)})
        if epoch <= 40 or epoch % 10 == 0:
            lines.append(f'{epoch:4} {record.perplexity:8.2f}  {texts[0]}')
    first, last, epochs = rows[0], rows[-1], [row['epoch'] for row in rows]
    marks = [row for row in rows if row['epoch'] in (1, 2, 5, 10, 20, 40, 80, 120, last['epoch'])]
    perplexities = epochs, [row['perplexity'] for row in rows]
    shares = {name: (epochs, [row[name] for row in rows]) for name in (THREES, SIXES)}
    return Outcome(
        [Lines(('Epoch, perplexity, verse', '迭代周期、困惑度、歌词'), lines),
         Table.of(('The verses in figures', '歌词的统计'), marks)],
        {'first': first['perplexity'], 'first_different': first['different characters'], 'epochs': last['epoch'],
         'last': last['perplexity'], 'last_different': last['different characters'], 'last_threes': last[THREES],
         'last_sixes': last[SIXES], 'threes': first_half(rows, THREES), 'sixes': first_half(rows, SIXES)},
        picture=draw_panels(Panel('perplexity', {'of the epoch': perplexities}, {'xlabel': 'epoch', 'yscale': 'log'}),
                            Panel('part of the verse', shares, {'xlabel': 'epoch'})))


def first_half(rows: Sequence[Row], column: str) -> int | None:
    """The first epoch at which half of a verse's strings stand in the text; None: there was none."""
    return next((row['epoch'] for row in rows if row[column] >= 0.5), None)


def activations(bench: Workbench) -> Outcome:
    """6.4.5: relu, tanh and sigmoid, clipped at two thresholds, and what their states are like."""
    epochs, corpus = bench.size(60, 2), bench.corpus()
    X = nd.array(corpus.indices[:bench.size(2000, 40)].reshape(10, -1))
    runs, states, rows = {}, {}, []
    for name, (activation, changes) in ACTIVATIONS.items():
        label = f'{activation}, clipped at 1, lr 1' if changes else activation
        runs[name] = run = bench.train(label, cell='rnn', activation=activation, num_epochs=epochs, verses=True, pred_len=30,
                                       **changes)
        H, _ = run.model.network(OneHot(X.T, corpus.vocab_size), run.model.network.begin_state(10))
        states[name] = H = np.abs(H.asnumpy())
        rows.append({**run.row, 'mean |H|': H.mean(), 'largest |H|': H.max(), 'H exactly 0': (H == 0).mean(),
                     '|H| above 0.99': (H > 0.99).mean()})
    single = unigram_perplexity(corpus.indices)
    return Outcome(
        [Table.of((f'After {epochs} epochs', f'{epochs} 个迭代周期之后'), rows), verse_lines([*runs.values()])],
        {**{name: run.perplexity for name, run in runs.items()}, 'epochs': epochs, 'single': single,
         'relu_largest': states['relu'].max(), 'tanh_largest': states['tanh'].max(), 'relu_zero': (states['relu'] == 0).mean(),
         **{f'{name}_norm': runs[name].row['norm of the gradient'] for name in ('relu', 'tanh')}},
        'breaks' if runs['relu'].diverged else 'trains' if runs['relu'].perplexity < single else 'hardly',
        draw_runs([*runs.values()]))


def train_batches(bench: Workbench, way: str, many: int, held: BookParams | None = None) -> Tuple[List[Any], BookParams]:
    """Train on the first batches of a text. Returns figures of each batch, and the weights at the end.

    held: weights to take and not to move, so that a graph over several batches is one of one network; None: new ones, trained.
    operators: of the graph that autograd has recorded for the logits; seconds: forward, backward and update; MiB: of the
    process, above those before the first batch; norm: of the gradient.
    """
    corpus, config = bench.corpus(0), bench.settings(cell='rnn')
    model = bench.model(corpus.vocab_size, cell='rnn', impl='scratch')
    if held is not None:
        model.load_book_params(held)
    optimizer = Optimizer(model.parameters(), 'sgd', 0 if held is not None else config.lr, config.clipping_theta)
    state, found = model.begin_state(config.batch_size), []
    nd.waitall()
    before = memory('VmRSS')
    for k, (X, Y) in zip(range(many), consecutive_batches(corpus.indices, config.batch_size, config.num_steps)):
        start = time.perf_counter()
        if way == 'detached':
            state = tuple(s.detach() for s in state)
        elif way == 'as in the book':
            for s in state:         # and nobody takes the result
                s.detach()
        with autograd.record():
            logits, state = model(X, state)
        loss, gradient = cross_entropy(logits, Y.T.reshape((-1,)))
        loss.wait_to_read()
        counting = time.perf_counter()
        operators = sum(node['op'] != 'null' for node in json.loads(autograd.get_symbol(logits).tojson())['nodes'])   # no weights
        start += time.perf_counter() - counting     # counting is no part of a batch's time
        logits.backward(gradient, retain_graph=way == 'graph kept')
        norm = optimizer.step().asscalar()
        nd.waitall()
        found.append({'operators': operators, 'seconds': time.perf_counter() - start, 'loss': loss.asscalar(), 'norm': norm,
                      'MiB more': (memory('VmRSS') - before) / 2 ** 20})
        bench.tell(f'{way}: batch {k + 1} of {many}')
    return found, model.book_params()


def not_detached(bench: Workbench) -> Outcome:
    """6.4.4: graph, time and memory of each batch, detached, as the book writes it, and with the graph kept."""
    many = bench.size(16, 4)
    train_batches(bench, 'detached', 2)         # what is done once is done here
    found = {way: train_batches(bench, way, many) for way in STATES}
    (detached, weights), (book, book_weights), (kept, _) = found.values()
    short, whole = ([row['norm'] for row in train_batches(bench, way, many, weights)[0]] for way in ('detached', 'graph kept'))
    marks = sorted({0, 1, many // 4, many // 2, many - 1})
    apart = max(np.abs(book_weights[name] - value).max() for name, value in weights.items())
    usual = min(np.median([batch['seconds'] for batch in way]) for way in (detached, book))
    return Outcome([
        Table.of(('Batch after batch, the book\'s sizes: operators of its graph', '逐批量观察，大小照书：计算图的算子数'),
                 [{'way': way, 'batch': k + 1, **batches[k]} for way, (batches, _) in found.items() for k in marks]),
        Table(('Norm of the gradient, the weights held at those that the detached training ended with',
               '梯度的范数：权重固定为“detached”训练结束时的值，不再更新'), ('batch', 'detached', 'graph kept'),
              [(k + 1, short[k], whole[k]) for k in marks])],
        {'batches': many, 'apart': apart, 'nodes': detached[-1]['operators'], 'nodes_book': book[-1]['operators'],
         'nodes_kept': kept[-1]['operators'], 'growth': kept[-1]['operators'] / kept[0]['operators'], 'norm_whole': whole[-1],
         'norm_short': short[-1], 'times': kept[-1]['seconds'] / usual, 'mib': kept[-1]['MiB more'] - kept[0]['MiB more']},
        'little' if abs(whole[-1] - short[-1]) <= 0.05 * short[-1] else 'much', draw_panels(*(
            Panel(title, {way: (range(1, many + 1), [batch[name] for batch in batches]) for way, (batches, _) in found.items()},
                  {'xlabel': 'batch', 'ylim': (0, None)})
            for name, title in (('operators', 'operators in the graph'), ('seconds', 'seconds of a batch'),
                                ('MiB more', 'MiB above those before')))))
