"""The bidirectional recurrent network, section 6.10."""
from __future__ import annotations

from typing import Tuple

from mxnet import nd

from .network import Composite, Network
from .ops import Inputs, State, reverse


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

    def __call__(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        states = self.split_state(state)
        H_forward, last = self.parts['forward'](inputs, states['forward'])
        H_backward, first = self.parts['backward'](reverse(inputs), states['backward'])
        return nd.concat(H_forward, reverse(H_backward), dim=2), last + first

    def carry(self, state: State) -> State:
        states = self.split_state(state)
        return self.parts['forward'].carry(states['forward']) + tuple(s.zeros_like() for s in states['backward'])


class BothForward(BiRNN):
    """A mistake that has been published as a bidirectional network: both directions read from the beginning.

    Not section 6.10's network but two networks side by side, of which neither sees the answer. Kept to show the difference.
    """

    def __call__(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        states = self.split_state(state)
        H_forward, last = self.parts['forward'](inputs, states['forward'])
        H_second, last_second = self.parts['backward'](inputs, states['backward'])
        return nd.concat(H_forward, H_second, dim=2), last + last_second

    def carry(self, state: State) -> State:
        return Composite.carry(self, state)
