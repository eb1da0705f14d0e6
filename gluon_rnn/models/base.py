"""The base of language model and classifier: a recurrent network with an output layer on top."""
from __future__ import annotations

import dataclasses
import math
import re
from typing import Any, Dict, List, Sequence, Tuple, TypeVar

import mxnet as mx
import numpy as np
from mxnet import nd

from ..cells.base import BookParams, Network, Weighted, load_weights
from ..cells.build import NetworkConfig, build_network
from ..cells.embedding import Embedding
from ..cells.ops import State
from ..cells.output_layer import GluonOutputLayer, OutputLayer
from ..cells.weights import GATES
from ..corpora.indices import to_numpy
from ..corpora.tokens import Vocabulary
from ..tables import Table, markdown_lines

C = TypeVar('C', bound=NetworkConfig)


def _rebuild(kind: Any, config: Any, device: Tuple[str, int], weights: BookParams, idx_to_char: Sequence[str]) -> Any:
    model = kind.build(config, mx.Context(*device))
    if model.parameters().keys() - weights.keys() and hasattr(model.network, 'freeze_second_bias'):
        model.network.freeze_second_bias()
    load_weights(model.parameters(), weights)
    model.idx_to_char = idx_to_char or Vocabulary()
    return model


def model_table(model: Model) -> str:
    """Layers, how many columns each reads and gives, and its parameters."""
    config, embedding = model.config, model.embedding
    of_layer: Dict[str, List[Tuple[str, nd.NDArray]]] = {}
    for name, param in model.network.parameters().items():
        place = re.match(r'(?:.*\.)?(?:[lr]\d+_)?', name)[0].strip('._')      # type: ignore[index]
        of_layer.setdefault(place, []).append((name, param))
    rows = [('embedding', *embedding.W_e.shape, embedding.W_e.size)] if embedding else []
    for place, own in of_layer.items():
        name, first = own[0]
        backward = 'backward' in place.split('.') or place.rpartition('.')[2].startswith('r')
        gives = config.backward_hiddens or config.num_hiddens if backward else config.num_hiddens
        rows.append((f'{config.cell} {place}'.strip(), first.shape[1 if name.endswith('weight') else 0], gives,
                     sum(param.size for _, param in own)))
    output = sorted(model.output.parameters().values(), key=lambda param: -param.ndim)
    rows.append(('output', model.network.num_outputs, output[1].size, sum(param.size for param in output)))
    rows.append(('in all', None, None, model.num_parameters()))
    table = Table(('', ''), ('layer', 'reads', 'gives', 'parameters'), rows)
    return '\n'.join([f'{type(model).__name__} ({config.impl}) on {model.ctx}', *markdown_lines(table)])


class Model(Weighted):
    """A network and its output layer, under the trainer's contract but for the call itself.

    It is pickled and copied as its settings and weights. A copy has gradients of its own; making it draws random numbers, as
    making any model does.
    """

    made_by: str        # the script that trains it
    idx_to_char: Sequence[str] = Vocabulary()       # of its answers, once it is known

    def __init__(self, config: Any, network: Network, output: Any, embedding: Embedding | None = None):
        self.config, self.network, self.output, self.embedding, self.ctx = config, network, output, embedding, network.ctx
        self.parts: List[Weighted] = [network, output, *([embedding] if embedding else [])]

    @staticmethod
    def build(config: Any, ctx: Any = None) -> Any:
        """The model that `config` describes, its weights newly drawn, on ctx (the CPU unless said)."""
        raise NotImplementedError

    def __reduce__(self) -> Tuple[Any, ...]:
        weights = {name: param.asnumpy() for name, param in self.parameters().items()}
        device = self.ctx.device_type, self.ctx.device_id
        return _rebuild, (type(self), self.config, device, weights, self.idx_to_char)

    def __repr__(self) -> str:
        return model_table(self)

    def num_parameters(self) -> int:
        """How many numbers are trained."""
        return sum(param.size for param in self.parameters().values())

    def begin_state(self, batch_size: int, ctx: Any = None) -> State:
        """The state before the first step: zeros. ctx: None or the model's own."""
        if ctx is not None and ctx != self.ctx:
            raise ValueError(f'the model lives on {self.ctx}, a state on {ctx} does not fit it')
        return self.network.begin_state(batch_size)

    def parameters(self) -> Dict[str, nd.NDArray]:
        return {name: param for part in self.parts for name, param in part.parameters().items()}

    def book_params(self) -> BookParams:
        return {name: value for part in self.parts for name, value in part.book_params().items()}

    def load_book_params(self, params: BookParams) -> None:
        owner = {'W_hq': self.output, 'b_q': self.output, 'W_e': self.embedding or self.network}
        for part in reversed(self.parts):       # all else is the network's, which tells what it does not know
            part.load_book_params({name: value for name, value in params.items() if owner.get(name, self.network) is part})


