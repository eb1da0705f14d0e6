"""Held-out text: the best epoch on it, and when to stop waiting for a better one."""
from __future__ import annotations

from typing import Any, Mapping

from .config import TrainConfig


def best_epoch(held_out: Mapping[int, float]) -> int:
    """The epoch of the lowest perplexity, the first of several; 0 where there is none. held_out: perplexity by epoch."""
    return min(held_out, key=lambda epoch: (held_out[epoch], epoch), default=0)


def out_of_patience(held_out: Mapping[int, float], patience: int | None) -> bool:
    """Whether the last `patience` epochs were no better than one before them. None: never."""
    return bool(held_out) and patience is not None and max(held_out) - best_epoch(held_out) >= patience


def check_held_out(valid_indices: Any, config: TrainConfig) -> None:
    """Raise ValueError for a held-out text that is too short, or missing where the settings need one."""
    if valid_indices is not None and len(valid_indices) <= config.num_steps:
        raise ValueError(f'the held-out text has {len(valid_indices)} characters, it needs at least {config.num_steps + 1}: '
                         f'raise valid_fraction, or give a longer valid_text')
    needs = {'lr_schedule plateau': config.lr_schedule == 'plateau', 'patience': config.patience is not None}
    for name, needed in needs.items():
        if needed and valid_indices is None:
            raise ValueError(f'{name} needs held-out text: give valid_fraction or valid_text')
