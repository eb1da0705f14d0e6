"""Proof that a network here and its twin in PyTorch compute the same.

Both get the same weights, random and not small, and the same batches. Compared are logits, last states and the gradient of every
parameter, on a batch that starts from the state which the batch before has left; then the losses of 20 whole steps of SGD with
clipping, and all weights after them.

The second bias. A layer of Gluon or torch.nn has two biases where the book's equations have one. Only their sum counts in the
network, but each gets the whole gradient: under SGD the sum moves twice as far as the book's one bias, and the norm that
decides about clipping counts both. So where a layer is held against a loop by hand, its second bias is frozen at zero; where a
layer is held against a layer, both are random and both are trained.
"""
from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable, List, Tuple

import numpy as np
import torch
from mxnet import nd

from ..cells.base import Composite, Network
from ..cells.build import IMPLS
from ..cells.gluon_layer import GluonLayer
from ..models.language_model import LanguageModel, ModelConfig, build_model
from .layout import carried_back, flat_states, freeze_second_bias, to_torch, weights_of
from .lockstep import Lockstep, batches, gradients

TOLERANCES = {'logits': 1e-5, 'states': 1e-5, 'gradients': 1e-5, 'losses': 1e-5, 'weights': 1e-4}
LR, CLIPPING_THETA = 1e2, 1e-2      # the book's
# Standard deviation of the weights, in 1 / sqrt(num_hiddens). From about 1 on, a tanh RNN is chaotic: the last bit of a rounded
# number becomes the third digit within 20 steps (`differences.rounding` shows it), in one framework as between two.
SCALE = 0.5


@dataclass(frozen=True)
class Size:
    """The size of the networks that are compared."""
    num_hiddens: int = 32
    num_steps: int = 10
    batch_size: int = 4
    vocab_size: int = 50
    lockstep: int = 20          # steps of SGD
    seed: int = 0


@dataclass(frozen=True)
class Pair:
    """A network here, and the form of its twin."""
    name: str
    config: ModelConfig
    layer: bool                     # the twin is the torch.nn layer, not the loop by hand

    @property
    def second_bias(self) -> str:
        """The second bias: 'none' exists, it is 'trained' on both sides, or 'frozen' on the one side that has it."""
        if (self.config.impl == 'gluon') != self.layer:
            return 'frozen'
        return 'trained' if self.layer else 'none'


@dataclass(frozen=True)
class Row:
    """The result of one pair: quantity -> largest difference. Relative: to the largest number of its array."""
    name: str
    second_bias: str
    absolute: Dict[str, float]
    relative: Dict[str, float]

    @property
    def passed(self) -> bool:
        return all(self.relative[name] <= tolerance for name, tolerance in TOLERANCES.items())

    def to_dict(self) -> Dict[str, Any]:
        return {**asdict(self), 'tolerance': TOLERANCES, 'verdict': 'equal' if self.passed else 'NOT EQUAL'}


