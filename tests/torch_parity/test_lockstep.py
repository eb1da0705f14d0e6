"""A model and its twin, trained together."""
from __future__ import annotations

import numpy as np
import pytest

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.torch_parity import parity
from gluon_rnn.torch_parity.layout import to_torch
from gluon_rnn.torch_parity.lockstep import Lockstep, batches


def test_state_goes_on_in_both_until_started_anew():
    model = build_model(ModelConfig(vocab_size=7, num_hiddens=4))
    parity.randomize(model, np.random.default_rng(1))
    both = Lockstep(model, to_torch(model), lr=1e-9)
    (X, Y), = list(batches(list(range(7)) * 3, 2, 8))[:1]
    both.start(2)
    first, second = both.step(X, Y), both.step(X, Y)
    both.start(2)
    again = both.step(X, Y)
    assert first[0] != second[0] and first == pytest.approx(again, rel=1e-6)
    assert first[0] == pytest.approx(first[1], rel=1e-6) and second[0] == pytest.approx(second[1], rel=1e-6)
