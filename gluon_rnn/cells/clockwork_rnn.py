"""The Clockwork RNN: hidden units in groups, each with a clock of its own."""
from __future__ import annotations

import math
from typing import Any, List, Sequence, Tuple

from mxnet import nd

from .ops import Inputs, OneHot, State, add_bias, project, split_steps, tanh
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
    paper leaves out b_k. The state is (H, t): the hidden units, fastest group first, and the steps read so far, modulo the
    least common multiple of the periods, (batch_size, 1), the same for all rows.
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

    def begin_state(self, batch_size: int) -> State:
        return nd.zeros((batch_size, self.num_hiddens), ctx=self.ctx), nd.zeros((batch_size, 1), ctx=self.ctx)

    def check_state(self, state: State, batch_size: int) -> None:
        wanted = [(batch_size, self.num_hiddens), (batch_size, 1)]
        if [s.shape for s in state] != wanted:
            raise ValueError(f'state must be (H, t), (batch_size, num_hiddens) and (batch_size, 1), {wanted}, '
                             f'got shapes {[s.shape for s in state]}: begin a new one for this batch')

    def run(self, inputs: Inputs, state: State) -> Tuple[nd.NDArray, State]:
        """Run over all steps. inputs: (num_steps, batch_size, num_inputs). Returns H of each step, and the last (H, t).

        Raises ValueError where the rows of the state have read different numbers of steps, for then they have different clocks.
        """
        self.check_state(state, inputs.shape[1])
        H, t = state
        first = self._clock(t)
        products = [self._products(inputs, first, group) for group in self.groups]
        H_groups = nd.split(H, num_outputs=len(self.groups), axis=1) if len(self.groups) > 1 else [H]
        shown = [[H_k] for H_k in H_groups]     # of each group, what it was before and at each step where it was due
        which: List[List[int]] = [[] for _ in self.groups]       # of each group, which of those it is at each step
        for step in range(inputs.shape[0]):
            before = H_groups
            H_groups = list(before)
            for k, (period, _, W_h, _) in enumerate(self.groups):
                if (first + step) % period == 0:        # nothing is computed for a group that is not due
                    slower = nd.concat(*before[k:], dim=1)
                    H_groups[k] = tanh(products[k].pop(0) + nd.dot(slower, W_h))
                    shown[k].append(H_groups[k])
                which[k].append(len(shown[k]) - 1)
        outputs = [nd.take(nd.stack(*H_k), nd.array(steps, ctx=self.ctx, dtype='int32')) for H_k, steps in zip(shown, which)]
        t = nd.full(t.shape, (first + inputs.shape[0]) % self.cycle, ctx=t.context)
        return nd.concat(*outputs, dim=2), (nd.concat(*H_groups, dim=1), t)

    def _clock(self, t: nd.NDArray) -> int:
        read = t.asnumpy()          # waits for nothing but itself: no step computes it
        if (read != read[0]).any():
            raise ValueError('the rows have read different numbers of steps and a Clockwork RNN has one clock for all: begin '
                             'a new state, or give rows of equal length')
        return int(read[0, 0])

    def _products(self, inputs: Inputs, first: int, group: Any) -> List[nd.NDArray]:
        """X_t W_xk + b_k at the steps where the group is due, those alone."""
        period, W_x, _, b = group
        due = range(-first % period, inputs.shape[0], period)
        if not due:
            return []
        if isinstance(inputs, OneHot):
            chosen: Inputs = OneHot(inputs.indices[due.start::period], inputs.shape[2])
        else:
            chosen = inputs[due.start::period]
        return list(split_steps(add_bias(project(chosen, W_x), b), len(due)))


def check_periods(periods: Sequence[int], num_hiddens: int) -> Tuple[int, ...]:
    """The periods, sorted. Raises ValueError where they are no clocks, or num_hiddens does not divide among them."""
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
