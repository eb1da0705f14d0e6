"""Remedies for exploding gradients, each one change to a plain training: what exercise 6.6.1 tries."""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, Sequence

import numpy as np
from mxnet import nd

from ...training.config import TrainConfig
from ...training.optimizer import Optimizer, global_norm

GAIN = 3            # the recurrent weights come from N(0, GAIN / sqrt(num_hiddens)): their singular values reach up to 2 GAIN
LR = 0.5            # without clipping, where the book's 100 stands with it
NUM_STEPS, BATCH_SIZE = 35, 8
_SHORT = 5          # steps of truncated BPTT: with as many rows more, an epoch has as many updates, each of as many characters


class Watched(Optimizer):
    """An optimizer that keeps every gradient's norm, before anything is done about it.

    limit: clip each number of the gradient to -limit … limit; decay: the part of each weight that a step takes away.
    """

    def __init__(self, parameters: Dict[str, nd.NDArray], config: TrainConfig, *, limit: float = 0, decay: float = 0):
        super().__init__(parameters, config.optimizer, config.lr, config.clipping_theta)
        self.limit, self.decay = limit, decay
        self.norms: List[nd.NDArray] = []

    def step(self) -> nd.NDArray:
        norm = global_norm(self.grads)
        self.norms.append(norm)
        for param, grad in zip(self.params, self.grads):
            if self.limit:
                nd.clip(grad, -self.limit, self.limit, out=grad)
            if self.decay:
                param *= 1 - self.decay
        super().step()
        return norm


def gaussian(shape: Sequence[int], sigma: float, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(scale=sigma, size=shape)


def exploding_weights(shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    return gaussian(shape, GAIN / math.sqrt(shape[0]), rng)


def orthogonal(shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """All singular values 1: it turns a vector, and makes it neither longer nor shorter (Saxe et al., 2014)."""
    Q, R = np.linalg.qr(rng.normal(size=shape))
    return Q * np.sign(np.diag(R))


@dataclass(frozen=True)
class Remedy:
    """One change to the plain training. settings: of model and trainer; recurrent: draws W_hh; optimizer: see `Watched`."""
    name: str
    zh: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recurrent: Callable[..., np.ndarray] = exploding_weights
    optimizer: Mapping[str, float] = field(default_factory=dict)


REMEDIES = {
    'plain': Remedy('nothing', '无措施'),
    'clip_norm': Remedy('clip the norm to 1', '范数裁剪到 1', {'clipping_theta': 1}),
    'clip_numbers': Remedy('clip each number to 0.01', '逐个元素裁剪到 0.01', optimizer={'limit': 1e-2}),
    'lower_rate': Remedy('learning rate / 100', '学习率除以 100', {'lr': LR / 100}),
    'adam': Remedy('Adam, 0.001', 'Adam，0.001', {'optimizer': 'adam', 'lr': 1e-3}),
    'decay': Remedy('weight decay', '权重衰减', optimizer={'decay': 1e-3}),
    'short': Remedy(f'BPTT over {_SHORT} steps', f'时间步数截断为 {_SHORT}',
                    {'num_steps': _SHORT, 'batch_size': BATCH_SIZE * NUM_STEPS // _SHORT}),
    'small': Remedy("small W_hh (the book's)", '小的 W_hh（书中初始化）', recurrent=partial(gaussian, sigma=0.01)),
    'orthogonal': Remedy('orthogonal W_hh', '正交的 W_hh', recurrent=orthogonal),
    'gru': Remedy('GRU', 'GRU', {'cell': 'gru'}),
    'lstm': Remedy('LSTM', 'LSTM', {'cell': 'lstm'}),
}
