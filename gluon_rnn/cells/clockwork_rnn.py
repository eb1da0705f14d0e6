"""The Clockwork RNN: hidden units in groups, each with a clock of its own."""
from __future__ import annotations

import math
from typing import Any, List, Sequence, Tuple

from mxnet import nd

from .ops import Inputs, State, dot, tanh
from .scratch import Scratch, weight

PERIODS = (1, 2, 4, 8)
_MOST_STEPS = 2 ** 24       # up to here a float32 counts exactly


class ClockworkRNN(Scratch):
    """The Clockwork RNN (Koutník, Greff, Gomez and Schmidhuber, 2014), by hand; Gluon has none.

    The hidden units form g groups of equal size; group k has the period T_k, T_1 < T_2 < … At step t only the groups with
    t mod T_k = 0 are due, equations (1) and (2) of the paper with one matrix for each row of its block-triangular W_H:

        H_t,k = tanh(X_t W_xk + [H_{t-1},k … H_{t-1},g] W_hk + b_k)        where k is due
        H_t,k = H_{t-1},k                                                    else

    so slower groups feed faster ones and never the other way. periods: one for each group, in any order; they are sorted. The
    paper leaves out b_k. The state is (H, t): the hidden units, fastest group first, and the steps that each row has read,
    modulo the least common multiple of the periods, (batch_size, 1).
    """
    state_names = ('H', 't')

    def __init__(self, num_inputs: int, num_hiddens: int, *, periods: Sequence[int] = PERIODS, ctx: Any = None):
        super().__init__(num_inputs, num_hiddens, ctx=ctx)
        self.periods = check_periods(periods, num_hiddens)
        self.cycle = math.lcm(*self.periods)
        size = self.size = num_hiddens // len(self.periods)
        self.groups = []
        for k, period in enumerate(self.periods):
            slower = num_hiddens - k * size         # hidden units of this group and all slower ones
            self.groups.append((period,
                                self.parameter(f'W_x{k}', weight((num_inputs, size), self.ctx)),
                                self.parameter(f'W_h{k}', weight((slower, size), self.ctx)),
                                self.parameter(f'b_{k}', nd.zeros(size, ctx=self.ctx))))

    def state_shapes(self, batch_size: int) -> List[Tuple[int, ...]]:
        return [(batch_size, self.num_hiddens), (batch_size, 1)]

    def step(self, X: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """One step. X: (batch_size, num_inputs); state: (H, t). Returns H, (batch_size, num_hiddens), and (H, t + 1)."""
        H, t = state
        groups = []
        for k, (period, W_x, W_h, b) in enumerate(self.groups):
            H_k = nd.slice_axis(H, axis=1, begin=k * self.size, end=(k + 1) * self.size)
            slower = nd.slice_axis(H, axis=1, begin=k * self.size, end=None)
            due = t.reshape((-1,)) % period == 0
            groups.append(nd.where(due, tanh(dot(X, W_x) + dot(slower, W_h) + b), H_k))
        H = nd.concat(*groups, dim=1)
        return H, (H, (t + 1) % self.cycle)


def check_periods(periods: Sequence[int], num_hiddens: int) -> Tuple[int, ...]:
    """The periods, sorted. Raises ValueError if they are no clocks, or num_hiddens does not divide among them."""
    if not periods or any(int(period) != period or period < 1 for period in periods):
        raise ValueError(f'periods must be whole numbers from 1, got {list(periods)}')
    if len(set(periods)) != len(periods):
        raise ValueError(f'periods must differ from each other, got {list(periods)}')
    if num_hiddens % len(periods):
        raise ValueError(f'num_hiddens must be a multiple of the {len(periods)} periods, one group of equal size for each, '
                         f'got {num_hiddens}')
    if math.lcm(*map(int, periods)) > _MOST_STEPS:
        raise ValueError(f'the least common multiple of the periods must be at most {_MOST_STEPS}, got {list(periods)}')
    return tuple(sorted(int(period) for period in periods))
