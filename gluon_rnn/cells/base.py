"""The contract of every recurrent network here, in any implementation."""
from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

import mxnet as mx
import numpy as np
from mxnet import nd

from .lengths import Lengths, check_lengths, run_rows
from .ops import Inputs, State

BookParams = Dict[str, np.ndarray]


class Weighted:
    """A part of a model: arrays that are trained, and their form under the book's names."""

    def parameters(self) -> Dict[str, nd.NDArray]:
        """The arrays that are trained, with gradients attached, by name."""
        raise NotImplementedError

    def book_params(self) -> BookParams:
        """All weights under the book's names and in its layout, the form in which implementations exchange them."""
        return {name: value.asnumpy() for name, value in self.parameters().items()}

    def load_book_params(self, params: BookParams) -> None:
        """Take over weights from `book_params()` of another implementation of the same. ValueError for a wrong key or shape."""
        load_weights(self.parameters(), params)


class Network(Weighted):
    """A recurrent network without its output layer.

    num_inputs, num_outputs: columns of what goes in and out; num_states: arrays in a state; ctx: where it lives.
    """
    num_inputs: int
    num_outputs: int
    num_states: int
    ctx: Any

    def state_shapes(self, batch_size: int) -> List[Tuple[int, ...]]:
        """The shape of each array in a state."""
        raise NotImplementedError

    def begin_state(self, batch_size: int) -> State:
        """The state before the first step: zeros."""
        return tuple(nd.zeros(shape, ctx=self.ctx) for shape in self.state_shapes(batch_size))

    def __call__(self, inputs: Inputs, state: State, lengths: Lengths | None = None) -> Tuple[nd.NDArray, State]:
        """inputs (num_steps, batch_size, num_inputs) -> outputs (num_steps, batch_size, num_outputs), the last state.

        lengths: how many steps of each row are real, the rest of it being padding that is never read; None: all. Outputs past
        a row's length are zero, and its last state is the one after its last real step (`lengths.py`).
        Raises ValueError for inputs, a state or lengths that do not fit.
        """
        state = check_state(self, state, inputs.shape[1])
        if inputs.shape[2] != self.num_inputs:
            raise ValueError(f'inputs must have {self.num_inputs} columns, got shape {inputs.shape}')
        if lengths is None:
            return self.run(inputs, state)
        lengths = check_lengths(lengths, *inputs.shape[:2])
        if (lengths == inputs.shape[0]).all():
            return self.run(inputs, state)
        return self.run_lengths(inputs, state, lengths)

    def run(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """The network itself, over sequences of one length."""
        raise NotImplementedError

    def run_lengths(self, inputs: Inputs, state: State, lengths: np.ndarray) -> Tuple[nd.NDArray, State]:
        """Run each row to its own length. This serves any network that reads from the beginning only."""
        return run_rows(self.run, inputs, state, lengths)

    def carry(self, state: State) -> State:
        """The part of the state carried to the next batch: all of it, except for a direction that runs from the end."""
        return state


class Twin(Network):
    """Another way to compute a network, whose parameters and states it shares."""

    def __init__(self, network: Any):
        self.network, self.ctx = network, network.ctx
        self.num_inputs, self.num_outputs, self.num_states = network.num_inputs, network.num_outputs, network.num_states

    def parameters(self) -> Dict[str, nd.NDArray]:
        return self.network.parameters()

    def state_shapes(self, batch_size: int) -> List[Tuple[int, ...]]:
        return self.network.state_shapes(batch_size)

    def carry(self, state: State) -> State:
        return self.network.carry(state)


class Composite(Network):
    """A network made of named parts; their parameters carry the part's name before their own."""

    def __init__(self, parts: Dict[str, Network]):
        self.parts = parts
        self.ctx = next(iter(parts.values())).ctx
        self.num_states = sum(part.num_states for part in parts.values())

    def parameters(self) -> Dict[str, nd.NDArray]:
        return {f'{name}.{key}': value for name, part in self.parts.items() for key, value in part.parameters().items()}

    def state_shapes(self, batch_size: int) -> List[Tuple[int, ...]]:
        return [shape for part in self.parts.values() for shape in part.state_shapes(batch_size)]

    def split_state(self, state: State) -> Dict[str, State]:
        """Each part's own piece of the state."""
        pieces, start = {}, 0
        for name, part in self.parts.items():
            pieces[name] = tuple(state[start:start + part.num_states])
            start += part.num_states
        return pieces

    def carry(self, state: State) -> State:
        states = self.split_state(state)
        return tuple(array for name, part in self.parts.items() for array in part.carry(states[name]))

    def book_params(self) -> BookParams:
        return {f'{name}.{key}': value for name, part in self.parts.items() for key, value in part.book_params().items()}

    def load_book_params(self, params: BookParams) -> None:
        extra = sorted(key for key in params if key.partition('.')[0] not in self.parts)
        if extra:
            raise ValueError(f'the weights belong to another network: unexpected {extra}')
        for name, part in self.parts.items():
            try:
                part.load_book_params({key[len(name) + 1:]: value for key, value in params.items()
                                       if key.startswith(f'{name}.')})
            except ValueError as error:
                raise ValueError(f'in {name}: {error}') from None


def check_state(network: Network, state: Any, batch_size: int) -> State:
    """The state as a tuple. Raises ValueError if it does not fit: one of a single row would be handed to all rows of a batch."""
    wanted = network.state_shapes(batch_size)
    if isinstance(state, (tuple, list)):
        state = [s.as_nd_ndarray() if isinstance(s, mx.np.ndarray) else s for s in state]
    fits = isinstance(state, list) and all(isinstance(s, nd.NDArray) for s in state)
    if not fits or [s.shape for s in state] != wanted:
        got = [s.shape for s in state] if fits else type(state).__name__
        raise ValueError(f'state must be a tuple of arrays of shapes {wanted}, got {got}: begin a new one for this batch by '
                         f'begin_state({batch_size})')
    for s in state:
        if s.dtype != np.float32 or s.context != network.ctx:
            raise ValueError(f'state must be float32 on {network.ctx}, got {np.dtype(s.dtype).name} on {s.context}')
    return tuple(state)


def load_weights(parameters: Dict[str, nd.NDArray], values: BookParams) -> None:
    """Write `values` into `parameters`, all or none. Raises ValueError that names a wrong key or shape."""
    check_weights(parameters, values)
    for name, parameter in parameters.items():
        parameter[:] = values[name]


def check_weights(wanted: Mapping[str, Any], values: BookParams) -> None:
    """Raise ValueError that names a wrong key or shape, unless `values` has the names and shapes of the arrays in `wanted`."""
    missing, extra = sorted(wanted.keys() - values.keys()), sorted(values.keys() - wanted.keys())
    if missing or extra:
        raise ValueError(f'the weights belong to another network: missing {missing or "none"}, unexpected {extra or "none"}')
    for name, array in wanted.items():
        if array.shape != values[name].shape:
            raise ValueError(f'{name} must have shape {array.shape}, got {values[name].shape}')
