"""Section 6.2: how many outputs a recurrent network needs, and what its state holds of the past."""
from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
from mxnet import nd

from ...cells.ops import OneHot
from ...corpora.sampling import consecutive_batches
from ...plots import new_figure, save_figure
from .counting import as_corpus, texts, words_of
from .frame import Exercise, Outcome, Table, Text
from .workbench import Workbench

DISTANCES = (0, 1, 2, 3, 5, 8, 12, 20, 30)


def outputs_needed(bench: Workbench) -> Outcome:
    """6.2.1: one output for each word that may come next."""
    rows = []
    for name, text in texts(bench).items():
        for unit, units in (('characters', list(text)), ('words', words_of(text))):
            corpus = as_corpus(units)
            model = bench.model(corpus.vocab_size, cell='rnn')
            logits, _ = model(nd.array(corpus.indices[:10].reshape(2, 5)), model.begin_state(2))
            sums = nd.softmax(logits).sum(axis=1)
            sizes = {key: value.size for key, value in model.parameters().items()}
            output = sizes['W_hq'] + sizes['b_q']
            rows.append((name, unit, corpus.vocab_size, logits.shape[1], float((sums - 1).abs().max().asscalar()), output,
                         output / sum(sizes.values())))
    table = Table(('Outputs of an RNN for several vocabularies', '不同词典下循环神经网络的输出'),
                  ('text', 'unit', 'vocabulary', 'outputs', 'largest |sum of probabilities - 1|', 'output layer', 'its share'),
                  rows)
    return Outcome(_outputs_answer(rows, bench.settings().num_hiddens), [table])


def _outputs_answer(rows: List[tuple], h: int) -> Text:
    equal, sums = all(row[2] == row[3] for row in rows), max(row[4] for row in rows)
    most = max(rows, key=lambda row: row[2])
    ones = (('the probabilities add up to 1', '概率总和为 1') if sums < 1e-5 else
            (f'the probabilities do NOT add up to 1, but are up to {sums:.1g} off', f'概率总和并不为 1，最多相差 {sums:.1g}'))
    en = (f'As many as there are different words: {"in every row" if equal else "but NOT in every row"} the network has one '
          f'output for each unit of the vocabulary. softmax gives each a probability, and {ones[0]}. For the {most[1]} of '
          f'{most[0]} these are {most[3]:,} outputs, and with {h} hidden units the output layer alone has '
          f'({h} + 1) x {most[3]:,} = {most[5]:,} numbers, {most[6]:.0%} of the model.')
    zh = (f'输出个数等于词典大小：{"每一行都如此" if equal else "但并非每一行都如此"}，词典中每个词对应一个输出。softmax 给每个词'
          f'一个概率，{ones[1]}。{most[0]} 以{"词" if most[1] == "words" else "字"}为单位时需要 {most[3]:,} 个输出；隐藏单元为 '
          f'{h} 个时，仅输出层就有 ({h} + 1) × {most[3]:,} = {most[5]:,} 个参数，占模型的 {most[6]:.0%}。')
    return en, zh


def changes_felt(model: Any, indices: np.ndarray, length: int, rng: np.random.Generator) -> Dict[str, np.ndarray]:
    """What a network's state shows of another first character, after 0, 1, ... more characters.

    'state': mean over many pieces of the text of |H_t - H'_t| / |H_t|; 'next': half the sum of |p - p'| over the next character,
    0 for the same prediction, 1 for quite another. Both (length,).
    """
    starts = rng.choice(len(indices) - length, min(200, len(indices) - length), replace=False)
    X = indices[starts[:, None] + np.arange(length)]
    other = X.copy()
    while (other[:, 0] == X[:, 0]).any():
        same = other[:, 0] == X[:, 0]
        other[same, 0] = rng.choice(indices, int(same.sum()))
    H, P = [], []
    for rows in (X, other):
        outputs, _ = model.network(OneHot(nd.array(rows.T), model.config.vocab_size), model.network.begin_state(len(rows)))
        H.append(outputs.asnumpy())
        P.append(nd.softmax(model.output(outputs.reshape((-1, model.network.num_outputs)))).asnumpy()
                 .reshape(length, len(rows), -1))
    change = np.linalg.norm(H[0] - H[1], axis=2) / np.maximum(np.linalg.norm(H[0], axis=2), 1e-30)
    return {'state': change.mean(axis=1), 'next': np.abs(P[0] - P[1]).sum(axis=2).mean(axis=1) / 2}


