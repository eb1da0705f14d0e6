"""Any network as an MXNet graph: what Gluon calls hybridize."""
from __future__ import annotations

import functools
from typing import Any, Callable, List, Tuple

import numpy as np
from mxnet import MXNetError, autograd, nd, sym

from .base import Network, Twin
from .fusion import elementwise
from .ops import Inputs, OneHot, State

_GRAPHS_KEPT = 8        # one for each shape met lately
Graph = Callable[..., List[nd.NDArray]]


class Hybrid(Twin):
    """A network whose steps run without Python, with its own equations, parameters and numbers.

    For each new shape `network.run` runs once, on zeros, and is recorded by autograd. The record is a graph, which MXNet compiles
    and differentiates; all calls go through it. Rows of unequal length, whose pieces have a new shape each time, do not.

    The graph has three kinds of inputs: the network's inputs, its first state and its parameters. Where a step reads another
    array, one that it makes itself from numbers, or returns one, no graph can be had, and `network.run` serves every call.
    """

    def __init__(self, network: Network):
        super().__init__(network)
        self.graph = functools.lru_cache(_GRAPHS_KEPT)(self._record)

    def run_lengths(self, inputs: Inputs, state: State, lengths: np.ndarray) -> Tuple[nd.NDArray, State]:
        return self.network.run_lengths(inputs, state, lengths)

    def run(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        X, depth = (inputs.indices, inputs.shape[2]) if isinstance(inputs, OneHot) else (inputs, None)
        graph = self.graph(depth, X.dtype, X.shape, *(s.shape for s in state))
        if graph is None:
            return self.network.run(inputs, state)
        H, *last = graph(X, *state, *self.parameters().values())
        return H, tuple(last)

    def _record(self, depth: int | None, dtype: Any, shape: Tuple[int, ...], *state_shapes: Tuple[int, ...]) -> Graph | None:
        """The graph for inputs and a state of these shapes. depth: of one-hot inputs, the shape is then that of their indices."""
        X, state = nd.zeros(shape, self.ctx, dtype), [nd.zeros(shape, self.ctx) for shape in state_shapes]
        for array in (X, *state):
            array.attach_grad()     # what needs no gradient would be a number of the graph and no input
        with autograd.record(train_mode=False):         # dropout is recorded all the same, and draws no random numbers here
            H, last = self.network.run(X if depth is None else OneHot(X, depth), tuple(state))
        try:
            outputs = [autograd.get_symbol(array) for array in (H, *last)]
        except MXNetError:
            return None
        # MXNet cannot differentiate a graph that returns an input untouched
        graph = sym.Group([sym.identity(out) if out.get_children() is None else out for out in outputs])
        arrays = [X, *state, *self.parameters().values()]
        names = [autograd.get_symbol(array).name for array in arrays]
        if not set(graph.list_arguments()) <= set(names):
            return None
        if self.ctx.device_type == 'gpu':
            graph = elementwise(graph, {name: array.shape for name, array in zip(names, arrays)})
        used = [names.index(name) for name in graph.list_arguments()]
        op = nd.CachedOp(graph, [('static_alloc', True), ('static_shape', True), ('data_indices', tuple(range(len(used))))])
        return lambda *arrays: op(*(arrays[i] for i in used))
