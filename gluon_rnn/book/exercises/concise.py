"""Section 6.5, exercise 1: whether Gluon is faster than by hand, and where the time goes."""
from __future__ import annotations

import statistics
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Tuple, cast

from mxnet import nd

from ...benchmark.profiling import Operators, profiled
from ...cells.gluon_layer import GluonLayer
from ...cells.ops import State
from ...models.language_model import LanguageModel, copy_params
from ...plots import new_figure, save_figure
from ...runs.settings import pick
from ...training.config import TrainConfig
from ...training.trainer import Trainer
from .frame import Exercise, Outcome, Table, Text
from .workbench import Workbench

WAYS = {'on the page': ('by hand, operator by operator as section 6.4 writes it', '从零实现，逐个算子照 6.4 节书写'),
        'scratch': ("by hand here, a character's product being a row of W", '本项目的从零实现，字符与 W 的乘积就是取 W 的一行'),
        'hybrid': ('by hand, compiled', '从零实现，编译后'),
        'gluon': ('rnn.RNN, its second bias held at 0', 'rnn.RNN，第二个偏置固定为 0')}
BOTH = 'gluon, both biases'


class OnThePage:
    """A scratch model run as the book's page has it: a one-hot matrix, two products, an addition and a tanh for each step."""

    def __init__(self, model: LanguageModel):
        self.model, self.ctx, self.params = model, model.ctx, model.parameters()

    def begin_state(self, batch_size: int) -> State:
        return self.model.begin_state(batch_size)

    def parameters(self) -> Dict[str, nd.NDArray]:
        return self.params

    def __call__(self, X: nd.NDArray, state: State) -> Tuple[nd.NDArray, State]:
        W, (H,), outputs = self.params, state, []
        for column in X.T:
            X_t = nd.one_hot(column, self.model.config.vocab_size)
            H = nd.tanh(nd.dot(X_t, W['W_xh']) + nd.dot(H, W['W_hh']) + W['b_h'])
            outputs.append(nd.dot(H, W['W_hq']) + W['b_q'])
        return nd.concat(*outputs, dim=0), (H,)


def faster(bench: Workbench) -> Outcome:
    """6.5.1: the same network four ways: seconds an epoch in turns, perplexity, and operators by mx.profiler."""
    corpus, rounds = bench.corpus(), bench.size(7, 2)
    settings = replace(bench.settings(cell='rnn'), num_epochs=rounds + 2)
    first = bench.model(corpus.vocab_size, cell='rnn', impl='scratch')
    epochs: Dict[str, Any] = {}
    models: Dict[str, Any] = {}
    for way in (*WAYS, BOTH):
        impl = {'on the page': 'scratch', BOTH: 'gluon'}.get(way, way)
        models[way] = model = bench.model(corpus.vocab_size, cell='rnn', impl=impl)
        copy_params(first, model)
        if way == 'gluon':      # two biases with one gradient take two steps where the book's one takes one
            cast(GluonLayer, model.network).freeze_second_bias()
        trainer = Trainer(OnThePage(model) if way == 'on the page' else model, pick(TrainConfig, settings))
        epochs[way] = trainer.epochs(corpus.indices, on_step=bench.on_step)
    records: Dict[str, List[Any]] = {way: [next(run)] for way, run in epochs.items()}       # the first compiles
    both = records.pop(BOTH)[0].perplexity
    del epochs[BOTH]            # only its beginning is of interest
    for i in range(rounds):
        for way, run in epochs.items():
            bench.tell(f'{way}: round {i + 1} of {rounds}')
            records[way].append(next(run))
    operators = {way: profiled(partial(next, run), models[way]) for way, run in epochs.items()}
    times = {way: [record.seconds for record in records[way][1:]] for way in WAYS}
    rows = [(way, statistics.median(times[way]), min(times[way]), max(times[way]), records[way][0].perplexity,
             records[way][-1].perplexity, sum(count for count, _ in operators[way].values()),
             sum(ms for _, ms in operators[way].values())) for way in WAYS]
    most = [(way, name, count, ms) for way in WAYS
            for name, (count, ms) in sorted(operators[way].items(), key=lambda item: -item[1][1])[:6]]
    return Outcome(_answer(rows, both), [
        Table(('The ways', '几种实现'), ('way', 'in English', '中文'), [(way, *text) for way, text in WAYS.items()]),
        Table(('Perplexity of the first epoch, from the same weights', '初始权重相同，首个周期的困惑度'), ('way', 'perplexity'),
              [*((row[0], row[4]) for row in rows), (BOTH, both)]),
        Table((f'{rounds} epochs each, in turns, after one to warm up', f'预热一个周期后轮流各训练 {rounds} 个周期'),
              ('way', 'seconds an epoch', 'lowest', 'highest', 'first perplexity', 'last perplexity', 'operators run an epoch',
               'ms in operators'), rows),
        Table(('Where an epoch goes, by mx.profiler: the six operators that take longest', '耗时最多的六个算子（mx.profiler）'),
              ('way', 'operator', 'times', 'ms'), most)], partial(_draw, times=times, operators=operators))