def read_back(model: Any, indices: np.ndarray, distances: List[int], *, num_steps: int, batch_size: int) -> List[float]:
    """How often a linear map of the state names the character that was read d steps ago, fitted on half of the text.

    The fit is by least squares with a small ridge; the score is of the other half.
    """
    state, H, X = model.network.begin_state(batch_size), [], []
    for batch, _ in consecutive_batches(indices, batch_size, num_steps):
        outputs, state = model.network(OneHot(batch.T, model.config.vocab_size), state)
        H.append(outputs.asnumpy())
        X.append(batch.T.asnumpy().astype(int))
    steps, characters = np.concatenate(H), np.concatenate(X)        # (steps, batch, num_hiddens), (steps, batch)
    found = []
    for d in distances:
        states, asked = steps[d:], characters[:len(characters) - d]
        half = states.shape[1] // 2
        fit, test = (np.concatenate([part.reshape(-1, part.shape[2]), np.ones((part[..., 0].size, 1))], axis=1)
                     for part in (states[:, :half], states[:, half:]))
        wanted = np.eye(model.config.vocab_size, dtype=np.float32)[asked[:, :half].reshape(-1)]
        products = fit.T @ fit
        ridge = 1e-4 * np.diag(products).mean() * np.eye(fit.shape[1])
        weights = np.linalg.solve(products + ridge, fit.T @ wanted)
        found.append(float(((test @ weights).argmax(axis=1) == asked[:, half:].reshape(-1)).mean()))
    return found


