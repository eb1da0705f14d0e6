"""The task, what gates set by hand can and cannot do in it, and how gates are measured."""
import numpy as np
import pytest

from gluon_rnn.book import diagnostics
from gluon_rnn.book.exercises import Workbench, carry
from gluon_rnn.book.exercises.carry import OPEN, TRIALS, by_hand, recall, sequences, trained

IDEAL = TRIALS['ideal'][1]


def test_gates_are_measured_where_they_are_said_to_be():
    X, _ = sequences(np.random.default_rng(0), 5, [9])
    measured = carry.mean_gates(by_hand(0, np.log(3), np.log(9), -OPEN), X)
    assert measured == pytest.approx((0.5, 0.75, 0.9, 0), abs=1e-6)


def test_a_seed_gives_its_own_sequences(monkeypatch):
    seeds = []
    monkeypatch.setattr(carry, 'recall', lambda model, distance, seed: 1.0)     # of which it shows nothing
    monkeypatch.setattr(carry, 'mean_gates', lambda model, X: (0.5,) * 4)
    monkeypatch.setattr(carry, 'trained', lambda bench, *sizes: seeds.append(bench.seed) or by_hand(*IDEAL))
    shown = [carry.carrying(Workbench('lyrics', quick=True, seed=seed)).evidence[0].lines for seed in (0, 0, 1)]
    assert shown[0] == shown[1] != shown[2] and seeds == [0, 0, 1]


def test_sequences_are_what_the_drawing_shows():
    X, y = sequences(np.random.default_rng(0), 200, [7])
    assert X.shape == (200, 18)
    kept = (X >= 10) & (X < 20)
    assert (kept.sum(axis=1) == 2).all() and kept[:, 10].all() and not kept[:, 11:].any()     # 7 steps before the '?'
    assert (X[:, 10] - 10 == y).all() and (X[:, -1] == 20).all() and (X[:, :-1] < 20).all()
    X, _ = sequences(np.random.default_rng(0), 300, range(1, 8))
    last = np.array([np.flatnonzero((row >= 10) & (row < 20))[-1] for row in X])
    assert set(17 - last) == set(range(1, 8))


@pytest.mark.parametrize('distance', [1, 7, 60])
@pytest.mark.parametrize('R_pass', [-OPEN, 0, OPEN])
def test_the_ideal_gates_recall_everything(distance, R_pass):
    assert recall(by_hand(*IDEAL[:3], R_pass), distance, seed=distance) == 1


def test_the_state_is_carried_to_the_last_bit():
    model, X = by_hand(*IDEAL), sequences(np.random.default_rng(0), 1, [40])[0][0]
    H = diagnostics.trace(model.config, model.book_params(), X)['layer 1']['H']
    assert (H[-41:] == H[-41]).all() and H[-1].max() > 0.99 and sorted(H[-1])[-2] < 1e-7


def test_other_gates_do_not():
    guessing = 0.35        # 100 sequences, a tenth of which a guess hits
    assert recall(by_hand(-OPEN, OPEN, OPEN, -OPEN), 1) < guessing
    assert recall(by_hand(OPEN, -OPEN, OPEN, -OPEN), 1) < guessing
    leaky = by_hand(-OPEN, -OPEN, np.log(9), -OPEN)
    assert recall(leaky, 1) == 1 and recall(leaky, 100) < guessing


def test_a_seed_gives_its_own_network(monkeypatch):
    monkeypatch.setattr(carry, 'NUM_BATCHES', 4)
    steps = []
    benches = (Workbench('lyrics', seed=seed, on_step=lambda *at: steps.append(at)) for seed in (0, 0, 1))
    one, again, other = (trained(bench, 1, 2, num_hiddens=4).book_params() for bench in benches)
    assert (one['W_hh'] == again['W_hh']).all() and (one['W_hh'] != other['W_hh']).all() and len(steps) >= 3 * 4
