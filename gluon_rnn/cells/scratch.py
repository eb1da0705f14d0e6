"""The base of the hand-written networks: parameters with gradients attached, and the walk over the steps."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

import mxnet as mx
from mxnet import nd

from .base import Network
from .ops import Inputs, State, stack, steps

SIGMA = 0.01        # the standard deviation of new weights, as in the book


class Scratch(Network):
    """A recurrent layer written by hand: `step` holds its equations, everything else is here.

    inputs are (num_steps, batch_size, num_inputs), outputs (num_steps, batch_size, num_hiddens), a state is a tuple of
    (batch_size, num_hiddens), one for each of `state_names`.
    """
    state_names: Tuple[str, ...] = ('H',)

    def __init__(self, num_inputs: int, num_hiddens: int, *, ctx: Any = None):
        if num_inputs < 1 or num_hiddens < 1:
            raise ValueError(f'num_inputs and num_hiddens must be 1 or more, got {num_inputs} and {num_hiddens}')
        self.num_inputs, self.num_hiddens, self.ctx = num_inputs, num_hiddens, ctx or mx.cpu()
        self.num_outputs, self.num_states = num_hiddens, len(self.state_names)
        self.params: Dict[str, nd.NDArray] = {}

    def gate(self, name: str) -> Tuple[nd.NDArray, nd.NDArray, nd.NDArray]:
        """New parameters of one gate: W_x (num_inputs, num_hiddens), W_h (num_hiddens, num_hiddens) and b (num_hiddens,)."""
        return (self.parameter(f'W_x{name}', weight((self.num_inputs, self.num_hiddens), self.ctx)),
                self.parameter(f'W_h{name}', weight((self.num_hiddens, self.num_hiddens), self.ctx)),
                self.parameter(f'b_{name}', nd.zeros(self.num_hiddens, ctx=self.ctx)))

    def parameter(self, name: str, value: nd.NDArray) -> nd.NDArray:
        value.attach_grad()
        self.params[name] = value
        return value

    def parameters(self) -> Dict[str, nd.NDArray]:
        return dict(self.params)

    def state_shapes(self, batch_size: int) -> List[Tuple[int, ...]]:
        return [(batch_size, self.num_hiddens)] * len(self.state_names)

    def step(self, X: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """One step's equations. X: (batch_size, num_inputs); returns H, (batch_size, num_hiddens), and the new state.

        Where inputs are one-hot, X is a `OneHot`: `dot` takes it, and `X.dense()` is what `nd.dot` takes.
        """
        raise NotImplementedError

    def run(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """Run over all steps. Returns the hidden state of each, and the last state."""
        outputs = []
        for X in steps(inputs):
            H, state = self.step(X, state)
            outputs.append(H)
        return stack(outputs), state


def weight(shape: Tuple[int, ...], ctx: Any) -> nd.NDArray:
    """A new weight, drawn from N(0, 0.01) as the book draws it."""
    return nd.random.normal(scale=SIGMA, shape=shape, ctx=ctx)
