"""The settings of a training, and the record of an epoch."""
from __future__ import annotations

import math
from dataclasses import dataclass

from .optimizer import make_optimizer
from .schedule import Schedule

SAMPLINGS = ('random', 'consecutive')


@dataclass(frozen=True)
class TrainConfig:
    """The settings of a training; the defaults are the book's (section 6.4.7)."""
    sampling: str = 'consecutive'       # 'random' or 'consecutive' mini-batches, section 6.3
    num_epochs: int = 160
    num_steps: int = 35                 # characters that a gradient goes back over
    batch_size: int = 32
    lr: float = 1e2                     # high, because clipping makes every step short
    lr_schedule: str = 'constant'       # how lr moves: 'constant', 'step', 'cosine' or 'plateau' (`schedule.py`)
    warmup: int = 0                     # updates in which lr rises to its full height
    lr_decay: float | None = None       # what lr is multiplied by; None: the schedule's own
    lr_decay_after: int | None = None   # epochs before it is; None: the schedule's own
    optimizer: str = 'sgd'              # the name of any mx.optimizer, or 'adamw'
    weight_decay: float = 0             # of the matrices, not of the biases
    patience: int | None = None         # stop after so many epochs that were no better on held-out text
    clipping_theta: float = 1e-2        # largest global norm of the gradients; 0: no clipping
    seed: int | None = 0                # one seed gives one result; None: as random as it comes

    def __post_init__(self) -> None:
        """Raise ValueError for settings that cannot train."""
        if self.sampling not in SAMPLINGS:
            raise ValueError(f'sampling must be one of {", ".join(SAMPLINGS)}, got {self.sampling!r}')
        for name in ('num_epochs', 'num_steps', 'batch_size'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} must be 1 or more, got {getattr(self, name)}')
        if not 0 < self.lr < math.inf:
            raise ValueError(f'lr must be above 0, got {self.lr}')
        if not 0 <= self.clipping_theta < math.inf:
            raise ValueError(f'clipping_theta must be 0 (no clipping) or more, got {self.clipping_theta}')
        if self.seed is not None and not 0 <= self.seed < 2 ** 31:
            raise ValueError(f'seed must be from 0 to {2 ** 31 - 1}, got {self.seed}')
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f'weight_decay must be 0 or more, got {self.weight_decay}')
        if self.patience is not None and self.patience < 1:
            raise ValueError(f'patience must be 1 or more epochs, got {self.patience}')
        make_optimizer(self.optimizer, self.lr)
        self.schedule()

    def schedule(self) -> Schedule:
        """The learning rate's schedule. Raises ValueError for settings that make no sense."""
        return Schedule(self.lr_schedule, self.num_epochs, self.warmup, self.lr_decay, self.lr_decay_after)


@dataclass(frozen=True)
class EpochRecord:
    """Figures of one epoch."""
    epoch: int                              # counted from 1
    perplexity: float                       # per character, over the epoch
    seconds: float
    tokens_per_second: float
    grad_norm: float                        # mean over the steps of the global L2 norm, before clipping
    valid_perplexity: float | None = None   # on held-out text, where there is some
    lr: float | None = None                 # the learning rate of the last step
    chars_per_token: float | None = None    # of a text of words
    accuracy: float | None = None           # part of the held-out questions answered rightly, where each has one answer

    @property
    def loss(self) -> float:
        """The mean loss of a token in nats."""
        return math.log(self.perplexity)

    @property
    def bits_per_char(self) -> float:
        """The mean loss of a character in bits."""
        return math.log2(self.perplexity) / (self.chars_per_token or 1)

    @property
    def valid_loss(self) -> float | None:
        """The mean loss of a token of held-out text in nats."""
        return None if self.valid_perplexity is None else math.log(self.valid_perplexity)

    @property
    def valid_bits_per_char(self) -> float | None:
        """The mean loss of a character of held-out text in bits."""
        return None if self.valid_perplexity is None else math.log2(self.valid_perplexity) / (self.chars_per_token or 1)
