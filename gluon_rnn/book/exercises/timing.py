"""Sections 6.7 and 6.8: RNN, GRU and LSTM against the clock: seconds an epoch, and what is learned in equal time."""
from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np
from mxnet import autograd, nd

from ...cells import NetworkConfig, OneHot, build_network
from ...corpora.corpus import unigram_perplexity
from ...plots import COLOURS, new_figure, style_perplexity
from ...training.config import EpochRecord
from ...training.trainer import Trainer
from .drawing import rule
from .frame import Outcome, Table
from .scoring import compared
from .workbench import Workbench

_PRODUCTS = ('dot', 'FullyConnected')


@cache
def operators_a_step(cell: str) -> Dict[str, int]:
    """Operators of one step in the forward pass that autograd records of a network by hand: operator -> how many of it.

    The product of a character with W_x is a gather, `Embedding`.
    """
    found = []
    for num_steps in (3, 4):
        network = build_network(NetworkConfig(cell=cell, num_hiddens=4), 5)
        with autograd.record():
            H, _ = network(OneHot(nd.ones((num_steps, 2)), 5), network.begin_state(2))
        nodes = json.loads(autograd.get_symbol(H).tojson())['nodes']
        found.append(Counter(node['op'] for node in nodes if node['op'] != 'null'))
    return dict(found[1] - found[0])


@dataclass
class Racer:
    """One network's training, epoch by epoch."""
    cell: str
    impl: str
    parameters: int
    records: List[EpochRecord] = field(default_factory=list)

    @property
    def seconds_an_epoch(self) -> float:
        """The median, without the first epoch, which compiles."""
        return statistics.median(record.seconds for record in self.records[1:] or self.records)

    @property
    def seconds(self) -> List[float]:
        """The time trained after each epoch; the first, which compiles, counts as the median."""
        times = [self.seconds_an_epoch]
        for record in self.records[1:]:
            times.append(times[-1] + record.seconds)
        return times


def race(bench: Workbench, cells: Sequence[str], budgets: Mapping[str, float], least: int = 2) -> List[Racer]:
    """Train each cell in each implementation, an epoch of each in turn.

    In turn, so that a machine that slows down for a while slows down all of them. budgets: implementation -> seconds for each
    cell; least: epochs that each has, whatever they take.
    """
    corpus, running = bench.corpus(), []
    for impl in budgets:
        for cell in cells:
            model = bench.model(corpus.vocab_size, cell=cell, impl=impl)
            racer = Racer(cell, impl, sum(value.size for value in model.parameters().values()))
            trainer = Trainer(model, replace(bench.config(), num_epochs=10 ** 6))
            running.append((racer, trainer.epochs(corpus.indices, on_step=bench.on_step)))
    racers = [racer for racer, _ in running]
    while running:
        for racer, epochs in running:
            racer.records.append(next(epochs))
            record = racer.records[-1]
            bench.tell(f'{racer.cell} {racer.impl}: epoch {record.epoch}, {racer.seconds[-1]:.1f} seconds, '
                       f'perplexity {record.perplexity:.4g}')
        running = [(racer, epochs) for racer, epochs in running
                   if len(racer.records) < least or racer.seconds[-1] < budgets[racer.impl]]
    return racers


def products_a_step(cell: str) -> int:
    """The matrix products among them, under whichever name the cells take them."""
    return sum(operators_a_step(cell).get(name, 0) for name in _PRODUCTS)


def multiplications(cell: str, num_hiddens: int, vocab_size: int) -> int:
    """Forward, for one character: the products with every W_h and with W_hq. That of a one-hot vector with W_x takes none."""
    return products_a_step(cell) * num_hiddens ** 2 + num_hiddens * vocab_size


def times_as_long(racer: Racer, rnn: Racer) -> Tuple[float, float, float]:
    """Seconds of an epoch over those of the RNN's epoch of the same turn, without the first: median and the quarter and three
    quarters of them, for a busy machine makes some epochs of either as long as it will."""
    pairs = list(zip(racer.records, rnn.records))
    middle, low, high = np.quantile([one.seconds / other.seconds for one, other in pairs[1:] or pairs], (0.5, 0.25, 0.75))
    return float(middle), float(low), float(high)


def in_equal_time(racers: Sequence[Racer]) -> Tuple[float, Dict[str, EpochRecord]]:
    """The seconds that all of them have trained, and each cell's last epoch by then."""
    seconds = min(racer.seconds[-1] for racer in racers)
    return seconds, {racer.cell: max((record for record, at in zip(racer.records, racer.seconds) if at <= seconds),
                                     key=lambda record: record.epoch, default=racer.records[0]) for racer in racers}


