"""Section 6.4, exercise 4: consecutive batches whose state is not detached."""
from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import Any, Dict

import numpy as np
from mxnet import autograd

from ..report import new_figure, save_figure
from ..sampling import consecutive_batches
from ..training import cross_entropy
from ..updating import Updater
from ..workers.run import memory
from .frame import Exercise, Outcome, Table, Text
from .workbench import Workbench, settle

WAYS = {'detached': 'state = tuple(s.detach() for s in state), what this project does',
        'as in the book': 's.detach() whose result nobody takes; MXNet frees the graph at backward',
        'graph kept': 'no detach, and backward(retain_graph=True) keeps the graph'}
_ZH = {'detached': '本项目的做法：使用 detach 返回的新数组',
       'as in the book': '调用 s.detach() 却丢弃返回值；MXNet 在反向传播时释放计算图',
       'graph kept': '不分离，且 backward(retain_graph=True) 保留计算图'}


def train_batches(bench: Workbench, way: str, many: int) -> Dict[str, Any]:
    """Train on the first batches of a text and look at each. Returns lists with a figure a batch, and the weights at the end.

    nodes: operators of the graph that autograd has recorded for the logits; seconds: forward, backward and update; bytes: of the
    process, above those before the first batch; norm: of the gradient; loss.
    """
    corpus = bench.corpus(0)
    settings = bench.settings(cell='rnn', impl='scratch')
    model = bench.model(corpus.vocab_size, cell='rnn', impl='scratch')
    updater = Updater(model.parameters(), 'sgd', settings['lr'], settings['clipping_theta'])
    batch_size, state = settings['batch_size'], model.begin_state(settings['batch_size'])
    found: Dict[str, Any] = {name: [] for name in ('nodes', 'seconds', 'bytes', 'norm', 'loss')}
    settle(model)
    before = memory('VmRSS')
    for k, (X, Y) in enumerate(consecutive_batches(corpus.indices, batch_size, settings['num_steps'])):
        if k == many:
            break
        start = time.perf_counter()
        if way == 'detached':
            state = tuple(s.detach() for s in state)
        elif way == 'as in the book':
            for s in state:
                s.detach()
        with autograd.record():
            logits, state = model(X, state)
        loss, gradient = cross_entropy(logits, Y.T.reshape((-1,)))
        if way != 'graph kept' or k < 40:       # a symbol of a very deep graph takes its time
            nodes = json.loads(autograd.get_symbol(logits).tojson())['nodes']
            found['nodes'].append(sum(node['op'] != 'null' for node in nodes))     # a null is an input or a weight
        logits.backward(gradient, retain_graph=way == 'graph kept')
        found['norm'].append(float(updater.step().asscalar()))
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
    marks = sorted({0, 1, many // 4, many // 2, many - 1})
    rows = [(way, k + 1, f['nodes'][k], f['seconds'][k], f['bytes'][k] / 2 ** 20, f['norm'][k], f['loss'][k])
            for way, f in found.items() for k in marks]
    apart = {way: max(float(np.abs(f['weights'][name] - value).max()) for name, value in found['detached']['weights'].items())
             for way, f in found.items()}
    return Outcome(_answer(found, apart, many), [
        Table(('The ways', '三种做法'), ('way', 'in English', '中文'), [(way, text, _ZH[way]) for way, text in WAYS.items()]),
        Table(('Batch after batch, the book\'s sizes', '逐批量观察，大小照书'),
              ('way', 'batch', 'operators in the graph', 'seconds', 'MiB more', 'norm of the gradient', 'loss'), rows),
        Table(('After the last batch', '最后一个批量之后'), ('way', 'largest difference of a weight from "detached"'),
              list(apart.items()))], partial(_draw, found=found))


def _answer(found: Dict[str, Any], apart: Dict[str, float], many: int) -> Text:
    kept, detached, book = found['graph kept'], found['detached'], found['as in the book']
    usual = min(float(np.median(way['seconds'])) for way in (detached, book))
    more_nodes, longer = kept['nodes'][-1] / kept['nodes'][0], kept['seconds'][-1] / usual
    same = apart['as in the book'] == 0 and book['nodes'] == detached['nodes']
    growing = more_nodes > 1
    memory_grown = (kept['bytes'][-1] - kept['bytes'][0]) / 2 ** 20
    en = (f'As the book writes it, {"nothing changes" if same else "something changes"} in MXNet: its s.detach() returns a new '
          f'array that nobody takes, yet after {many} batches the weights differ from the detached ones by '
          f'{apart["as in the book"]:.3g} and the graph has {book["nodes"][-1]} operators against {detached["nodes"][-1]}, '
          'because backward frees the graph and the old state is then a constant. Where the graph is really kept, it '
          f'{"grows" if growing else "does not grow"}: batch {many} has {more_nodes:.1f} times the operators of the first '
          f'({kept["nodes"][-1]:,}), takes {longer:.1f} times as long as where it is freed, and the process holds '
          f'{memory_grown:.0f} MiB more than after the first. Each batch goes back over all before it, so the cost of an epoch '
          'grows with the square of its batches. The gradients themselves hardly change: the norm of the last is '
          f'{kept["norm"][-1]:.4g} against {detached["norm"][-1]:.4g}.')
    if abs(kept['norm'][-1] / detached['norm'][-1] - 1) > 0.05:
        en = en.replace('themselves hardly change', 'change, too')
    zh = (f'照书中的写法，MXNet 里{"没有任何变化" if same else "有所变化"}：s.detach() 返回的新数组没有被使用，但 {many} 个批量'
          f'之后，权重与真正分离时相差 {apart["as in the book"]:.3g}，计算图有 {book["nodes"][-1]} 个算子（分离时 '
          f'{detached["nodes"][-1]} 个），因为反向传播会释放计算图，旧的隐藏状态随之成为常数。若真的保留计算图，它'
          f'{"会不断增长" if growing else "没有增长"}：第 {many} 个批量的算子数是第一个的 {more_nodes:.1f} 倍（'
          f'{kept["nodes"][-1]:,} 个），用时是释放计算图时的 {longer:.1f} 倍，进程内存比第一个批量后多 {memory_grown:.0f} MiB。'
          f'每个批量都要反传到最初，一个周期的开销随批量数的平方增长。而最后一个批量的梯度范数为 {kept["norm"][-1]:.4g}，分离时'
          f'为 {detached["norm"][-1]:.4g}。')
    return en, zh


def _draw(path: Path, found: Dict[str, Any]) -> None:
    figure, axes = new_figure(11, 3.5, ncols=3)
    for ax, (name, label, scale) in zip(axes, (('nodes', 'operators in the graph', 1), ('seconds', 'seconds of a batch', 1),
                                               ('bytes', 'MiB above those before', 2 ** 20))):
        for (way, values), style in zip(found.items(), ('o-', 'x--', 's-')):
            ax.plot(range(1, len(values[name]) + 1), np.array(values[name]) / scale, style, label=way, markersize=4)
        ax.set(xlabel='batch', ylabel=label, ylim=(0, None))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(True, alpha=0.25)
    axes[0].legend(frameon=False, fontsize=8)
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.4.4', ('With consecutive sampling, what if the state is not detached from the graph of the batch before?',
                       '相邻采样时若不把隐藏状态从计算图中分离，会怎样？'), not_detached),
)
