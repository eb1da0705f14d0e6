r"""The learning rate over a training: the factor that multiplies it at each step.

    warmup      constant 1        step          \       plateau: lr_decay more of it each time
       /‾‾‾‾‾‾‾  cosine  ‾\_      ‾‾‾‾‾|__ after 2      that the held-out text gets no better
      /                    \_          |__ epochs

A function of the epoch, the step and the perplexities on held-out text so far, so that a resumed run meets the same rates.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Sequence

SCHEDULES = ('constant', 'step', 'cosine', 'plateau')
_DECAY = {'step': 0.97, 'cosine': 0.0, 'plateau': 0.5}      # step: char-rnn's
_AFTER = {'step': 10, 'plateau': 1}


@dataclass(frozen=True)
class Schedule:
    """The schedule of a learning rate.

    kind: one of `SCHEDULES`. warmup: over so many updates the rate rises to its full height, in equal parts.
    decay: what the rate is multiplied by: under 'step' at each epoch after the first `after`, under 'plateau' each time that
    `after` epochs have brought no better perplexity on held-out text, under 'cosine' in all, by the end. None: 0.97 (step),
    0.5 (plateau), 0 (cosine); after None: 10 (step), 1 (plateau). Raises ValueError for what cannot be.
    """
    kind: str
    num_epochs: int
    warmup: int = 0
    decay: float | None = None
    after: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in SCHEDULES:
            raise ValueError(f'lr_schedule must be one of {", ".join(SCHEDULES)}, got {self.kind!r}')
        if self.warmup < 0:
            raise ValueError(f'warmup must be 0 or more updates, got {self.warmup}')
        if self.decay is not None and not ((self.decay == 0 and self.kind == 'cosine') or 0 < self.decay <= 1):
            raise ValueError(f'lr_decay must be above 0 and at most 1, got {self.decay}')
        if self.after is not None and self.after < 1:
            raise ValueError(f'lr_decay_after must be 1 or more epochs, got {self.after}')
        if (self.decay is not None and self.kind not in _DECAY) or (self.after is not None and self.kind not in _AFTER):
            raise ValueError(f'lr_schedule {self.kind} has no lr_decay{"_after" * (self.kind in _DECAY)}: leave it out, or '
                             f'choose another lr_schedule')

    def factor(self, epoch: int, step: int, steps: int, held_out: Sequence[float] = ()) -> float:
        """The factor of the learning rate at a step of an epoch, both counted from 1, of `steps` an epoch.

        held_out: perplexity on held-out text after each epoch before this one.
        """
        update = (epoch - 1) * steps + step - 1     # updates before this one
        rise = min(1.0, (update + 1) / self.warmup) if self.warmup else 1.0
        if self.kind == 'constant':
            return rise
        decay = _DECAY[self.kind] if self.decay is None else self.decay
        if self.kind == 'cosine':
            length = self.num_epochs * steps - self.warmup
            done = min(max(0, update - self.warmup) / length, 1.0) if length > 0 else 0.0
            return rise * (decay + (1 - decay) * (1 + math.cos(math.pi * done)) / 2)
        after = self.after or _AFTER[self.kind]
        times = max(0, epoch - after) if self.kind == 'step' else _plateaus(held_out, after)
        return rise * decay ** times


def _plateaus(held_out: Sequence[float], after: int) -> int:
    """The number of times that `after` epochs in a row have brought no better perplexity."""
    best, waited, times = math.inf, 0, 0
    for perplexity in held_out:
        waited = 0 if perplexity < best else waited + 1
        best = min(best, perplexity)
        if waited == after:
            waited, times = 0, times + 1
    return times
