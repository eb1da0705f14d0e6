"""Learning in both frameworks: the same first weights, the same batches, the same optimizer, the same handling of the state."""
from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, Dict, List, Sequence

import torch

from .. import runtime
from ..corpora.corpus import Corpus
from ..models.generation import generate
from ..models.language_model import ModelConfig, build_model
from ..plots import new_figure, style_perplexity
from ..training.loss import perplexity
from . import modules
from .layout import from_torch, settings, to_torch
from .lockstep import Lockstep, batches

_COLOURS = (('#9ecae1', '#08519c'), ('#fdbe85', '#a63603'), ('#a1d99b', '#006d2c'))


@dataclass(frozen=True)
class CurveConfig:
    """One way to train both."""
    name: str = 'book'
    cell: str = 'gru'
    impl: str = 'gluon'                 # of this project; PyTorch takes the form that corresponds to it
    num_hiddens: int = 256
    num_layers: int = 1
    num_epochs: int = 160
    num_steps: int = 35
    batch_size: int = 32
    sampling: str = 'consecutive'
    optimizer: str = 'sgd'              # or 'adam'
    lr: float = 1e2
    clipping_theta: float = 1e-2
    keep_state: bool = False            # the state goes on from one epoch's end to the next one's beginning; consecutive only
    torch_init: bool = False            # first weights as torch.nn draws them, else N(0, 0.01) and biases zero
    seed: int = 0

    def __str__(self) -> str:
        weights = "torch.nn's own" if self.torch_init else 'N(0, 0.01)'
        return (f"{'the book' if self.name == 'book' else 'the PyTorch ports'}: {self.cell} ({self.impl}), {self.num_layers} x "
                f'{self.num_hiddens} hidden units, {self.sampling} batches of {self.batch_size} x {self.num_steps}, '
                f'{self.optimizer} with lr {self.lr:g}, clipped to {self.clipping_theta:g}, first weights {weights}'
                f"{', the state kept across epochs' * self.keep_state}, seed {self.seed}")


def like_the_ports(config: CurveConfig) -> CurveConfig:
    """The settings of the PyTorch ports of the book: torch.nn, its own first weights, Adam, the state carried across epochs."""
    return replace(config, name='ports', impl='gluon', optimizer='adam', lr=1e-2, keep_state=config.sampling == 'consecutive',
                   torch_init=True)


@dataclass(frozen=True)
class Curves:
    """Perplexity of each epoch, and the verses after the last."""
    config: CurveConfig
    here: List[float]
    there: List[float]
    verses: List[Dict[str, str]]        # prefix, here, there

    @property
    def apart(self) -> float:
        """The largest difference of perplexities in one epoch, relative."""
        return max(abs(a - b) / b for a, b in zip(self.here, self.there))

    def to_dict(self) -> Dict[str, Any]:
        network = 'torch.nn' if self.config.impl == 'gluon' else 'by hand'
        return {'setting': asdict(self.config), 'network_in_pytorch': network, 'perplexity_mxnet': self.here,
                'perplexity_pytorch': self.there, 'largest_relative_difference': self.apart, 'verses': self.verses}


def learn(config: CurveConfig, corpus: Corpus, prefixes: Sequence[str], *, length: int = 50,
          on_epoch: Callable[[int, float, float], None] | None = None) -> Curves:
    """Train both, calling on_epoch(epoch, perplexity here, perplexity there) after each. Raises ValueError for a short text.

    Each has the form that corresponds to the other's, so a second bias is there, and trained, on both sides or on none.
    """
    for prefix in prefixes:
        corpus.encode(prefix)
    model_config = ModelConfig(vocab_size=corpus.vocab_size, cell=config.cell, impl=config.impl, num_hiddens=config.num_hiddens,
                               num_layers=config.num_layers)
    runtime.seed(config.seed)
    torch.manual_seed(config.seed)
    if config.torch_init:
        twin = modules.LanguageModel(settings(model_config, layer=config.impl == 'gluon'))
        model = from_torch(twin, model_config)
    else:
        model = build_model(model_config)
        twin = to_torch(model)
    both = Lockstep(model, twin, optimizer=config.optimizer, lr=config.lr, clipping_theta=config.clipping_theta)
    here: List[float] = []
    there: List[float] = []
    for epoch in range(1, config.num_epochs + 1):
        if epoch == 1 or not config.keep_state:
            both.start(config.batch_size)
        rng = random.Random(f'{config.seed} {epoch}') if config.sampling == 'random' else None
        losses = []
        for X, Y in batches(corpus.indices, config.batch_size, config.num_steps, rng=rng):
            if rng:
                both.start(config.batch_size)
            losses.append(both.step(X, Y))
        here.append(perplexity(sum(a for a, _ in losses) / len(losses), f'epoch {epoch}'))
        there.append(perplexity(sum(b for _, b in losses) / len(losses), f'epoch {epoch} of PyTorch'))
        if on_epoch:
            on_epoch(epoch, here[-1], there[-1])
    verses = [{'prefix': prefix, 'here': generate(model, corpus.idx_to_char, prefix, length),
               'there': modules.generate(twin, corpus.idx_to_char, prefix, length)} for prefix in prefixes]
    return Curves(config, here, there, verses)


def plot_curves(found: Sequence[Curves]) -> Any:
    """All curves on one picture: MXNet's broad, PyTorch's thin and dark on top of it, so that both are seen where they agree."""
    figure, axes = new_figure()
    for curves, (pale, dark) in zip(found, _COLOURS):
        epochs = range(1, len(curves.here) + 1)
        axes.plot(epochs, curves.here, color=pale, linewidth=5, label=f'{curves.config.name}: MXNet')
        axes.plot(epochs, curves.there, color=dark, linewidth=1.3, label=f'{curves.config.name}: PyTorch')
    style_perplexity(axes, f'{found[0].config.cell.upper()}, {found[0].config.num_hiddens} hidden units')
    return figure
