"""The hand-written networks made fast: the walk over the steps as two compiled graphs, forward and backward.

A network here derives from its Scratch version, whose parameters and numbers it keeps, and says in symbols one step and the
gradient of one step. `Hybrid` unrolls them over a batch, compiles them once for each shape, and puts them between
whatever autograd records before and after them. `docs/performance.md` says what each of this wins.
"""
from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Sequence, Tuple

from mxnet import autograd, nd, sym
from mxnet.symbol import _internal

from .function import Function
from .ops import Inputs, State, project
from .scratch import Scratch

Sym = Any                       # an mx.sym.Symbol
Named = SimpleNamespace         # symbols by name
Times = Callable[[Sym, str], Sym]
_GRAPHS_KEPT = 8                # of each layer: one for each num_steps and batch_size met lately


class Hybrid(Scratch):
    """A recurrent layer whose steps run as compiled graphs, with back-propagation through time written by hand.

    gates: each has W_x, W_h and b. kept: what `forward_step` leaves for the gradient, the state among it.
    """
    gates: Tuple[str, ...]
    kept: Tuple[str, ...]

    def forward_step(self, X: Named, state: Named, times: Times) -> Named:
        """One step. X.z is gate z's X W_xz; `times(H, 'z')` is H W_hz + b_z. Returns all that is `kept`."""
        raise NotImplementedError

    def slopes(self, kept: Named, before: Named) -> Named:
        """What of the gradient waits for no other step, for all steps at once; before.H is H_{t-1}."""
        raise NotImplementedError

    def backward_step(self, grad: Named, slope: Named, times: Times) -> Tuple[Named, Named]:
        """The gradient of one step; grad.H is that of the H after it, `times(dZ, 'z')` is dZ W_hz^T.

        Returns the gradient of what stands inside each gate's activation, and that of the state before as lists of terms.
        """
        raise NotImplementedError

    def hidden_products(self, kept: Named, before: Named, grad: Named) -> Dict[str, Tuple[Sym, Sym]]:
        """For each gate, over all steps: what stands left of W_h, and the gradient of that product."""
        return {gate: (before.H, getattr(grad, gate)) for gate in self.gates}

    def inner_biases(self) -> Dict[str, str]:
        """Which bias is added to which gate's product with W_h."""
        return {gate: f'b_{gate}' for gate in self.gates}

    def outer_biases(self) -> Dict[str, str]:
        """Which bias is added to which gate's product with W_x instead, where there is a difference."""
        return {}

    def run(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """Run over all steps. Returns the hidden state of each, and the last state."""
        num_steps, batch_size, _ = inputs.shape
        self.check_state(state, batch_size)
        products = [project(inputs, self.params[f'W_x{gate}']) for gate in self.gates]
        graphs = self.graphs(num_steps, batch_size)
        arrays = [*products, *state, *(self.params[name] for name in graphs.weights)]
        H, *last = Steps(graphs)(*arrays) if autograd.is_recording() else graphs.predict(*arrays)
        return H.reshape((num_steps, batch_size, self.num_hiddens)), tuple(last)

    def symbol_step(self, product: Callable[[str], Sym], state: List[Sym], W: Dict[str, Sym]) -> Tuple[Sym, List[Sym]]:
        """One step alone in symbols. Returns H and the new state.

        product(gate) is X W_x of that gate; W: the other weights, each W_h transposed.
        """
        inner, outer = self.inner_biases(), self.outer_biases()

        def times(H: Sym, gate: str) -> Sym:
            return _linear(H, W[f'W_h{gate}'], W.get(inner.get(gate, '')), self.num_hiddens)

        X = Named(**{gate: _add(product(gate), W.get(outer.get(gate, ''))) for gate in self.gates})
        now = self.forward_step(X, Named(**dict(zip(self.state_names, state))), times)
        return now.H, [getattr(now, name) for name in self.state_names]

    @functools.cached_property
    def graphs(self) -> Callable[[int, int], Graphs]:
        """graphs(num_steps, batch_size): those for this shape, built where it is new."""
        return functools.lru_cache(_GRAPHS_KEPT)(functools.partial(Graphs, self))


class Steps(Function):
    """All steps of a batch as one entry in autograd's record."""

    def __init__(self, graphs: Graphs):
        self.graphs, self.gradient = graphs, graphs.backward        # built here, not in the thread that MXNet calls back from

    def forward(self, inputs: Sequence[nd.NDArray]) -> List[nd.NDArray]:
        outputs = self.graphs.forward(*inputs)
        num_outputs, num_products, num_states = 1 + self.graphs.num_states, self.graphs.num_products, self.graphs.num_states
        # copies of the state, which is the caller's, who may write to it before the gradient is asked for
        states = [state.copy() for state in inputs[num_products:num_products + num_states]]
        self.saved = [outputs[0].detach(), *outputs[num_outputs:], *states]
        return outputs[:num_outputs]

    def backward(self, output_grads: List[nd.NDArray], out: List[nd.NDArray]) -> None:
        # The operators of one thread share their workspaces. If one here had to wait for its forward pass, those of an earlier
        # backward pass, for which that forward pass may be waiting, would stand behind it for ever.
        for array in self.saved:
            array.wait_to_read()
        self.gradient(*output_grads, *self.saved, out=out)


class Graphs:
    """The compiled graphs of a layer for one shape.

    forward: products, state, weights -> H of all steps, last state, all else that is kept, copies of all W_h
    predict: the same, and nothing is kept
    backward: gradients of H and last state, all that is kept, W_h, state -> those of forward's arguments; built when wanted

    The copies are for the engine's sake: it runs backward after the optimizer's step on the weights has been queued, which
    waits for the gradients, so that backward must not wait for the weights.
    """

    def __init__(self, layer: Hybrid, num_steps: int, batch_size: int):
        self.layer, self.num_steps, self.batch_size = layer, num_steps, batch_size
        self.num_products, self.num_states = len(layer.gates), layer.num_states
        self.inner, self.outer = layer.inner_biases(), layer.outer_biases()
        self.weights = [f'W_h{gate}' for gate in layer.gates] + [*self.inner.values(), *self.outer.values()]
        self.state = {name: sym.var(f'before_{name}') for name in layer.state_names}
        self.W = {name: sym.var(name) for name in self.weights}
        self._build_forward()

    def _build_forward(self) -> None:
        layer = self.layer
        products = {gate: sym.var(f'X_{gate}') for gate in layer.gates}
        W_T = {gate: sym.transpose(self.W[f'W_h{gate}']) for gate in layer.gates}

        def times(H: Sym, gate: str) -> Sym:
            b = self.W.get(self.inner.get(gate, ''))
            if self.num_steps == 1:     # a transposed weight pays over many steps only
                return _add(sym.dot(H, self.W[f'W_h{gate}']), b)
            return _linear(H, W_T[gate], b, layer.num_hiddens)

        X = {gate: self._split(_add(rows, self.W.get(self.outer.get(gate, '')))) for gate, rows in products.items()}
        now, walk = Named(**self.state), []
        for t in range(self.num_steps):
            now = layer.forward_step(Named(**{gate: X[gate][t] for gate in layer.gates}), now, times)
            walk.append(now)
        H, *others = (_join([getattr(step, name) for step in walk]) for name in ('H', *self._others()))
        arguments = [*products.values(), *self.state.values(), *self.W.values()]
        outputs = [H] + [getattr(now, name) for name in layer.state_names]
        copies = [sym.identity(self.W[f'W_h{gate}']) for gate in layer.gates]
        self.predict, self.forward = Compiled(outputs, arguments), Compiled(outputs + others + copies, arguments)

    @functools.cached_property
    def backward(self) -> Compiled:
        layer, names = self.layer, self.layer.state_names
        grad_H, last = sym.var('grad_H'), {name: sym.var(f'last_{name}') for name in names}
        kept = Named(**{name: sym.var(f'kept_{name}') for name in ('H', *self._others())})
        before = Named(**{name: self._shift(self.state[name], getattr(kept, name)) for name in names})

        def times(grad: Sym, gate: str) -> Sym:
            return _linear(grad, self.W[f'W_h{gate}'], None, layer.num_hiddens)

        walk: List[Named] = []
        slopes = {name: self._split(slope) for name, slope in vars(layer.slopes(kept, before)).items()}
        grads_H, terms = self._split(grad_H), Named(**{name: [grad] for name, grad in last.items()})
        for t in reversed(range(self.num_steps)):
            terms.H.append(grads_H[t])
            after = Named(**{name: sym.add_n(*getattr(terms, name)) for name in names})
            grad, terms = layer.backward_step(after, Named(**{name: slope[t] for name, slope in slopes.items()}), times)
            walk.insert(0, grad)
        grads = Named(**{gate: _join([getattr(step, gate) for step in walk]) for gate in layer.gates})

        hidden, ones = layer.hidden_products(kept, before, grads), sym.ones((1, self.num_steps * self.batch_size))
        summed = {**{bias: hidden[gate][1] for gate, bias in self.inner.items()},
                  **{bias: getattr(grads, gate) for gate, bias in self.outer.items()}}
        outputs = [*vars(grads).values()] + [sym.add_n(*getattr(terms, name)) for name in names]
        outputs += [sym.dot(*hidden[gate], transpose_a=True) for gate in layer.gates]
        # a product with a row of ones sums over the rows many times faster than MXNet's `sum`
        outputs += [sym.dot(ones, summed[bias]).reshape((-1,)) for bias in [*self.inner.values(), *self.outer.values()]]
        weights = [self.W[f'W_h{gate}'] for gate in layer.gates]
        return Compiled(outputs, [grad_H, *last.values(), *vars(kept).values(), *weights, *self.state.values()])

    def _others(self) -> List[str]:
        return [name for name in self.layer.kept if name != 'H']

    def _split(self, rows: Sym) -> List[Sym]:
        return [rows] if self.num_steps == 1 else list(sym.split(rows, num_outputs=self.num_steps, axis=0))

    def _shift(self, first: Sym, kept: Sym) -> Sym:
        """What was there before each step: the state before the first, then what was kept of all but the last."""
        if self.num_steps == 1:
            return first
        return sym.concat(first, sym.slice_axis(kept, axis=0, begin=0, end=(self.num_steps - 1) * self.batch_size), dim=0)


class Compiled:
    """outputs as a function of arguments, planned once and then run without Python."""

    def __init__(self, outputs: List[Sym], arguments: List[Sym]):
        graph, names = sym.Group(outputs), [argument.name for argument in arguments]
        self.used = [names.index(name) for name in graph.list_arguments()]
        flags = [('static_alloc', True), ('static_shape', True), ('data_indices', tuple(range(len(self.used))))]
        self.op = nd.CachedOp(graph, flags)

    def __call__(self, *arrays: nd.NDArray, out: Any = None) -> List[nd.NDArray]:
        return self.op(*(arrays[i] for i in self.used), out=out)


def _linear(X: Sym, W_T: Sym, b: Sym | None, num_hiddens: int) -> Sym:
    """X W + b, from W transposed."""
    return sym.FullyConnected(X, W_T, b, num_hidden=num_hiddens, no_bias=b is None)


def _add(rows: Sym, b: Sym | None) -> Sym:
    return rows if b is None else sym.broadcast_add(rows, b.reshape((1, -1)))


def _join(steps: List[Sym]) -> Sym:
    return steps[0] if len(steps) == 1 else sym.concat(*steps, dim=0)


def sigmoid(X: Sym) -> Sym:
    return sym.Activation(X, act_type='sigmoid')


def tanh(X: Sym) -> Sym:
    return sym.Activation(X, act_type='tanh')


def relu(X: Sym) -> Sym:
    return sym.Activation(X, act_type='relu')


ACTIVATIONS = {'tanh': tanh, 'relu': relu, 'sigmoid': sigmoid}
# grad and what the activation returned -> grad times its derivative there, in one operator
GRADIENTS = {'tanh': _internal._backward_tanh, 'relu': _internal._backward_relu, 'sigmoid': _internal._backward_sigmoid}
