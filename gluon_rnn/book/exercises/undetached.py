"""Section 6.4, exercise 4: consecutive batches whose state is not detached."""
from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import Any, Dict, Sequence

import numpy as np
from mxnet import autograd

from ...benchmark.profiling import settle
from ...benchmark.workers.run import memory
from ...cells.base import BookParams
from ...corpora.sampling import consecutive_batches
from ...plots import new_figure, save_figure
from ...training.loss import cross_entropy
from ...training.optimizer import Optimizer
from .frame import Exercise, Outcome, Table, Text
from .workbench import Workbench

WAYS = {'detached': 'state = tuple(s.detach() for s in state), what this project does',
        'as in the book': 's.detach() whose result nobody takes; MXNet frees the graph at backward',
        'graph kept': 'no detach, and backward(retain_graph=True) keeps the graph'}
_ZH = {'detached': '本项目的做法：使用 detach 返回的新数组',
       'as in the book': '调用 s.detach() 却丢弃返回值；MXNet 在反向传播时释放计算图',
       'graph kept': '不分离，且 backward(retain_graph=True) 保留计算图'}


def train_batches(bench: Workbench, way: str, many: int, held: BookParams | None = None) -> Dict[str, Any]:
    """Train on the first batches of a text and look at each. Returns lists with a figure a batch, and the weights at the end.

    held: weights to take and not to move, so that a graph over several batches is one of one network; None: new ones, trained.
    nodes: operators of the graph that autograd has recorded for the logits; seconds: forward, backward and update; bytes: of the
    process, above those before the first batch; norm: of the gradient; loss.
    """
    corpus = bench.corpus(0)
    settings = bench.settings(cell='rnn', impl='scratch')
    model = bench.model(corpus.vocab_size, cell='rnn', impl='scratch')
    if held is not None:
        model.load_book_params(held)
    updater = Optimizer(model.parameters(), 'sgd', 0 if held is not None else settings.lr, settings.clipping_theta)
    batch_size, state = settings.batch_size, model.begin_state(settings.batch_size)
    found: Dict[str, Any] = {name: [] for name in ('nodes', 'seconds', 'bytes', 'norm', 'loss')}
    settle(model)
    before = memory('VmRSS')
    for k, (X, Y) in enumerate(consecutive_batches(corpus.indices, batch_size, settings.num_steps)):
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
        loss.wait_to_read()
        counting = time.perf_counter()
        nodes = json.loads(autograd.get_symbol(logits).tojson())['nodes']
        found['nodes'].append(sum(node['op'] != 'null' for node in nodes))     # a null is an input or a weight
        start += time.perf_counter() - counting     # counting is no part of a batch's time
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
    held = {way: train_batches(bench, way, many, found['detached']['weights']) for way in ('detached', 'graph kept')}
    marks = sorted({0, 1, many // 4, many // 2, many - 1})
    rows = [(way, k + 1, f['nodes'][k], f['seconds'][k], f['bytes'][k] / 2 ** 20, f['loss'][k])
            for way, f in found.items() for k in marks]
    apart = {way: max(float(np.abs(f['weights'][name] - value).max()) for name, value in found['detached']['weights'].items())
             for way, f in found.items()}
    norms = [(k + 1, held['detached']['norm'][k], held['graph kept']['norm'][k]) for k in marks]
    return Outcome(_answer(found, apart, norms), [
        Table(('The ways', '三种做法'), ('way', 'in English', '中文'), [(way, text, _ZH[way]) for way, text in WAYS.items()]),
        Table(('Batch after batch, the book\'s sizes', '逐批量观察，大小照书'),
              ('way', 'batch', 'operators in the graph', 'seconds', 'MiB more', 'loss'), rows),
        Table(('After the last batch', '最后一个批量之后'), ('way', 'largest difference of a weight from "detached"'),
              list(apart.items())),
        Table(('Norm of the gradient, the weights held at those that the detached training ended with',
               '梯度的范数：权重固定为“detached”训练结束时的值，不再更新'), ('batch', 'detached', 'graph kept'), norms),
    ], partial(_draw, found=found))


def _answer(found: Dict[str, Any], apart: Dict[str, float], norms: Sequence[tuple]) -> Text:
    """norms: (batch, detached, graph kept), the weights held."""
    kept, detached, book = found['graph kept'], found['detached'], found['as in the book']
    many, differs = len(kept['nodes']), apart['as in the book']
    usual = min(float(np.median(way['seconds'])) for way in (detached, book))
    more_nodes, longer = kept['nodes'][-1] / kept['nodes'][0], kept['seconds'][-1] / usual
    grown = (kept['bytes'][-1] - kept['bytes'][0]) / 2 ** 20
    if differs == 0 and book['nodes'] == detached['nodes']:
        en = (f'As the book writes it, nothing changes in MXNet. Nobody takes the new array that s.detach() returns, yet after '
              f'{many} batches every weight is the same as with a detached state and the graph has {book["nodes"][-1]} operators '
              'in both: backward frees the graph, and the old state is then a constant.')
        zh = (f'照书中的写法，MXNet 里没有任何变化。s.detach() 返回的新数组没有被使用，但 {many} 个批量之后，所有权重与真正分离时'
              f'完全相同，计算图都有 {book["nodes"][-1]} 个算子：反向传播会释放计算图，旧的隐藏状态随之成为常数。')
    else:
        en = (f'As the book writes it, something changes in MXNet here: nobody takes the new array that s.detach() returns, and '
              f'after {many} batches the weights differ from those with a detached state by up to {differs:.3g}, the graph has '
              f'{book["nodes"][-1]} operators against {detached["nodes"][-1]}.')
        zh = (f'照书中的写法，这里的 MXNet 有所变化：s.detach() 返回的新数组没有被使用，{many} 个批量之后，权重与真正分离时'
              f'最多相差 {differs:.3g}，计算图有 {book["nodes"][-1]} 个算子，分离时有 {detached["nodes"][-1]} 个。')
    if more_nodes > 1:
        en += (f' Where the graph is really kept, it grows: at batch {many} it has {more_nodes:.1f} times the operators of the '
               f'first ({kept["nodes"][-1]:,}), because each batch goes back over all before it; the operators of an epoch grow '
               'with the square of its batches.')
        zh += (f'若真的保留计算图，它会不断增长：第 {many} 个批量的算子数是第一个的 {more_nodes:.1f} 倍（{kept["nodes"][-1]:,} '
               '个），因为每个批量都要反向传播到最初；一个迭代周期的算子总数随批量数的平方增长。')
    else:
        en += f' Where the graph is kept, it does not grow here: {kept["nodes"][-1]:,} operators at batch {many}.'
        zh += f'保留计算图时，它在这里没有增长：第 {many} 个批量有 {kept["nodes"][-1]:,} 个算子。'
    en += (f' That batch takes {longer:.1f} times as long as where the graph is freed, and the process then holds '
           f'{abs(grown):.0f} MiB {"more" if grown >= 0 else "less"} than after the first.')
    zh += (f'该批量用时是释放计算图时的 {longer:.1f} 倍，进程内存比第一个批量之后{"多" if grown >= 0 else "少"} {abs(grown):.0f} '
           'MiB。')
    _, short, whole = norms[-1]
    said = (('one of them is no finite number', '其中有一个不是有限的数') if not np.isfinite([whole, short]).all() else
            ('the batches before add little to it', '之前的批量影响很小') if abs(whole - short) <= 0.05 * short else
            ('the batches before do change it', '之前的批量确实改变了梯度'))
    en += (f' What the gradient of the {many} batches is can be seen only where the weights are held still: its norm is then '
           f'{whole:.4g}, cut off at the last batch {short:.4g}: '
           f'{said[0]}. In training, the kept '
           'graph gives no such gradient: each update writes new weights into the arrays that the graph refers to, so that '
           f'backward mixes old states with new weights. The loss of batch {many} was {kept["loss"][-1]:.4g}, detached '
           f'{detached["loss"][-1]:.4g}.')
    zh += (f'只有固定权重时，才能看到跨 {many} 个批量的梯度：其范数为 {whole:.4g}，只算最后一个批量时为 {short:.4g}，'
           f'{said[1]}。训练时保留的计算图给不出这样的梯度：每次更新都把'
           '新权重写入计算图所引用的数组，反向传播于是把旧的隐藏状态与新权重混在一起。第 '
           f'{many} 个批量的损失为 {kept["loss"][-1]:.4g}，分离时为 {detached["loss"][-1]:.4g}。')
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