def against_the_clock(bench: Workbench, cells: Sequence[str]) -> Outcome:
    """6.7.3 and 6.8.2."""
    corpus, h = bench.corpus(), bench.settings().num_hiddens
    racers = race(bench, cells, {'scratch': 0.0, 'numba': bench.size(40.0, 0.0)}, bench.size(6, 2))
    by_impl = {impl: {racer.cell: racer for racer in racers if racer.impl == impl} for impl in ('scratch', 'numba')}
    compiled, rnn = by_impl['numba'], by_impl['numba']['rnn']
    products = {cell: multiplications(cell, h, corpus.vocab_size) for cell in cells}
    times = {(impl, cell): times_as_long(racer, some['rnn']) for impl, some in by_impl.items() for cell, racer in some.items()}
    (seconds, ends), common = in_equal_time(list(compiled.values())), min(len(racer.records) for racer in compiled.values())
    single, figures = unigram_perplexity(corpus.indices), {}
    for cell in cells:
        figures.update({f'{cell}_multiplications': products[cell] / products['rnn'],
                        f'{cell}_parameters': compiled[cell].parameters / rnn.parameters,
                        f'{cell}_by_hand': times['scratch', cell][0], f'{cell}_compiled': times['numba', cell][0],
                        f'{cell}_then': ends[cell].perplexity, f'{cell}_common': compiled[cell].records[common - 1].perplexity})
    return Outcome([
        Table((f'Counted: {h} hidden units, vocabulary {corpus.vocab_size:,}; forward',
               f'计数：{h} 个隐藏单元，词典 {corpus.vocab_size:,}；正向'),
              ('cell', 'products a step', 'tanh and sigmoid', 'operators in all', 'multiplications a character',
               'times the RNN', 'parameters', 'times the RNN'),
              [(cell, products_a_step(cell), operators_a_step(cell)['Activation'], sum(operators_a_step(cell).values()),
                products[cell], figures[f'{cell}_multiplications'], compiled[cell].parameters, figures[f'{cell}_parameters'])
               for cell in cells]),
        Table(('Measured, an epoch of each in turn', '实测，逐周期轮流'),
              ('cell', 'impl', 'epochs', 'seconds an epoch', 'times the RNN', 'middle half from', 'to'),
              [(racer.cell, racer.impl, len(racer.records), racer.seconds_an_epoch, *times[racer.impl, racer.cell])
               for racer in racers]),
        Table((f'Learned, compiled; knowing how often each character occurs gives {single:.4g}',
               f'学到的（编译后）；只知道字频的困惑度为 {single:.4g}'),
              ('cell', f'perplexity at epoch {common}', f'epochs in {seconds:.0f} seconds', 'perplexity then'),
              [(cell, figures[f'{cell}_common'], ends[cell].epoch, ends[cell].perplexity) for cell in cells]),
    ], {**figures, 'seconds': seconds, 'common': common},
        who_is_ahead({cell: ends[cell].perplexity for cell in cells}, single), partial(draw, racers))


def who_is_ahead(perplexities: Mapping[str, float], single: float) -> str:
    """Who has learned most; nobody where none is below `single`, what knowing the characters' frequencies gives."""
    gated = min(value for cell, value in perplexities.items() if cell != 'rnn')
    stands = compared(gated, perplexities['rnn']) if min(perplexities.values()) < single else 'alike'
    return {'lower': 'gated', 'alike': 'alike', 'higher': 'plain'}[stands]


def draw(racers: Sequence[Racer]) -> Any:
    """Perplexity over the seconds trained, and the seconds an epoch."""
    figure, (left, right) = new_figure(11, 4.4, ncols=2, width_ratios=[1.6, 1])
    colours = dict(zip(dict.fromkeys(racer.cell for racer in racers), COLOURS))
    for k, racer in enumerate(racers):
        label, compiled = f'{racer.cell.upper()} {racer.impl}', racer.impl == 'numba'
        left.plot(racer.seconds, [record.perplexity for record in racer.records], '-' if compiled else '--',
                  color=colours[racer.cell], label=label)
        right.barh(k, racer.seconds_an_epoch, color=colours[racer.cell], alpha=1 if compiled else 0.55)
        right.text(racer.seconds_an_epoch, k, f' {racer.seconds_an_epoch:.2f}', va='center', fontsize=9)
    style_perplexity(left)
    left.set_xlabel('seconds of training')
    right.set_yticks(range(len(racers)), [f'{racer.cell.upper()} {racer.impl}' for racer in racers])
    right.invert_yaxis()
    right.margins(x=0.15)
    right.set_xlabel('seconds an epoch')
    rule(right)
    return figure
