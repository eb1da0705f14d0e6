"""One model on several contexts and in several processes: which rows of a batch each reads, and how their gradients are added up.

    8 rows, two processes      process 0    cpu(0): rows 0 1    cpu(1): rows 2 3
    of two contexts each       process 1    cpu(0): rows 4 5    cpu(1): rows 6 7

Every context holds the whole model, reads its own rows of each batch and carries their state. It computes the gradient of its
rows' part of the batch's loss, which is a mean over all rows; a key-value store adds the parts up, so that the gradient of the
whole batch is clipped and applied, as one context would have it but for the order of its sums.
"""
from __future__ import annotations

import struct
from typing import Any, List, Sequence, Tuple

from mxnet import nd

from .kvstore import Store


class Replicas:
    """Copies of one model, one a context of this process. Only the first is updated; the others take its weights over.

    store: what adds up; None where this is the one copy there is, and the one process.
    """

    def __init__(self, models: Sequence[Any], store: Store | None = None):
        self.models, self.store = list(models), store
        parameters = [model.parameters() for model in self.models]
        if any({name: array.shape for name, array in own.items()} != {name: array.shape for name, array in parameters[0].items()}
               for own in parameters):
            raise ValueError('the replicas must be of one model: their parameters differ')
        if len(self.models) > 1 and store is None:
            raise ValueError('several contexts need a store to add up their gradients: gluon_rnn.training.kvstore.Store')
        self.params = [[own[name] for own in parameters] for name in parameters[0]]     # of each name, one a context
        self.grads = [[param.grad for param in params] for params in self.params]
        # the loss, and whether to stop; arrays of one life, for the store orders what it does by the arrays it does it to
        self.figures = [nd.zeros((2,), ctx=model.ctx) for model in self.models] if store else []
        self.keys = store.new_keys([*parameters[0], 'figures']) if store else []

    def rows(self, batch_size: int) -> Tuple[slice, List[slice]]:
        """The rows of a batch that this process reads, and those of each of its contexts.

        Raises ValueError if a context would have none.
        """
        rank, num_workers = (self.store.rank, self.store.num_workers) if self.store else (0, 1)
        least = num_workers * len(self.models)
        if batch_size < least:
            raise ValueError(f'batch_size must be {least} or more, a row for each context of each process, got {batch_size}')
        own = share(batch_size, rank, num_workers)
        return own, [share(own.stop - own.start, k, len(self.models)) for k in range(len(self.models))]

    def sum(self, losses: Sequence[nd.NDArray], stop: bool) -> nd.NDArray:
        """Add up the gradients of all copies into the first one's, without waiting for them.

        losses: (1,) of each copy here, its part of the batch's loss; stop: whether this process wants to stop.
        Returns (2,): the batch's loss, and how many processes want to stop.
        """
        if not self.store:
            return losses[0]
        for k, (figures, loss) in enumerate(zip(self.figures, losses)):
            nd.concat(loss, nd.full((1,), stop and k == 0, ctx=figures.context), dim=0, out=figures)
        self.store.sum(self.keys, [*self.grads, self.figures])
        return self.figures[0]

    def agree(self, number: float) -> float:
        """A number as the process of rank 0 has it: on other machines it may differ in the last bit."""
        if not self.store or self.store.num_workers == 1:
            return number
        return float(struct.unpack('d', self.store.broadcast(struct.pack('d', number) if self.store.rank == 0 else None))[0])

    def broadcast(self) -> None:
        """Give the first copy's weights to the others here, without waiting for them."""
        for params in self.params:
            for other in params[1:]:
                params[0].copyto(other)


def share(count: int, k: int, parts: int) -> slice:
    """Which of `count` things the k-th of `parts` has: as many as every other, or one more.

        10 for 4: 0 1 | 2 3 4 | 5 6 | 7 8 9
    """
    return slice(k * count // parts, (k + 1) * count // parts)
