"""Sections 6.5, 6.7 and 6.8: networks against the clock: one in four implementations, and RNN, GRU and LSTM in equal time."""
from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from ...benchmark.profiling import profiled
from ...corpora.corpus import unigram_perplexity
from ...models.language_model import copy_params
from ...runs.settings import pick
from ...tables import Table
from ...training.config import EpochRecord, TrainConfig
from ...training.trainer import Trainer
from .drawing import Panel, draw_panels
from .frame import Outcome
from .scoring import compared
from .workbench import Training, Workbench

WAYS = 'scratch', 'hybrid', 'gluon', 'numba'        # the network by hand, its graph, rnn.RNN, its kernels
BOTH = 'gluon, both biases'


def products(model: Any) -> List[int]:
    """The sizes of the weights that a step multiplies a vector with: every W_h, W_hq among them.

    So many multiplications a character takes, forward. A one-hot vector times W_x takes none: it is a row of W_x.
    """
    return [value.size for name, value in model.book_params().items() if name.startswith('W_h')]


def clock(run: Training) -> List[float]:
    """The seconds trained after each epoch; the first, which compiles, counts as the median."""
    return list(accumulate([run.seconds_an_epoch, *(record.seconds for record in run.records[1:])]))


def race(bench: Workbench, models: Mapping[str, Any], least: int,
         budgets: Mapping[str, float] | None = None) -> Dict[str, Training]:
    """Train each of the models, an epoch of each in turn, so that a machine that slows down for a while slows down all of them.

    least: epochs that each has, whatever they take; budgets: implementation -> seconds that its networks go on for.
    """
    corpus, config = bench.corpus(), pick(TrainConfig, bench.settings())
    runs = {label: Training(label, model) for label, model in models.items()}
    epochs = {label: Trainer(model, replace(config, num_epochs=10 ** 6)).epochs(corpus.indices, on_step=bench.on_step)
              for label, model in models.items()}
    while running := [run for run in runs.values() if len(run.records) < least
                      or clock(run)[-1] < (budgets or {}).get(run.model.config.impl, 0)]:
        for run in running:
            record = next(epochs[run.label])
            run.records.append(record)
            bench.tell(f'{run.label}: epoch {record.epoch}, {clock(run)[-1]:.1f} seconds, perplexity {record.perplexity:.4g}')
    return runs


def faster(bench: Workbench) -> Outcome:
    """6.5.1: the same network four ways: seconds an epoch in turns, perplexity, and operators by mx.profiler."""
    corpus, rounds = bench.corpus(), bench.size(7, 2)
    models: Dict[str, Any] = {way: bench.model(corpus.vocab_size, cell='rnn', impl='gluon' if way == BOTH else way)
                              for way in (*WAYS, BOTH)}
    for model in models.values():
        copy_params(models['scratch'], model)
    # two biases with one gradient take two steps where the book's one takes one
    models['gluon'].network.freeze_second_bias()
    both = race(bench, {BOTH: models.pop(BOTH)}, 1)[BOTH]       # only its beginning is of interest
    runs = race(bench, models, rounds + 1)
    times = {way: [record.seconds for record in run.records[1:]] for way, run in runs.items()}
    operators = {way: profiled(partial(race, bench, {'profile': model}, 1)) for way, model in models.items()}
    rows = {way: {'way': way, 'seconds an epoch': run.seconds_an_epoch, 'lowest': min(times[way]), 'highest': max(times[way]),
                  'first perplexity': run.records[0].perplexity, 'last perplexity': run.perplexity,
                  'operators run an epoch': sum(count for count, _ in operators[way].values()),
                  'ms in operators': sum(ms for _, ms in operators[way].values())} for way, run in runs.items()}
    return Outcome([
        Table.of((f'{rounds} epochs each, in turns, from the same weights; the first one, which warms up, is not timed',
                  f'初始权重相同，轮流各训练 {rounds} 个周期；预热的第一个周期不计时'), [*rows.values()])],
        {**{way: row['seconds an epoch'] for way, row in rows.items()}, 'both': both.perplexity,
         **{f'{way}_{short}': rows[way][name] for way in ('scratch', 'gluon') for short, name in (
             ('low', 'lowest'), ('high', 'highest'), ('operators', 'operators run an epoch'), ('first', 'first perplexity'))}},
        which_is_faster(times['gluon'], times['scratch']),
        draw_panels(Panel('seconds of each epoch, in turns', {
            way: (range(1, rounds + 1), seconds) for way, seconds in times.items()}, {'xlabel': 'round', 'ylim': (0, None)})))


