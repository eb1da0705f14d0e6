"""The exercises of chapter 6, each an experiment with an answer drawn from what it measures; `scripts/exercise.py` runs them."""
from __future__ import annotations

from typing import Dict

from . import (
    bi_layers,
    by_hand,
    carry,
    concise,
    counting,
    directions,
    exploding,
    growing,
    hyperparameters,
    sampling,
    second_tanh,
    sentences,
    states,
    timing,
    two_layers,
    undetached,
    uses,
)
from .frame import Exercise, Lines, Outcome, Table
from .workbench import Training, Workbench

# A module a section or theme, each with its EXERCISES; the book's order comes from their numbers.
_MODULES = (
    counting,
    uses,
    states,
    sampling,
    sentences,
    by_hand,
    growing,
    undetached,
    concise,
    exploding,
    carry,
    hyperparameters,
    timing,
    second_tanh,
    two_layers,
    directions,
    bi_layers,
)
EXERCISES: Dict[str, Exercise] = {exercise.number: exercise for exercise in sorted(
    (exercise for module in _MODULES for exercise in module.EXERCISES), key=lambda exercise: exercise.key)}

__all__ = ['EXERCISES', 'Exercise', 'Lines', 'Outcome', 'Table', 'Training', 'Workbench']
