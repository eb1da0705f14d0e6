"""Section 6.5, exercise 1: whether Gluon is faster than by hand, and where the time goes."""
from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial
from typing import Any, Dict, List, Sequence, cast

from ...benchmark.profiling import Operators, profiled
from ...cells.gluon_layer import GluonLayer
from ...models.language_model import copy_params
from ...plots import new_figure
from ...training.trainer import Trainer
from .drawing import legend_beside, rule
from .frame import Outcome, Table
from .workbench import Workbench

WAYS = 'scratch', 'hybrid', 'gluon', 'numba'        # the network by hand, its graph, rnn.RNN, its kernels
BOTH = 'gluon, both biases'


def faster(bench: Workbench) -> Outcome:
    """6.5.1: the same network four ways: seconds an epoch in turns, perplexity, and operators by mx.profiler."""
    corpus, rounds = bench.corpus(), bench.size(7, 2)
    config = replace(bench.config(cell='rnn'), num_epochs=rounds + 2)
    first = bench.model(corpus.vocab_size, cell='rnn', impl='scratch')
    epochs, models = {}, {}
    for way in (*WAYS, BOTH):
        models[way] = model = bench.model(corpus.vocab_size, cell='rnn', impl='gluon' if way == BOTH else way)
        copy_params(first, model)
        if way == 'gluon':      # two biases with one gradient take two steps where the book's one takes one
            cast(GluonLayer, model.network).freeze_second_bias()
        epochs[way] = Trainer(model, config).epochs(corpus.indices, on_step=bench.on_step)
    records: Dict[str, List[Any]] = {way: [next(run)] for way, run in epochs.items()}       # the first compiles
    del epochs[BOTH]            # only its beginning is of interest
    for i in range(rounds):
        for way, run in epochs.items():
            bench.tell(f'{way}: round {i + 1} of {rounds}')
            records[way].append(next(run))
    operators = {way: profiled(partial(next, run), models[way]) for way, run in epochs.items()}
    times = {way: [record.seconds for record in records[way][1:]] for way in WAYS}
    many = {way: sum(count for count, _ in operators[way].values()) for way in WAYS}
    middle = {way: statistics.median(times[way]) for way in WAYS}
    rows = [(way, middle[way], min(times[way]), max(times[way]), records[way][0].perplexity, records[way][-1].perplexity,
             many[way], sum(ms for _, ms in operators[way].values())) for way in WAYS]
    most = [(way, name, count, ms) for way in WAYS
            for name, (count, ms) in sorted(operators[way].items(), key=lambda item: -item[1][1])[:6]]
    return Outcome([
        Table((f'{rounds} epochs each, in turns, from the same weights; the first one, which warms up, is not timed',
               f'初始权重相同，轮流各训练 {rounds} 个周期；预热的第一个周期不计时'),
              ('way', 'seconds an epoch', 'lowest', 'highest', 'first perplexity', 'last perplexity', 'operators run an epoch',
               'ms in operators'), rows),
        Table(('Where an epoch goes, by mx.profiler: the six operators that take longest', '耗时最多的六个算子（mx.profiler）'),
              ('way', 'operator', 'times', 'ms'), most)],
        {**middle, 'gluon_low': min(times['gluon']), 'gluon_high': max(times['gluon']), 'scratch_low': min(times['scratch']),
         'scratch_high': max(times['scratch']), 'scratch_operators': many['scratch'], 'gluon_operators': many['gluon'],
         'scratch_first': records['scratch'][0].perplexity, 'gluon_first': records['gluon'][0].perplexity,
         'both': records[BOTH][0].perplexity},
        which_is_faster(times['gluon'], times['scratch']), partial(_draw, times, operators))


def which_is_faster(gluon: Sequence[float], scratch: Sequence[float]) -> str:
    """From the seconds of their epochs: one is faster where its slowest epoch is below the other's fastest."""
    return 'faster' if max(gluon) < min(scratch) else 'slower' if max(scratch) < min(gluon) else 'alike'


def _draw(times: Dict[str, List[float]], operators: Dict[str, Operators]) -> Any:
    figure, (left, right) = new_figure(13, 4, ncols=2)
    for k, seconds in enumerate(times.values()):
        left.barh(k, statistics.median(seconds), color=f'C{k}', alpha=0.7)
        left.plot(seconds, [k] * len(seconds), 'k.', markersize=4)
    left.set_yticks(range(len(times)), list(times))
    left.set(xlabel='seconds an epoch', title='bar: median, dots: each round')
    total = {name: max(found.get(name, (0, 0.0))[1] for found in operators.values())
             for name in sorted({name for found in operators.values() for name in found})}
    named, before = sorted(total, key=lambda name: -total[name])[:7], [0.0] * len(operators)
    for k, name in enumerate([*named, 'all others']):
        widths = [sum(ms for other, (_, ms) in found.items() if (other if other in named else 'all others') == name)
                  for found in operators.values()]
        right.barh(range(len(operators)), widths, left=before, label=name.lstrip('_'),     # a legend leaves `_name` out
                   color='0.8' if name == 'all others' else f'C{k}')
        before = [a + b for a, b in zip(before, widths)]
    right.set_yticks(range(len(operators)), [f'{way}: {sum(c for c, _ in found.values()):,}' for way, found in operators.items()])
    right.set(xlabel='ms in operators of MXNet, an epoch', title='number of operators run, and their time')
    for axis in (left, right):
        axis.invert_yaxis()
    rule(left, right)
    legend_beside(right)
    return figure
