"""One-hot vectors, products and activations: the vocabulary of the hand-written networks."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple, Union

import numpy as np
from mxnet import nd

State = Tuple[nd.NDArray, ...]


class OneHot:
    """One-hot vectors, stored as indices.

    indices: (num_steps, batch_size), or (batch_size,) of one step; as an array the vectors would have `depth` as their last axis.
    """

    def __init__(self, indices: nd.NDArray, depth: int):
        self.indices = indices
        self.shape = (*indices.shape, depth)

    def dense(self) -> nd.NDArray:
        """The vectors as an array."""
        return nd.one_hot(self.indices, self.shape[-1])


Inputs = Union[nd.NDArray, OneHot]


# Where a text is written there is one step at a time: the same numbers, seen in another shape, cost no operator.
def time_major(X: nd.NDArray) -> nd.NDArray:
    """(batch_size, num_steps) -> (num_steps, batch_size)."""
    return X.reshape(X.shape[::-1]) if 1 in X.shape else X.T


def steps(inputs: Inputs) -> List[Any]:
    """The inputs of each step: (num_steps, batch_size, num_inputs) -> num_steps times (batch_size, num_inputs)."""
    if isinstance(inputs, OneHot):
        return [OneHot(indices, inputs.shape[-1]) for indices in steps(inputs.indices)]
    if inputs.shape[0] == 1:
        return [inputs.reshape(inputs.shape[1:])]
    return nd.split(inputs, num_outputs=inputs.shape[0], axis=0, squeeze_axis=True)


def stack(outputs: Sequence[nd.NDArray]) -> nd.NDArray:
    """The outputs of each step: num_steps times (batch_size, num_hiddens) -> (num_steps, batch_size, num_hiddens)."""
    return nd.stack(*outputs) if len(outputs) > 1 else outputs[0].reshape((1, *outputs[0].shape))


def dot(X: Inputs, W: nd.NDArray) -> nd.NDArray:
    """X W. Where X is one-hot each row of the product is a row of W, so nothing is multiplied.

    Raises ValueError if the one-hot vectors are not as long as W has rows.
    """
    if not isinstance(X, OneHot):
        return nd.dot(X, W)
    if X.shape[-1] != W.shape[0]:
        raise ValueError(f'one-hot vectors must have {W.shape[0]} columns, got {X.shape[-1]}')
    if W.context.device_type == 'gpu':      # there the gather's gradient is a sort and five launches, the product's is one
        return nd.dot(X.dense(), W)
    return nd.Embedding(X.indices, W, *W.shape)


def reverse(inputs: Inputs, lengths: np.ndarray | None = None) -> Inputs:
    """Reverse a sequence in time; with lengths, each row from its own end, the padding left in place."""
    if isinstance(inputs, OneHot):
        return OneHot(reverse_dense(inputs.indices.expand_dims(2), lengths)[:, :, 0], inputs.shape[2])
    return reverse_dense(inputs, lengths)


def reverse_dense(X: nd.NDArray, lengths: np.ndarray | None = None) -> nd.NDArray:
    """`reverse` for an array (num_steps, batch_size, n)."""
    if lengths is None:
        return nd.flip(X, axis=0)
    return nd.SequenceReverse(X, nd.array(lengths, ctx=X.context), use_sequence_length=True)


# `nd.Activation` is vectorised; `nd.tanh` and `nd.sigmoid` are loops over single numbers.
def sigmoid(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='sigmoid')


def tanh(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='tanh')


def relu(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='relu')


ACTIVATIONS: Dict[str, Callable[[Any], nd.NDArray]] = {'tanh': tanh, 'relu': relu, 'sigmoid': sigmoid}
