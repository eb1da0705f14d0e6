"""Section 6.2: how many outputs a recurrent network needs, and what its state holds of the past."""
from __future__ import annotations

import math
from functools import partial
from typing import Any, Dict, List

import numpy as np
from mxnet import nd

from ...cells.ops import OneHot
from ...corpora.sampling import consecutive_batches
from ...plots import new_figure
from .counting import as_corpus, texts, words_of
from .drawing import rule
from .frame import Outcome, Table
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
            off = float((nd.softmax(logits).sum(axis=1) - 1).abs().max().asscalar())
            sizes = {key: value.size for key, value in model.parameters().items()}
            output = sizes['W_hq'] + sizes['b_q']
            rows.append((name, unit, corpus.vocab_size, logits.shape[1], off, output, output / sum(sizes.values())))
    text, unit, _, outputs, _, numbers, share = max(rows, key=lambda row: row[2])
    return Outcome([Table(('Outputs of an RNN for several vocabularies', '不同词典下循环神经网络的输出'),
                          ('text', 'unit', 'vocabulary', 'outputs', 'largest |sum of probabilities - 1|', 'output layer',
                           'its share'), rows)],
                   {'text': text, 'unit': unit, 'outputs': outputs, 'numbers': numbers, 'share': share,
                    'off': max(row[4] for row in rows), 'hiddens': bench.settings().num_hiddens})


def changes_felt(model: Any, indices: np.ndarray, length: int, rng: np.random.Generator) -> Dict[str, np.ndarray]:
    """How much a network's state and prediction change with the first character, after 0, 1, ... more characters.

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
    corpus, config = bench.corpus(), bench.config()
    training = bench.train('RNN', cell='rnn', num_epochs=bench.size(80, 2))
    cut = bench.model(corpus.vocab_size, cell='rnn')
    params = training.model.book_params()
    cut.load_book_params({**params, 'W_hh': np.zeros_like(params['W_hh'])})
    models = {'trained': training.model, 'new': bench.model(corpus.vocab_size, cell='rnn'), 'W_hh = 0': cut}
    length = bench.size(35, 8)
    distances = [d for d in DISTANCES if d < length]
    felt = {name: changes_felt(model, corpus.indices, length, bench.rng()) for name, model in models.items()}
    read = {name: read_back(model, corpus.indices, distances, num_steps=config.num_steps, batch_size=config.batch_size)
            for name, model in models.items()}
    often, far, one = float(np.bincount(corpus.indices).max() / len(corpus)), distances[-1], distances.index(1)
    chance = 2 * math.sqrt(often * (1 - often) / (len(corpus) // 2))    # two standard errors; half of the text is scored
    readable = [d for d, share in zip(distances, read['trained']) if share > often + chance]
    trained, new = felt['trained']['state'], felt['new']['state']
    return Outcome([
        Table(('Change of the state, relative, when the character d steps ago is another',
               '把 d 步之前的字换成另一个时，隐藏状态的相对变化'),
              ('d', *models, 'trained: change of the prediction'),
              [(d, *(float(felt[name]['state'][d]) for name in models), float(felt['trained']['next'][d])) for d in distances]),
        Table(('How often the character d steps ago can be read out of the state by a linear map',
               '用线性映射从隐藏状态读出 d 步之前的字的正确率'), ('d', *models, 'always the commonest'),
              [(d, *(read[name][k] for name in models), often) for k, d in enumerate(distances)])],
        {'far': far, 'felt_one': trained[1], 'felt_far': trained[far], 'new_one': new[1], 'new_far': new[far],
         'cut': felt['W_hh = 0']['state'][1:].max(), 'read_one': read['trained'][one], 'read_far': read['trained'][-1],
         'commonest': often, 'farthest': max(readable, default=None)},
        'fades' if trained[far] < trained[1] else 'stays', partial(_draw, felt, read, distances, often))


def _draw(felt: Dict[str, Any], read: Dict[str, Any], distances: List[int], often: float) -> Any:
    figure, (left, right) = new_figure(10, 3.8, ncols=2)
    for name, change in felt.items():
        left.semilogy(np.where(change['state'] > 0, change['state'], np.nan), 'o-', label=name, markersize=3)
        right.plot(distances, read[name], 'o-', label=name, markersize=4)
    right.axhline(often, color='0.5', linestyle=':', label='always the commonest')
    left.set(xlabel='steps since the changed character', ylabel="|H - H'| / |H|", title='a change is felt')
    right.set(xlabel='steps since the character', ylabel='read out of the state', title='a character is read back')
    rule(left, right, legend=True)
    return figure