def _answer(rows: List[tuple], both: float) -> Text:
    page, scratch, hybrid, gluon = rows
    times = page[1] / gluon[1]
    fastest = min(rows, key=lambda row: row[1])
    apart = abs(gluon[4] / page[4] - 1)
    if gluon[3] < page[2]:          # its slowest epoch against the other's fastest
        verdict = 'Yes', '是'
    elif page[3] < gluon[2]:
        verdict = 'No, not here', '在这里不是'
    else:
        verdict = 'No clear difference here', '在这里没有明显差别'
    fewer, less = gluon[6] < page[6], gluon[7] < page[7]
    # what the profiler saw explains a gain only where there is one
    why = ('The profiler shows why', '性能分析说明了原因') if gluon[3] < page[2] and fewer and less else (
        'The profiler counts', '性能分析的结果')
    walks = (', where one fused operator walks all steps', '，一个融合算子走完所有时间步') if fewer else ('', '')
    alike = (('All learn alike', '初始权重相同时学得也相同') if apart < 0.01 else
             ('Not all learn alike', '初始权重相同，学得却不同'))
    bias = (('each takes the whole step, so their sum moves twice as far, and both count in the norm that is clipped',
             '两个偏置各走一整步，它们的和便多走一倍，裁剪所用的范数也把两个都算在内')
            if abs(both / page[4] - 1) > max(0.01, 10 * apart) else
            ('the second bias makes no difference here', '第二个偏置在这里没有影响') if apart < 0.01 else
            ('no further off, so the second bias is not what sets them apart', '差别并没有更大，可见原因不在第二个偏置'))
    en = (f'{verdict[0]}: an epoch of rnn.RNN takes {gluon[1]:.3f} s ({gluon[2]:.3f} to {gluon[3]:.3f}), the network written '
          f'operator by operator {page[1]:.3f} s ({page[2]:.3f} to {page[3]:.3f}), {times:.2f} times as long. {why[0]}: in an '
          f'epoch {page[6]:,} operators run by hand and {gluon[6]:,} with Gluon{walks[0]}; they take {page[7]:.0f} and '
          f'{gluon[7]:.0f} ms. By hand here, with rows of W for products, it is {scratch[1]:.3f} s, compiled {hybrid[1]:.3f} s; '
          f'the fastest here is "{fastest[0]}". {alike[0]} from the same weights: the first perplexity is {page[4]:.4g} by hand '
          f'and {gluon[4]:.4g} with Gluon, which is {_percent(apart)} off, its second bias held at 0. With both biases it is '
          f'{both:.4g}: {bias[0]}.')
    zh = (f'{verdict[1]}：rnn.RNN 每个周期 {gluon[1]:.3f} 秒（{gluon[2]:.3f} 至 {gluon[3]:.3f}），逐个算子书写的网络 '
          f'{page[1]:.3f} 秒（{page[2]:.3f} 至 {page[3]:.3f}），是前者的 {times:.2f} 倍。{why[1]}：每个周期，从零实现运行 '
          f'{page[6]:,} 个算子，Gluon 运行 {gluon[6]:,} 个{walks[1]}；算子耗时分别为 {page[7]:.0f} 与 {gluon[7]:.0f} 毫秒。'
          f'以取行代替输入乘积则为 {scratch[1]:.3f} 秒，编译后 {hybrid[1]:.3f} 秒；这里最快的是“{fastest[0]}”。{alike[1]}：'
          f'首个周期的困惑度，从零实现为 {page[4]:.4g}，Gluon（第二个偏置固定为 0）为 {gluon[4]:.4g}，相差 {_percent(apart)}。'
          f'若两个偏置都训练，则为 {both:.4g}：{bias[1]}。')
    return en, zh


def _percent(ratio: float) -> str:
    return f'{ratio:.2%}' if not 0 < ratio < 1e-4 else '< 0.01%'


def _draw(path: Path, times: Dict[str, List[float]], operators: Dict[str, Operators]) -> None:
    figure, (left, right) = new_figure(13, 4, ncols=2)
    for k, seconds in enumerate(times.values()):
        left.barh(k, statistics.median(seconds), color=f'C{k}', alpha=0.7)
        left.plot(seconds, [k] * len(seconds), 'k.', markersize=4)
    left.set_yticks(range(len(times)), list(times))
    left.invert_yaxis()
    left.set(xlabel='seconds an epoch', title='bar: median, dots: each round')
    names = {name for found in operators.values() for name in found}
    total = {name: max(found.get(name, (0, 0.0))[1] for found in operators.values()) for name in names}
    shown, before = sorted(total, key=lambda name: (-total[name], name))[:7], [0.0] * len(operators)
    for k, name in enumerate([*shown, 'all others']):
        widths = [sum(ms for other, (_, ms) in operators[way].items() if other not in shown) if name == 'all others'
                  else operators[way].get(name, (0, 0.0))[1] for way in operators]
        right.barh(range(len(operators)), widths, left=before, label=name.lstrip('_'),     # a legend leaves `_name` out
                   color='0.8' if name == 'all others' else f'C{k}')
        before = [a + b for a, b in zip(before, widths)]
    right.set_yticks(range(len(operators)), [f'{way}: {sum(c for c, _ in operators[way].values()):,}' for way in operators])
    right.invert_yaxis()
    right.set(xlabel='ms in operators, an epoch', title='number of operators run, and their time')
    right.legend(frameon=False, fontsize=7, loc='center left', bbox_to_anchor=(1, 0.5))
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.5.1', ('Does Gluon train faster than the network by hand? If so, why?',
                       '与从零实现相比，Gluon 是否训练更快？若是，原因何在？'),
             faster),
)