def pairs(size: Size) -> List[Pair]:
    """Every network in every implementation, with each form that PyTorch has of it."""
    found = []
    shapes: Dict[str, Dict[str, Any]] = {
        '': {}, '2 layers': {'num_layers': 2}, 'bidirectional': {'bidirectional': True},
        'bidirectional, unequal': {'bidirectional': True, 'backward_hiddens': size.num_hiddens * 60 // 100},
        '2 bidirectional layers': {'num_layers': 2, 'bidirectional': True},
        '2 residual layers': {'num_layers': 2, 'residual': True}}
    kinds: Dict[str, Dict[str, Any]] = {
        'RNN tanh': {'cell': 'rnn'}, 'RNN relu': {'cell': 'rnn', 'activation': 'relu'},
        'RNN sigmoid': {'cell': 'rnn', 'activation': 'sigmoid'}, 'GRU of the book': {'cell': 'gru', 'reset_after': False},
        'GRU reset after': {'cell': 'gru', 'reset_after': True}, 'LSTM': {'cell': 'lstm'}}
    for kind, shape, impl, layer in itertools.product(kinds, shapes, IMPLS, (False, True)):
        if kind == 'GRU of the book' and (impl == 'gluon' or layer):
            continue        # a layer resets after the product, which is another network: `differences.gru_form`
        if kind == 'RNN sigmoid' and layer:
            continue        # torch.nn has none
        if kind != 'RNN sigmoid' and impl == 'gluon' and not layer:
            continue        # layer against layer is the closer look
        name = ', '.join(filter(None, (kind, shape)))
        config = ModelConfig(vocab_size=size.vocab_size, num_hiddens=size.num_hiddens, impl=impl, **kinds[kind], **shapes[shape])
        found.append(Pair(f'{name} | {impl} | {"torch.nn" if layer else "by hand"}', config, layer))
    return found


def compare_pair(pair: Pair, size: Size) -> Row:
    """Compare one network with its twin."""
    model = build_model(pair.config)
    if pair.second_bias == 'frozen':
        freeze_biases(model.network)
    randomize(model, np.random.default_rng(size.seed))
    twin = to_torch(model, layer=pair.layer)
    if pair.second_bias == 'frozen':
        freeze_second_bias(twin)
    return measure_pair(pair.name, pair.second_bias, model, twin, size)


def measure_pair(name: str, second_bias: str, model: LanguageModel, twin: Any, size: Size) -> Row:
    """All differences between a model and its twin."""
    lockstep = Lockstep(model, twin, lr=LR, clipping_theta=CLIPPING_THETA)
    (first, _), second, *others = drawn_batches(size)
    lockstep.start(size.batch_size)
    with torch.no_grad():
        state = [model(nd.array(first), lockstep.here.states[0])[1], twin(torch.from_numpy(first), lockstep.there.state)[1]]
    (logits, last), (twin_logits, twin_last) = gradients(model, twin, state, second)
    found = {'logits': largest([logits.asnumpy()], [twin_logits.detach().numpy()]),
             'states': largest(flat_states(last), flat_states(twin_last))}
    here = {key: value.grad.asnumpy() for key, value in model.parameters().items()}
    there = carried_back({key: torch.zeros_like(value) if value.grad is None else value.grad
                          for key, value in twin.named_parameters()}, model.config)
    found['gradients'] = largest(here.values(), (there[key] for key in here))

    found['losses'] = largest(*zip(*(lockstep.step(X, Y) for X, Y in others)))
    weights = {key: value.asnumpy() for key, value in weights_of(model).items()}
    there = carried_back(twin.state_dict(), model.config)
    found['weights'] = largest(weights.values(), (there[key] for key in weights))
    return Row(name, second_bias, {key: a for key, (a, _) in found.items()}, {key: r for key, (_, r) in found.items()})


def drawn_batches(size: Size) -> List[Any]:
    """Batches out of random characters: two for the gradients, the others to train on."""
    length = size.batch_size * (size.num_steps * (size.lockstep + 2) + 1)
    text = np.random.default_rng(size.seed).integers(0, size.vocab_size, length)
    return list(batches(text, size.batch_size, size.num_steps))


def largest(here: Iterable[np.ndarray], there: Iterable[np.ndarray]) -> Tuple[float, float]:
    """The largest over all arrays of max|a - b|, and of max|a - b| / max|b|."""
    absolute, relative = zip(*(difference(a, b) for a, b in zip(here, there)))
    return max(absolute), max(relative)


def difference(a: np.ndarray, b: np.ndarray) -> Tuple[float, float]:
    """max|a - b|, and that divided by max|b|; nan counts as infinitely far apart."""
    apart, largest = float(np.abs(a.astype(np.float64) - b).max()), float(np.abs(b).max())
    if not np.isfinite(apart):
        return float('inf'), float('inf')
    return apart, apart / largest if largest else (0.0 if apart == 0 else float('inf'))


def randomize(model: LanguageModel, rng: np.random.Generator, scale: float = SCALE) -> None:
    """New weights and biases, normal with standard deviation scale / sqrt(num_hiddens): far larger than the book's 0.01."""
    sigma = scale * model.config.num_hiddens ** -0.5
    for array in model.parameters().values():
        array[:] = rng.normal(scale=sigma, size=array.shape)


def freeze_biases(network: Network) -> None:
    """`freeze_second_bias` of every Gluon layer in a network."""
    if isinstance(network, GluonLayer):
        network.freeze_second_bias()
    elif isinstance(network, Composite):
        for part in network.parts.values():
            freeze_biases(part)
