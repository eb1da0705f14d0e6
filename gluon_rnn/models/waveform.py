"""The Clockwork paper's first task: learn to generate a waveform from no input at all.

A network begins at zero, reads nothing (zeros) for num_samples steps, and its output at each step is to be the target's sample.
All that it can tell one moment from another by is its own hidden state.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterator, Tuple

import mxnet as mx
import numpy as np
from mxnet import autograd, nd

from ..cells.build import NetworkConfig, build_network
from ..cells.output_layer import OutputLayer
from ..training.optimizer import Optimizer
from .base import with_parameters

CELLS = ('clockwork', 'rnn', 'lstm')
SIGMA = 0.1             # the paper's standard deviation of new weights
FORGET_BIAS = 5         # and what it sets the LSTM's forget gate to


def target_wave(num_samples: int = 320) -> np.ndarray:
    """A sound to learn, (num_samples,) from -1 to 1: three tones, a slow swell over them, and one that comes in half-way."""
    t = np.arange(num_samples) / max(num_samples, 1)
    wave = (np.sin(2 * np.pi * 3 * t) + 0.6 * np.sin(2 * np.pi * 11 * t + 1) * np.exp(-2 * t)
            + 0.4 * np.sin(2 * np.pi * 27 * t) * (t > 0.5) * np.sin(np.pi * (2 * t - 1)))
    return (wave / np.abs(wave).max()).astype(np.float32)


class Generator:
    """A recurrent network that reads nothing, and an output layer of one unit.

    Its size counts what can act: all weights but those of the input, which is zero.
    """

    def __init__(self, config: NetworkConfig, ctx: Any = None):
        self.config, self.ctx = config, ctx or mx.cpu()
        self.network = build_network(config, 1, self.ctx)
        self.output = OutputLayer(self.network.num_outputs, 1, ctx=self.ctx)
        weights = {**self.network.book_params()}
        for name, value in weights.items():
            if value.ndim == 2:
                value = nd.random.normal(scale=SIGMA, shape=value.shape, ctx=self.ctx).asnumpy()
            weights[name] = np.full_like(value, FORGET_BIAS) if name == 'b_f' else value
        self.network.load_book_params(weights)
        self.output.W_hq[:] = nd.random.normal(scale=SIGMA, shape=self.output.W_hq.shape, ctx=self.ctx)
        self.num_parameters = sum(value.size for name, value in weights.items() if not name.startswith('W_x'))
        self.num_parameters += self.network.num_outputs + 1

    def __call__(self, num_samples: int) -> nd.NDArray:
        """The wave, (num_samples,)."""
        H, _ = self.network(nd.zeros((num_samples, 1, 1), ctx=self.ctx), self.network.begin_state(1))
        return self.output(H.reshape((num_samples, -1))).reshape((-1,))

    def parameters(self) -> Any:
        return {**self.network.parameters(), **self.output.parameters()}


def matching(cell: str, num_parameters: int) -> NetworkConfig:
    """The one-layer 'rnn' or 'lstm' whose size as a `Generator` is nearest to num_parameters."""
    return replace(with_parameters(NetworkConfig(cell=cell), num_parameters, 0, 1), impl='gluon')


@dataclass(frozen=True)
class Fit:
    """The squared error of a wave after an epoch, as a part of the target's variance (0: the same, 1: silence)."""
    epoch: int
    error: float


def fit_wave(generator: Generator, target: np.ndarray, num_epochs: int, *, lr: float = 0.005,
             clipping_theta: float = 1) -> Iterator[Fit]:
    """Teach a generator the target by Adam, yielding after each epoch, which is one pass over the wave.

    Regression on one sequence: it has no labels, so that it goes past the language models' trainer, on the same updates.
    Raises ValueError for a number of epochs below 1 and a target that stands still, ArithmeticError where the error is no longer
    finite.
    """
    if num_epochs < 1:
        raise ValueError(f'num_epochs must be 1 or more, got {num_epochs}')
    if not target.std():
        raise ValueError(f'the target must vary, and its {len(target)} samples are all equal: raise num_samples')
    optimizer = Optimizer(generator.parameters(), 'adam', lr, clipping_theta)
    wanted, variance = nd.array(target, ctx=generator.ctx), float(target.var())
    for epoch in range(1, num_epochs + 1):
        with autograd.record():
            loss = (generator(len(target)) - wanted).square().mean()
        loss.backward()
        optimizer.step()
        error = loss.asscalar() / variance
        if not np.isfinite(error):
            raise ArithmeticError(f'the error is no longer finite in epoch {epoch}: lower lr, or take another seed')
        yield Fit(epoch, float(error))


def compare_networks(periods: Tuple[int, ...], num_hiddens: int, ctx: Any = None) -> Iterator[Tuple[str, Generator]]:
    """A Clockwork RNN, and an RNN and an LSTM of as many parameters."""
    clockwork = Generator(NetworkConfig(cell='clockwork', num_hiddens=num_hiddens, periods=periods), ctx)
    yield 'clockwork', clockwork
    for cell in CELLS[1:]:
        yield cell, Generator(matching(cell, clockwork.num_parameters), ctx)
