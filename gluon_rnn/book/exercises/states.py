"""Section 6.2: how many outputs a recurrent network needs, and what its state holds of the past."""
from __future__ import annotations

import math
from typing import Any, List

import numpy as np
from mxnet import nd

from ...cells.ops import OneHot
from ...corpora.sampling import consecutive_batches
from ...tables import Table
from .counting import UNITS, indices_of, texts
from .drawing import Panel, draw_panels
from .frame import Outcome
from .workbench import Workbench

DISTANCES = (0, 1, 2, 3, 5, 8, 12, 20, 30)


def outputs_needed(bench: Workbench) -> Outcome:
    """6.2.1: one output for each word that may come next."""
    rows = []
    for (name, unit), units in texts(bench).items():
        indices = indices_of(units)
        model = bench.model(len(set(units)), cell='rnn')
        logits, _ = model(nd.array(indices[:10].reshape(2, 5)), model.begin_state(2))
        output = sum(value.size for value in model.output.parameters().values())
        rows.append({'text': name, 'unit': unit, 'vocabulary': len(set(units)), 'outputs': logits.shape[1],
                     'largest |sum of probabilities - 1|': (nd.softmax(logits).sum(axis=1) - 1).abs().max().asscalar(),
                     'output layer': output, 'its share': output / model.num_parameters()})
    largest = max(rows, key=lambda row: row['vocabulary'])
    return Outcome([Table.of(('Outputs of an RNN for several vocabularies', '不同词典下循环神经网络的输出'), rows)],
                   {'text': largest['text'], 'unit': (largest['unit'], UNITS[largest['unit']]), 'outputs': largest['outputs'],
                    'numbers': largest['output layer'], 'share': largest['its share'], 'hiddens': bench.settings().num_hiddens,
                    'off': max(row['largest |sum of probabilities - 1|'] for row in rows)})


def changes_felt(model: Any, indices: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """How much a network's state changes with the first character, after 0, 1, ... more characters: (length,).

    The mean over many pieces of the text of |H_t - H'_t| / |H_t|.
    """
    starts = rng.choice(len(indices) - length, min(200, len(indices) - length), replace=False)
    X = indices[starts[:, None] + np.arange(length)]
    other = X.copy()
    while (other[:, 0] == X[:, 0]).any():
        same = other[:, 0] == X[:, 0]
        other[same, 0] = rng.choice(indices, int(same.sum()))
    H, H_other = (model.network(OneHot(nd.array(rows.T), model.config.vocab_size),
                                model.network.begin_state(len(rows)))[0].asnumpy() for rows in (X, other))
    return (np.linalg.norm(H - H_other, axis=2) / np.maximum(np.linalg.norm(H, axis=2), 1e-30)).mean(axis=1)


def read_back(model: Any, indices: np.ndarray, distances: List[int], *, num_steps: int, batch_size: int) -> List[float]:
    """How often a linear map of the state names the character that was read d steps ago, fitted on half of the text.

    The fit is by least squares with a small ridge; the score is of the other half.
    """
    from sklearn.linear_model import RidgeClassifier
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
        fit, test = (part.reshape(-1, part.shape[2]) for part in (states[:, :half], states[:, half:]))
        ridge = RidgeClassifier(alpha=1e-4 * float(np.square(fit).sum(axis=0).mean()))
        ridge.fit(fit, asked[:, :half].reshape(-1))
        found.append(float(ridge.score(test, asked[:, half:].reshape(-1))))
    return found


def past_in_state(bench: Workbench) -> Outcome:
    """6.2.2: change one character and look how long the state shows it; read old characters back out of the state."""
    corpus, config, length = bench.corpus(), bench.settings(), bench.size(35, 8)
    trained = bench.train('RNN', cell='rnn', num_epochs=bench.size(80, 2)).model
    new, cut = (bench.model(corpus.vocab_size, cell='rnn') for _ in range(2))
    params = trained.book_params()
    cut.load_book_params({**params, 'W_hh': np.zeros_like(params['W_hh'])})
    models = {'trained': trained, 'new': new, 'W_hh = 0': cut}
    distances = [d for d in DISTANCES if d < length]
    felt = {name: changes_felt(model, corpus.indices, length, np.random.default_rng(bench.seed))
            for name, model in models.items()}
    read = {name: read_back(model, corpus.indices, distances, num_steps=config.num_steps, batch_size=config.batch_size)
            for name, model in models.items()}
    often, far = float(np.bincount(corpus.indices).max() / len(corpus)), distances[-1]
    chance = 2 * math.sqrt(often * (1 - often) / (len(corpus) // 2))    # two standard errors; half of the text is scored
    readable = [d for d, share in zip(distances, read['trained']) if share > often + chance]
    return Outcome([
        Table(('Change of the state, relative, when the character d steps ago is another',
               '把 d 步之前的字换成另一个时，隐藏状态的相对变化'),
              ('d', *models), [(d, *(change[d] for change in felt.values())) for d in distances]),
        Table(('How often the character d steps ago can be read out of the state by a linear map',
               '用线性映射从隐藏状态读出 d 步之前的字的正确率'), ('d', *models, 'always the commonest'),
              [(d, *(read[name][k] for name in models), often) for k, d in enumerate(distances)])],
        {'far': far, 'felt_one': felt['trained'][1], 'felt_far': felt['trained'][far], 'new_one': felt['new'][1],
         'new_far': felt['new'][far], 'cut': felt['W_hh = 0'][1:].max(), 'read_one': read['trained'][distances.index(1)],
         'read_far': read['trained'][-1], 'commonest': often, 'farthest': max(readable, default=None)},
        'fades' if felt['trained'][far] < felt['trained'][1] else 'stays',
        draw_panels(
            Panel("|H - H'| / |H|: a change is felt",
                  {name: (range(length), np.where(change > 0, change, np.nan)) for name, change in felt.items()},
                  {'xlabel': 'steps since the changed character', 'yscale': 'log'}),
            Panel('part of the characters read back', {
                **{name: (distances, shares) for name, shares in read.items()},
                'always the commonest': ((0, far), (often, often))}, {'xlabel': 'steps since the character'})))
