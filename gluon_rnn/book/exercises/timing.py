"""Sections 6.7 and 6.8: RNN, GRU and LSTM against the clock: seconds an epoch, and what is learned in equal time."""
from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Tuple

import numpy as np
from mxnet import autograd, nd

from ...cells import NetworkConfig, OneHot, build_network
from ...plots import COLOURS, new_figure, save_figure, style_perplexity
from ...runs.settings import pick
from ...training.config import EpochRecord, TrainConfig
from ...training.trainer import Trainer
from .frame import Exercise, Outcome, Table, Text
from .scoring import compared, unigram_perplexity
from .workbench import Workbench

_PRODUCTS = ('dot', 'FullyConnected')


@cache
def operators_a_step(cell: str) -> Dict[str, int]:
    """What one step more adds to the forward pass that autograd records of a network by hand: operator -> how many of it.

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
            trainer = Trainer(model, pick(TrainConfig, bench.settings(cell=cell, impl=impl, num_epochs=10 ** 6)))
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
    racers = race(bench, cells, {'scratch': 0.0, 'hybrid': bench.size(40.0, 0.0)}, bench.size(6, 2))
    compiled = [racer for racer in racers if racer.impl == 'hybrid']
    factors = counted_factors(compiled, h, corpus.vocab_size)
    counted = []
    for racer in compiled:
        operators = operators_a_step(racer.cell)
        counted.append((racer.cell, products_a_step(racer.cell), operators['Activation'], sum(operators.values()),
                        multiplications(racer.cell, h, corpus.vocab_size), factors[racer.cell][0], racer.parameters,
                        factors[racer.cell][1]))
    measured = [(racer.cell, racer.impl, len(racer.records), racer.seconds_an_epoch,
                 *times_as_long(racer, next(r for r in racers if (r.cell, r.impl) == ('rnn', racer.impl)))) for racer in racers]
    (seconds, ends), common = in_equal_time(compiled), min(len(racer.records) for racer in compiled)
    learned = [(racer.cell, racer.records[common - 1].perplexity, ends[racer.cell].epoch, ends[racer.cell].perplexity)
               for racer in compiled]
    known = unigram_perplexity(corpus.indices)
    return Outcome(_answer(racers, factors, known), [
        Table((f'Counted: {h} hidden units, vocabulary {corpus.vocab_size:,}; forward',
               f'计数：{h} 个隐藏单元，词典 {corpus.vocab_size:,}；正向'),
              ('cell', 'products a step', 'tanh and sigmoid', 'operators in all', 'multiplications a character',
               'times the RNN', 'parameters', 'times the RNN'), counted),
        Table(('Measured, an epoch of each in turn', '实测，逐周期轮流'),
              ('cell', 'impl', 'epochs', 'seconds an epoch', 'times the RNN', 'middle half from', 'to'), measured),
        Table((f'Learned, compiled; knowing how often each character occurs gives {known:.4g}',
               f'学到的（编译后）；只知道字频的困惑度为 {known:.4g}'),
              ('cell', f'perplexity at epoch {common}', f'epochs in {seconds:.0f} seconds', 'perplexity then'), learned),
    ], partial(draw, racers=racers))


def counted_factors(racers: Sequence[Racer], h: int, vocab_size: int) -> Dict[str, Tuple[float, float]]:
    """cell -> its multiplications and its parameters, each over the RNN's."""
    rnn = next(racer for racer in racers if racer.cell == 'rnn')
    return {racer.cell: (multiplications(racer.cell, h, vocab_size) / multiplications('rnn', h, vocab_size),
                         racer.parameters / rnn.parameters) for racer in racers}


def _ahead(perplexities: Mapping[str, float], known: float) -> Text:
    """Who has learned most; nobody where none is below what knowing the characters' frequencies gives."""
    best = min(perplexities, key=lambda cell: perplexities[cell])
    leaders = [cell.upper() for cell, value in perplexities.items() if compared(value, perplexities[best]) == 'alike']
    if not perplexities[best] < known:
        return (f'too early to tell who learns faster: none is below {known:.3g} yet, which knowing how often each character '
                'occurs gives', f'还看不出谁学得快：都没有低于 {known:.3g}，即只知道字频时的困惑度')
    if len(leaders) > 1:
        return f'no clear difference between {" and ".join(leaders)}', f'{"、".join(leaders)} 之间没有明显差别'
    return f'the {leaders[0]} is ahead', f'{leaders[0]} 领先'


