"""A reader's own network, written as the book writes it, under the trainer's contract."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

from mxnet import nd

from ..cells.ops import time_major
from ..corpora.indices import check_indices


def one_hots(X: nd.NDArray, size: int) -> List[nd.NDArray]:
    """(batch_size, num_steps) of indices -> num_steps arrays (batch_size, size)."""
    return list(nd.one_hot(time_major(X) if X.ndim > 1 else X.reshape((-1, 1)), size))


class Adapter:
    """The contract of the trainer over the book's; the book lets a state be a tuple, a list or one array."""

    def __init__(self, ctx: Any):
        self.ctx = ctx
        self._kind: Any = tuple

    def _to_tuple(self, state: Any) -> Tuple[nd.NDArray, ...]:
        self._kind = next((kind for kind in (nd.NDArray, list) if isinstance(state, kind)), tuple)
        return (state,) if isinstance(state, nd.NDArray) else tuple(state)

    def _from_tuple(self, state: Tuple[nd.NDArray, ...]) -> Any:
        return state[0] if self._kind is nd.NDArray else self._kind(state)


class ByHand(Adapter):
    """A reader's `rnn`, `params` and `init_rnn_state`."""

    def __init__(self, rnn: Any, params: Any, init_rnn_state: Any, num_hiddens: int, vocab_size: int, ctx: Any):
        super().__init__(ctx)
        self.rnn, self.params, self.init_rnn_state = rnn, params, init_rnn_state
        self.num_hiddens, self.vocab_size = num_hiddens, vocab_size

    def begin_state(self, batch_size: int) -> Tuple[nd.NDArray, ...]:
        return self._to_tuple(self.init_rnn_state(batch_size, self.num_hiddens, self.ctx))

    def __call__(self, X: nd.NDArray, state: Any) -> Tuple[nd.NDArray, Tuple[nd.NDArray, ...]]:
        outputs, state = self.rnn(one_hots(X, self.vocab_size), self._from_tuple(state), self.params)
        return nd.concat(*outputs, dim=0) if len(outputs) > 1 else outputs[0], self._to_tuple(state)

    def parameters(self) -> Dict[str, nd.NDArray]:
        return {str(i): param for i, param in enumerate(self.params)}


class Gluon(Adapter):
    """A reader's Gluon model."""

    def __init__(self, model: Any, vocab_size: int, ctx: Any):
        super().__init__(ctx)
        self.model, self.vocab_size = model, vocab_size

    def begin_state(self, batch_size: int) -> Tuple[nd.NDArray, ...]:
        return self._to_tuple(self.model.begin_state(batch_size=batch_size, ctx=self.ctx))

    def __call__(self, X: nd.NDArray, state: Any) -> Tuple[nd.NDArray, Tuple[nd.NDArray, ...]]:
        logits, state = self.model(X, self._from_tuple(state))
        return logits, self._to_tuple(state)

    def parameters(self) -> Dict[str, nd.NDArray]:
        return {name: param.data(self.ctx) for name, param in self.model.collect_params().items() if param.grad_req != 'null'}


class OneByOne:
    """A model that reads a prefix as the book does, a character a call; with two directions that makes a difference."""

    def __init__(self, model: Any):
        self.model, self.begin_state = model, model.begin_state

    def __call__(self, X: Any, state: Any) -> Tuple[nd.NDArray, Any]:
        X = check_indices(X, self.model.vocab_size, 'the indices of the prefix')
        for t in range(X.shape[1]):
            logits, state = self.model(nd.array(X[:, t:t + 1], ctx=self.model.ctx), state)
        return logits, state