def redraw_uniform(model: Any) -> None:
    """Draw the weights of a new model again as PyTorch draws them: uniform within ±1/√n, biases too.

    n: the hidden units of a layer; of the output layer, those that it reads. Where PyTorch has two biases, b is their sum.
    """
    def draw(name: str, value: np.ndarray) -> np.ndarray:
        last = name.rpartition('.')[2]
        n = model.network.num_outputs if last in ('W_hq', 'b_q') else value.shape[-1]
        limit = n ** -0.5
        draws = [nd.random.uniform(-limit, limit, value.shape).asnumpy() for _ in range(1 + (value.ndim == 1 and last != 'b_q'))]
        return np.sum(draws, axis=0)
    model.load_book_params({name: draw(name, value) for name, value in model.book_params().items()})


def check_matrix(X: Any, name: str, axes: int = 2, ctx: Any = None) -> nd.NDArray:
    """X as an NDArray: one as it is; a list or an array of NumPy or `mx.np` on `ctx`. ValueError unless it has that many axes."""
    if isinstance(X, mx.np.ndarray):
        X = X.as_nd_ndarray()
    elif not isinstance(X, nd.NDArray):
        numbers = to_numpy(X)
        if numbers.dtype.kind not in 'iufb':
            raise ValueError(f'{name} must be numbers on {axes} axes, got {type(X).__name__} of {numbers.dtype}')
        X = nd.array(numbers, ctx=ctx, dtype='float32')
    if X.ndim != axes:
        raise ValueError(f'{name} must have {axes} axes, got shape {X.shape}')
    return X


def count_parameters(config: NetworkConfig, num_inputs: int, num_outputs: int) -> int:
    """The number of parameters of an RNN, GRU or LSTM and its output layer, without building them."""
    gates, biases = len(GATES[config.cell]), 2 if config.impl == 'gluon' else 1
    directions = [config.num_hiddens, *([config.backward_hiddens or config.num_hiddens] if config.bidirectional else [])]
    total = 0
    for _ in range(config.num_layers):
        total += sum(gates * n * (num_inputs + n + biases) for n in directions)
        num_inputs = sum(directions)
    return total + (num_inputs + 1) * num_outputs


def with_parameters(config: C, number: int, num_inputs: int, num_outputs: int) -> C:
    """The network with the number of hidden units that brings it nearest to so many parameters, its output layer among them."""
    hiddens = range(1, 2 + math.isqrt(number))      # more than their squares there cannot be
    return min((dataclasses.replace(config, num_hiddens=n) for n in hiddens),
               key=lambda wider: abs(count_parameters(wider, num_inputs, num_outputs) - number))


def build_parts(config: NetworkConfig, num_inputs: int, num_outputs: int, ctx: Any = None) -> Tuple[Network, Any]:
    """The network that `config` describes and an output layer for it, newly drawn, on ctx (the CPU unless said).

    Raises ValueError if its implementation does not run there.
    """
    ctx = ctx or mx.cpu()
    if config.impl != 'numba':
        network = build_network(config, num_inputs, ctx)
        kind: Any = GluonOutputLayer if config.impl == 'gluon' else OutputLayer
    else:
        try:
            from .numba import NumbaNetwork  # Numba loads with the first network that needs it
            from .numba_output import NumbaOutputLayer
        except ImportError as error:
            raise ValueError(f'impl numba does not run here ({error})') from None
        network = NumbaNetwork(build_network(dataclasses.replace(config, impl='scratch'), num_inputs, ctx))
        kind = NumbaOutputLayer
    return network, kind(network.num_outputs, num_outputs, ctx=ctx)