def past_in_state(bench: Workbench) -> Outcome:
    """6.2.2: change one character and look how long the state shows it; read old characters back out of the state."""
    corpus = bench.corpus()
    training = bench.train('RNN', cell='rnn', num_epochs=bench.size(80, 2))
    cut = bench.model(corpus.vocab_size, cell='rnn')
    params = training.model.book_params()
    cut.load_book_params({**params, 'W_hh': np.zeros_like(params['W_hh'])})
    models = {'trained': training.model, 'new': bench.model(corpus.vocab_size, cell='rnn'), 'W_hh = 0': cut}
    length = bench.size(35, 8)
    distances = [d for d in DISTANCES if d < length]
    sizes = {'num_steps': training.settings.num_steps, 'batch_size': training.settings.batch_size}
    felt = {name: changes_felt(model, corpus.indices, length, bench.rng()) for name, model in models.items()}
    read = {name: read_back(model, corpus.indices, distances, **sizes) for name, model in models.items()}
    often = float(np.bincount(corpus.indices).max() / len(corpus))
    tables = [
        Table(('Change of the state, relative, when the character d steps ago is another',
               '把 d 步之前的字换成另一个时，隐藏状态的相对变化'),
              ('d', *models, 'trained: change of the prediction'),
              [(d, *(float(felt[name]['state'][d]) for name in models), float(felt['trained']['next'][d])) for d in distances]),
        Table(('How often the character d steps ago can be read out of the state by a linear map',
               '用线性映射从隐藏状态读出 d 步之前的字的正确率'), ('d', *models, 'always the commonest'),
              [(d, *(read[name][k] for name in models), often) for k, d in enumerate(distances)])]
    return Outcome(_past_answer(felt, read, distances, often, len(corpus) // 2), tables,
                   partial(_draw, felt=felt, read=read, distances=distances, often=often))


def _past_answer(felt: Dict[str, Any], read: Dict[str, Any], distances: List[int], often: float, scored: int = 5000) -> Text:
    """scored: characters that the linear map was asked for at each distance, half of the text."""
    trained, far = felt['trained']['state'], distances[-1]
    every = bool((trained > 0).all())
    none = float(felt['W_hh = 0']['state'][1:].max())
    one = distances.index(1)
    chance = 2 * math.sqrt(often * (1 - often) / scored)       # two standard errors of naming the commonest
    readable = [d for d, share in zip(distances, read['trained']) if share > often + chance]
    fades = trained[far] < trained[1]
    en = ('Because H_t is computed from H_(t-1), which was computed from H_(t-2), and so on: change one character and '
          f'{"every" if every else "not every"} later state of the trained network differs, by {trained[1]:.0%} of its length '
          f'after 1 step and {trained[far]:.2g} of it after {far} (in a new network {felt["new"]["state"][1]:.2g} and '
          f'{felt["new"]["state"][far]:.2g}). With W_hh = 0 the change after one step or more is {none:.2g}'
          f'{": that product carries the past" if none == 0 else ""}. What is carried {"fades" if fades else "does not fade"} '
          f'here: the character 1 step ago can be read out of the state in {read["trained"][one]:.0%} of cases, the one {far} '
          f'steps ago in {read["trained"][-1]:.1%}; always naming the commonest is right in {often:.1%}, and '
          + (f'the farthest of those tried that is clearly above it is {readable[-1]}.' if readable else
             'no distance tried is clearly above it.'))
    zh = ('因为 H_t 由 H_(t-1) 算出，H_(t-1) 又由 H_(t-2) 算出，依此类推：改变一个字，训练后的网络此后'
          f'{"每一个" if every else "并非每一个"}隐藏状态都会变化，1 步之后变化 {trained[1]:.0%}，{far} 步之后变化 '
          f'{trained[far]:.2g}（未训练的网络分别为 {felt["new"]["state"][1]:.2g} 和 {felt["new"]["state"][far]:.2g}）。令 W_hh '
          f'= 0，一步及以后的变化为 {none:.2g}{"：传递过去信息的正是这个乘积" if none == 0 else ""}。传下来的信息在这里'
          f'{"逐渐淡去" if fades else "并未淡去"}：1 步之前的字有 {read["trained"][one]:.0%} 能从状态中线性读出，{far} 步之前的'
          f'有 {read["trained"][-1]:.1%}；总猜最常见的字，正确率为 {often:.1%}，'
          + (f'试过的距离中，明显高于它的最远为 {readable[-1]} 步。' if readable else '试过的距离都没有明显高于它。'))
    return en, zh


def _draw(path: Path, felt: Dict[str, Any], read: Dict[str, Any], distances: List[int], often: float) -> None:
    figure, (left, right) = new_figure(10, 3.8, ncols=2)
    for name, change in felt.items():
        shown = np.where(change['state'] > 0, change['state'], np.nan)
        left.semilogy(shown, 'o-', label=name, markersize=3)
        right.plot(distances, read[name], 'o-', label=name, markersize=4)
    right.axhline(often, color='0.5', linestyle=':', label='always the commonest')
    left.set(xlabel='steps since the changed character', ylabel="|H - H'| / |H|", title='a change is felt')
    right.set(xlabel='steps since the character', ylabel='read out of the state', title='a character is read back')
    for ax in (left, right):
        ax.legend(frameon=False, fontsize=8)
        ax.grid(True, alpha=0.25)
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.2.1', ('A recurrent network is to name the next word of a text. How many outputs does it need?',
                       '若用循环神经网络预测下一个词，输出层需要多少个输出？'), outputs_needed),
    Exercise('6.2.2', ('Why can the state of a recurrent network hold what all characters so far have said?',
                       '为什么隐藏状态能够捕捉到当前时间步为止的全部历史信息？'), past_in_state),
)
