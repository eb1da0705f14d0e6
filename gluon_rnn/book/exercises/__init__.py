"""The exercises of chapter 6 as experiments: each returns tables, figures for its written answer, and a picture.

`scripts/exercise.py` runs them; the answers are text in `gluon_rnn/book/answers/`.
"""
from __future__ import annotations

from functools import partial
from typing import Callable, Dict

from . import by_hand, carry, counting, directions, exploding, factors, sampling, second_tanh, states, timing, two_layers, uses
from .frame import Outcome
from .workbench import Training, Workbench

# The number of an exercise, section and place in it -> the experiment that answers it.
EXERCISES: Dict[str, Callable[[Workbench], Outcome]] = {
    '6.1.1': counting.four_grams,
    '6.1.2': uses.uses,
    '6.2.1': states.outputs_needed,
    '6.2.2': states.past_in_state,
    '6.3.1': sampling.other_samplings,
    '6.3.2': sampling.whole_sentences,
    '6.4.1': partial(factors.hyperparameters, cell='rnn'),
    '6.4.2': by_hand.no_clipping,
    '6.4.3': by_hand.verses_by_epoch,
    '6.4.4': by_hand.not_detached,
    '6.4.5': by_hand.activations,
    '6.5.1': timing.faster,
    '6.6.1': exploding.remedies,
    '6.7.1': carry.carrying,
    '6.7.2': partial(factors.hyperparameters, cell='gru'),
    '6.7.3': partial(timing.against_the_clock, cells=('rnn', 'gru')),
    '6.8.1': partial(factors.hyperparameters, cell='lstm'),
    '6.8.2': partial(timing.against_the_clock, cells=('rnn', 'gru', 'lstm')),
    '6.8.3': second_tanh.second_tanh,
    '6.9.1': two_layers.second_layer,
    '6.10.1': directions.directions,
    '6.10.2': directions.bidirectional_layers,
}

__all__ = ['EXERCISES', 'Outcome', 'Training', 'Workbench']