def _answer(racers: Sequence[Racer], factors: Mapping[str, Tuple[float, float]], known: float) -> Text:
    at = {(racer.cell, racer.impl): racer for racer in racers}
    cells = [cell for cell in factors if cell != 'rnn']
    slower, slower_zh = [], []
    for cell in cells:
        for impl, how, how_zh in (('scratch', 'by hand', '从零实现'), ('hybrid', 'compiled', '编译后')):
            times, low, high = times_as_long(at[cell, impl], at['rnn', impl])
            clear = ('', '') if low > 1 or high < 1 else (', no clear difference', '，没有明显差别')
            slower.append(f'{cell.upper()} {how} {times:.2f} times ({low:.2f} to {high:.2f}{clear[0]})')
            slower_zh.append(f'{cell.upper()} {how_zh} {times:.2f} 倍（{low:.2f} 至 {high:.2f}{clear[1]}）')
    counted = ', '.join(f'{cell.upper()} {factors[cell][0]:.2f} and {factors[cell][1]:.2f}' for cell in cells)
    counted_zh = '，'.join(f'{cell.upper()} 分别为 {factors[cell][0]:.2f} 与 {factors[cell][1]:.2f}' for cell in cells)
    compiled = [racer for racer in racers if racer.impl == 'hybrid']
    (seconds, ends), common = in_equal_time(compiled), min(len(racer.records) for racer in compiled)
    same = {racer.cell: racer.records[common - 1].perplexity for racer in compiled}
    by_time, by_epoch = _ahead({cell: record.perplexity for cell, record in ends.items()}, known), _ahead(same, known)
    en = (f'An epoch, in times of the RNN\'s: {"; ".join(slower)}; in brackets the middle half of the epochs. Two '
          f'things can be counted, the multiplications of the forward pass and the parameters, which clipping and update go '
          f'through; in times of the RNN\'s they are: {counted}. Which of them decides the time was not measured. After '
          f'{seconds:.0f} seconds of training, compiled: '
          + ', '.join(f'{cell.upper()} {end.epoch} epochs, perplexity {end.perplexity:.3g}' for cell, end in ends.items())
          + f': {by_time[0]}. After {common} epochs each: '
          + ', '.join(f'{cell.upper()} {value:.3g}' for cell, value in same.items()) + f': {by_epoch[0]}.')
    zh = (f'一个周期的用时与 RNN 之比：{"；".join(slower_zh)}；括号内是居中的一半周期。能数出来的有两样：正向的乘法次数，'
          f'以及裁剪和更新要逐一处理的参数个数；与 RNN 之比，{counted_zh}。用时由哪一样决定，这里没有测。编译后训练 '
          f'{seconds:.0f} 秒：'
          + '，'.join(f'{cell.upper()} {end.epoch} 个周期，困惑度 {end.perplexity:.3g}' for cell, end in ends.items())
          + f'：{by_time[1]}。各训练 {common} 个周期：'
          + '，'.join(f'{cell.upper()} {value:.3g}' for cell, value in same.items()) + f'：{by_epoch[1]}。')
    return en, zh


def draw(path: Path, racers: Sequence[Racer]) -> None:
    """Perplexity over the seconds trained, and the seconds an epoch."""
    figure, (left, right) = new_figure(11, 4.4, ncols=2, width_ratios=[1.6, 1])
    colours = dict(zip(dict.fromkeys(racer.cell for racer in racers), COLOURS))
    for k, racer in enumerate(racers):
        label, style = f'{racer.cell.upper()} {racer.impl}', '-' if racer.impl == 'hybrid' else '--'
        left.plot(racer.seconds, [record.perplexity for record in racer.records], style, color=colours[racer.cell], label=label)
        right.barh(k, racer.seconds_an_epoch, color=colours[racer.cell], alpha=1 if racer.impl == 'hybrid' else 0.55)
        right.text(racer.seconds_an_epoch, k, f' {racer.seconds_an_epoch:.2f}', va='center', fontsize=9)
    style_perplexity(left)
    left.set_xlabel('seconds of training')
    right.set_yticks(range(len(racers)), [f'{racer.cell.upper()} {racer.impl}' for racer in racers])
    right.invert_yaxis()
    right.margins(x=0.15)
    right.set_xlabel('seconds an epoch')
    right.spines[['top', 'right']].set_visible(False)
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.7.3', ('How much longer does a GRU take than a plain RNN, and what does it give for it?',
                       'GRU 比普通循环神经网络慢多少？换来了什么？'), partial(against_the_clock, cells=('rnn', 'gru'))),
    Exercise('6.8.2', ('How do LSTM, GRU and plain RNN compare in time under the same settings?',
                       '相同设置下，LSTM、GRU 与普通循环神经网络的用时如何？'),
             partial(against_the_clock, cells=('rnn', 'gru', 'lstm'))),
)
