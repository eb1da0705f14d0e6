"""The bidirectional recurrent network, section 6.10."""
from __future__ import annotations

from typing import Tuple

import numpy as np
from mxnet import nd

from .base import Composite, Network
from .ops import Inputs, State, reverse, reverse_dense


class BiRNN(Composite):
    """Two networks over one sequence, one from its beginning and one from its end (Schuster and Paliwal, 1997).

    →H_t = φ(X_t W_xh(f) + →H_{t-1} W_hh(f) + b_h(f))       `forward`, the equations of section 6.10
    ←H_t = φ(X_t W_xh(b) + ←H_{t+1} W_hh(b) + b_h(b))       `backward`
    H_t  = [→H_t, ←H_t]                                     (batch_size, forward's + backward's num_outputs)

    The directions may differ in their number of hidden units, and may be of any network: RNN, GRU, LSTM. The state is
    forward's, after the last step, followed by backward's, after the first step.
    """

    def __init__(self, forward: Network, backward: Network):
        super().__init__({'forward': forward, 'backward': backward})
        if forward.num_inputs != backward.num_inputs:
            raise ValueError(f'both directions must read the same inputs, got num_inputs {forward.num_inputs} and '
                             f'{backward.num_inputs}')
        self.num_inputs, self.num_outputs = forward.num_inputs, forward.num_outputs + backward.num_outputs

    def run(self, inputs: Inputs, state: State, lengths: np.ndarray | None = None) -> Tuple[nd.NDArray, State]:
        states = self.split_state(state)
        H_forward, last = self.parts['forward'](inputs, states['forward'], lengths)
        H_backward, first = self.parts['backward'](reverse(inputs, lengths), states['backward'], lengths)
        return nd.concat(H_forward, reverse_dense(H_backward, lengths), dim=2), last + first

    run_lengths = run

    def carry(self, state: State) -> State:
        states = self.split_state(state)
        return self.parts['forward'].carry(states['forward']) + tuple(
            nd.zeros(s.shape, s.context) for s in states['backward'])      # the gradient of a recorded zeros_like crashes


class BothForward(BiRNN):
    """A mistake that has been published as a bidirectional network: both directions read from the beginning.

    Not section 6.10's network but two networks side by side, of which neither sees the answer. It is here to show the difference.
    """

    def run(self, inputs: Inputs, state: State, lengths: np.ndarray | None = None) -> Tuple[nd.NDArray, State]:
        states = self.split_state(state)
        H_forward, last = self.parts['forward'](inputs, states['forward'], lengths)
        H_second, last_second = self.parts['backward'](inputs, states['backward'], lengths)
        return nd.concat(H_forward, H_second, dim=2), last + last_second

    run_lengths = run

    def carry(self, state: State) -> State:
        return Composite.carry(self, state)
