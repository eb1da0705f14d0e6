"""The base of language model and classifier: a recurrent network with an output layer on top."""
from __future__ import annotations

import dataclasses
from typing import Any, Dict, Tuple

import mxnet as mx
import numpy as np
from mxnet import nd

from ..cells.base import BookParams, Network
from ..cells.build import NetworkConfig, build_network
from ..cells.ops import State
from ..cells.output_layer import GluonOutputLayer, OutputLayer


class Model:
    """A network and its output layer, under the trainer's contract but for the call itself."""

    def __init__(self, config: Any, network: Network, output: Any):
        self.config, self.network, self.output, self.ctx = config, network, output, network.ctx

    def begin_state(self, batch_size: int, ctx: Any = None) -> State:
        """The state before the first step: zeros. ctx: None or the model's own."""
        if ctx is not None and ctx != self.ctx:
            raise ValueError(f'the model lives on {self.ctx}, a state on {ctx} does not fit it')
        return self.network.begin_state(batch_size)

    def check_state(self, state: Any, batch_size: int) -> State:
        """The state as a tuple. Raises ValueError if it is none of this model for such a batch."""
        return check_state(self.network, state, batch_size)

    def array(self, values: Any) -> nd.NDArray:
        """Numbers as an array where the model lives."""
        return nd.array(values, ctx=self.ctx)

    def parameters(self) -> Dict[str, nd.NDArray]:
        """All arrays that are trained, with gradients attached, by name."""
        return {**self.network.parameters(), **self.output.parameters()}

    def book_params(self) -> BookParams:
        """All weights under the book's names and in its layout."""
        return {**self.network.book_params(), **self.output.book_params()}

    def load_book_params(self, params: BookParams) -> None:
        """Take over weights under the book's names. Raises ValueError that names a wrong key or shape."""
        output = {name: value for name, value in params.items() if name in ('W_hq', 'b_q')}
        self.network.load_book_params({name: value for name, value in params.items() if name not in output})
        self.output.load_book_params(output)


def check_state(network: Network, state: Any, batch_size: int) -> State:
    """The state as a tuple. Raises ValueError if it is none of this network for such a batch."""
    wanted = [s.shape for s in network.begin_state(batch_size)]
    fits = isinstance(state, (tuple, list)) and all(isinstance(s, nd.NDArray) for s in state)
    if not fits or [s.shape for s in state] != wanted:
        got = [s.shape for s in state] if fits else type(state).__name__
        raise ValueError(f'state must be a tuple of arrays of shapes {wanted}, got {got}: begin a new one for this batch by '
                         f'begin_state({batch_size})')
    for s in state:
        if s.dtype != np.float32 or s.context != network.ctx:
            raise ValueError(f'state must be float32 on {network.ctx}, got {np.dtype(s.dtype).name} on {s.context}')
    return tuple(state)


def check_matrix(X: Any, name: str, axes: int = 2) -> nd.NDArray:
    """X itself. Raises ValueError unless it is an NDArray of so many axes."""
    if not isinstance(X, nd.NDArray) or X.ndim != axes:
        got = f'shape {X.shape}' if isinstance(X, nd.NDArray) else type(X).__name__
        raise ValueError(f'{name} must be an NDArray of {axes} axes, got {got}: model.array(...) makes one of numbers')
    return X


def make_network(config: NetworkConfig, num_inputs: int, ctx: Any) -> Network:
    """The network that `config` describes, newly drawn, on ctx. Raises ValueError if its implementation does not run there."""
    if config.impl != 'numba':
        return build_network(config, num_inputs, ctx)
    try:
        from .numba import NumbaNetwork  # Numba loads with the first network that needs it
    except ImportError as error:
        raise ValueError(f'impl numba is not to be had here ({error})') from None
    return NumbaNetwork(build_network(dataclasses.replace(config, impl='scratch'), num_inputs, ctx))


def build_parts(config: NetworkConfig, num_inputs: int, num_outputs: int, ctx: Any = None) -> Tuple[Network, Any]:
    """The network that `config` describes and an output layer for it, newly drawn, on ctx (the CPU unless said)."""
    ctx = ctx or mx.cpu()
    network = make_network(config, num_inputs, ctx)
    output = GluonOutputLayer if config.impl == 'gluon' else OutputLayer
    return network, output(network.num_outputs, num_outputs, ctx=ctx)