def which_is_faster(gluon: Sequence[float], scratch: Sequence[float]) -> str:
    """From the seconds of their epochs: one is faster where its slowest epoch is below the other's fastest."""
    return 'faster' if max(gluon) < min(scratch) else 'slower' if max(scratch) < min(gluon) else 'alike'


def times_as_long(run: Training, rnn: Training) -> List[float]:
    """Seconds of an epoch over those of the RNN's epoch of the same turn, without the first: median, lower and upper quartile."""
    pairs = list(zip(run.records, rnn.records))
    return np.quantile([one.seconds / other.seconds for one, other in pairs[1:] or pairs], (0.5, 0.25, 0.75)).tolist()


def in_equal_time(runs: Mapping[str, Training]) -> Tuple[float, Dict[str, EpochRecord]]:
    """The seconds that all of them have trained, and each cell's last epoch by then."""
    seconds = min(clock(run)[-1] for run in runs.values())
    return seconds, {cell: run.records[max(1, sum(at <= seconds for at in clock(run))) - 1] for cell, run in runs.items()}


def against_the_clock(bench: Workbench, cells: Sequence[str]) -> Outcome:
    """6.7.3 and 6.8.2."""
    corpus, h = bench.corpus(), bench.settings().num_hiddens
    keys = [(impl, cell) for impl in ('scratch', 'numba') for cell in cells]
    models = {f'{cell.upper()} {impl}': bench.model(corpus.vocab_size, cell=cell, impl=impl) for impl, cell in keys}
    runs = dict(zip(keys, race(bench, models, bench.size(6, 2), {'numba': bench.size(40.0, 0.0)}).values()))
    compiled, rnn = {cell: runs['numba', cell] for cell in cells}, runs['numba', 'rnn']
    times = {(impl, cell): times_as_long(run, runs[impl, 'rnn']) for (impl, cell), run in runs.items()}
    (seconds, ends), common = in_equal_time(compiled), min(len(run.records) for run in compiled.values())
    single, counted, figures = unigram_perplexity(corpus.indices), [], {}
    for cell, run in compiled.items():
        model, work = run.model, sum(products(run.model))
        of_rnn = {'multiplications': work / sum(products(rnn.model)),
                  'parameters': model.num_parameters() / rnn.model.num_parameters()}
        counted.append({'cell': cell, 'products a step': len(products(model)) - 1, 'multiplications a character': work,
                        "times the RNN's": of_rnn['multiplications'], 'parameters': model.num_parameters(),
                        "parameters, times the RNN's": of_rnn['parameters']})
        figures.update({f'{cell}_then': ends[cell].perplexity, f'{cell}_common': run.records[common - 1].perplexity})
        if cell != 'rnn':
            figures.update({f'{cell}_multiplications': of_rnn['multiplications'], f'{cell}_parameters': of_rnn['parameters'],
                            f'{cell}_by_hand': times['scratch', cell][0], f'{cell}_compiled': times['numba', cell][0]})
    return Outcome([
        Table.of((f'Counted: {h} hidden units, vocabulary {corpus.vocab_size:,}; forward',
                  f'计数：{h} 个隐藏单元，词典 {corpus.vocab_size:,}；正向'), counted),
        Table(('Measured, an epoch of each in turn', '实测，逐周期轮流'),
              ('cell', 'impl', 'epochs', 'seconds an epoch', 'times the RNN', 'middle half from', 'to'),
              [(cell, impl, len(run.records), run.seconds_an_epoch, *times[impl, cell]) for (impl, cell), run in runs.items()]),
        Table((f'Learned, compiled; unigram perplexity {single:.4g}',
               f'学到的（编译后）；一元模型的困惑度为 {single:.4g}'),
              ('cell', f'perplexity at epoch {common}', f'epochs in {seconds:.0f} seconds', 'perplexity then'),
              [(cell, figures[f'{cell}_common'], ends[cell].epoch, ends[cell].perplexity) for cell in cells]),
    ], {**figures, 'seconds': seconds, 'common': common},
        who_is_ahead({cell: ends[cell].perplexity for cell in cells}, single),
        draw_panels(Panel('perplexity', {
            run.label: (clock(run), [record.perplexity for record in run.records]) for run in runs.values()},
            {'xlabel': 'seconds of training', 'yscale': 'log'})))


def who_is_ahead(perplexities: Mapping[str, float], single: float) -> str:
    """Who has learned most; nobody where none is below `single`, the unigram perplexity."""
    gated = min(value for cell, value in perplexities.items() if cell != 'rnn')
    stands = compared(gated, perplexities['rnn']) if min(perplexities.values()) < single else 'alike'
    return {'lower': 'gated', 'alike': 'alike', 'higher': 'plain'}[stands]
