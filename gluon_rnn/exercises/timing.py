"""Sections 6.7 and 6.8: RNN, GRU and LSTM against the clock: seconds an epoch, and what is learned in equal time."""
from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Dict, List, Sequence

from mxnet import autograd, nd

from ..cells import NetworkConfig, build_network
from ..report import COLOURS, new_figure, save_figure, style_perplexity
from ..runs import pick
from ..training import EpochRecord, TrainConfig, Trainer
from .frame import Exercise, Outcome, Table, Text
from .workbench import Workbench


@cache
def operators_a_step(cell: str) -> Dict[str, int]:
    """What one step more adds to the forward pass that autograd records of a network by hand: operator -> how many of it.

    The product of the inputs with W_x is not among them: it is one for all steps.
    """
    found = []
    for num_steps in (3, 4):
        network = build_network(NetworkConfig(cell=cell, num_hiddens=4), 5)
        with autograd.record():
            H, _ = network(nd.ones((num_steps, 2, 5)), network.begin_state(2))
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


def race(bench: Workbench, cells: Sequence[str], impls: Sequence[str], budget: float) -> List[Racer]:
    """Train each cell for `budget` seconds and two epochs at least, an epoch of each in turn.

    In turn, so that a machine that slows down for a while slows down all of them.
    """
    corpus, running = bench.corpus(), []
    for impl in impls:
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
            bench.tell(f'{racer.cell} {racer.impl}: epoch {record.epoch}, {racer.seconds[-1]:.1f} of {budget:g} seconds, '
                       f'perplexity {record.perplexity:.4g}')
        running = [(racer, epochs) for racer, epochs in running if len(racer.records) < 2 or racer.seconds[-1] < budget]
    return racers


def multiplications(cell: str, num_hiddens: int, vocab_size: int) -> int:
    """Forward, for one character: the products with every W_h and with W_hq. That of a one-hot vector with W_x takes none."""
    return operators_a_step(cell)['dot'] * num_hiddens ** 2 + num_hiddens * vocab_size


def against_the_clock(bench: Workbench, cells: Sequence[str]) -> Outcome:
    """6.7.3 and 6.8.2."""
    h, vocab_size = bench.settings()['num_hiddens'], bench.corpus().vocab_size
    racers = race(bench, cells, ('scratch', 'hybrid'), bench.size(20.0, 0.0))
    common = min(len(racer.records) for racer in racers)
    base = {racer.impl: racer.seconds_an_epoch for racer in racers if racer.cell == 'rnn'}
    counted = []
    for cell in cells:
        operators, number = operators_a_step(cell), multiplications(cell, h, vocab_size)
        counted.append((cell, operators['dot'], operators['Activation'], sum(operators.values()), number,
                        number / multiplications('rnn', h, vocab_size),
                        next(racer.parameters for racer in racers if racer.cell == cell)))
    measured = [(racer.cell, racer.impl, racer.seconds_an_epoch, racer.seconds_an_epoch / base[racer.impl],
                 racer.records[common - 1].perplexity, len(racer.records), racer.records[-1].perplexity) for racer in racers]
    return Outcome(_answer(racers, cells, h, vocab_size), [
        Table((f'Counted: {h} hidden units, vocabulary {vocab_size:,}; forward',
               f'计数：{h} 个隐藏单元，词典 {vocab_size:,}；正向'),
              ('cell', 'products a step', 'tanh and sigmoid', 'operators in all', 'multiplications a character',
               'times the RNN', 'parameters'), counted),
        Table((f'Measured, an epoch of each in turn, {racers[0].seconds[-1]:.0f} seconds each',
               f'实测：各训练约 {racers[0].seconds[-1]:.0f} 秒，逐周期轮流'),
              ('cell', 'impl', 'seconds an epoch', 'times the RNN', f'perplexity at epoch {common}', 'epochs in equal time',
               'perplexity in equal time'), measured),
    ], partial(draw, racers=racers))


def _answer(racers: Sequence[Racer], cells: Sequence[str], h: int, vocab_size: int) -> Text:
    at = {(racer.cell, racer.impl): racer for racer in racers}
    ratios, ratios_zh, counted, slower = [], [], [], True
    for cell in cells:
        if cell != 'rnn':
            by_hand, compiled = (at[cell, impl].seconds_an_epoch / at['rnn', impl].seconds_an_epoch
                                 for impl in ('scratch', 'hybrid'))
            ratios.append(f'the {cell.upper()} takes {by_hand:.2f} times as long as the RNN by hand and {compiled:.2f} times '
                          f'compiled')
            ratios_zh.append(f'{cell.upper()} 从零实现的用时是 RNN 的 {by_hand:.2f} 倍，编译后是 {compiled:.2f} 倍')
            factor = multiplications(cell, h, vocab_size) / multiplications('rnn', h, vocab_size)
            counted.append(f'{cell.upper()} {factor:.2f}')
            slower = slower and min(by_hand, compiled) > factor
    ends = {cell: at[cell, 'hybrid'].records[-1].perplexity for cell in cells}
    first = min(ends, key=lambda cell: ends[cell])
    seconds = at['rnn', 'hybrid'].seconds[-1]
    ended = ', '.join(f'{cell.upper()} {len(at[cell, "hybrid"].records)} epochs, {ends[cell]:.3g}' for cell in cells)
    ended_zh = '，'.join(f'{cell.upper()} {len(at[cell, "hybrid"].records)} 个周期，{ends[cell]:.3g}' for cell in cells)
    products = [str(operators_a_step(cell)['dot']) for cell in cells if cell != 'rnn']
    gates, gates_zh = ' and '.join(products), '、'.join(products)
    share = h * vocab_size / multiplications('rnn', h, vocab_size)
    beyond = (('; what goes beyond that is many small operations a step: sums, sigmoids, and by hand a call from Python for each',
               '；超出的部分来自每步许多小运算（加法、sigmoid 等，从零实现时每个都要从 Python 调用）') if slower else ('', ''))
    en = (f'For an epoch, {"; ".join(ratios)}. In multiplications the factors are {", ".join(counted)} and not {gates}, '
          f'because the output layer, {share:.0%} of the RNN\'s, is the same for all{beyond[0]}. After {seconds:.0f} seconds of '
          f'training, compiled, the perplexities were: {ended}; the {first.upper()} is ahead in equal time.')
    zh = (f'一个周期：{"；".join(ratios_zh)}。按乘法次数应为 {"，".join(counted)} 倍，而不是 {gates_zh} 倍，因为输出层（占 RNN 乘'
          f'法的 {share:.0%}）对各网络相同{beyond[1]}。编译后训练 {seconds:.0f} 秒的困惑度：{ended_zh}；'
          f'相同时间内 {first.upper()} 领先。')
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
