"""The experiment: gates as they are measured, and sequences of its own for a seed."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import Workbench, carry
from gluon_rnn.book.exercises.recall import Gates, by_hand, sequences


def test_gates_are_measured_where_they_are_said_to_be():
    X, _ = sequences(np.random.default_rng(0), 5, [9])
    measured = carry.mean_gates(by_hand(Gates(update_keeping=0, reset_keeping=np.log(3), update_passing=np.log(9))), X)
    assert measured == pytest.approx((0.5, 0.75, 0.9, 0), abs=1e-6)


def test_a_seed_gives_its_own_sequences(monkeypatch):
    seeds = []
    monkeypatch.setattr(carry, 'trained', lambda *sizes, seed, on_step: seeds.append(seed) or by_hand(Gates()))
    shown = [carry.carrying(Workbench('lyrics', quick=True, seed=seed)).evidence[0].lines for seed in (0, 0, 1)]
    assert shown[0] == shown[1] != shown[2] and seeds == [0, 0, 1]
