"""What every hand-written network is written with: the input of a step, products and activations.

Each has the book's meaning and the fastest of MXNet's operators for it (`docs/performance.md` has the measurements).
"""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Tuple, Union

import numpy as np
from mxnet import autograd, nd

State = Tuple[nd.NDArray, ...]


class OneHot:
    """One-hot vectors, kept as the indices that they stand for.

    indices: (num_steps, batch_size); as a matrix it would be (num_steps, batch_size, depth).
    """

    def __init__(self, indices: nd.NDArray, depth: int):
        self.indices = indices
        self.shape = (*indices.shape, depth)

    def dense(self) -> nd.NDArray:
        """The one-hot vectors themselves, (num_steps, batch_size, depth)."""
        return nd.one_hot(self.indices, self.shape[2])


Inputs = Union[nd.NDArray, OneHot]


def project(inputs: Inputs, W: nd.NDArray) -> nd.NDArray:
    """The product of the inputs of all steps with W, (num_steps * batch_size, W's columns).

    A one-hot vector times W is a row of W, so for characters nothing is multiplied: rows are gathered.
    """
    if inputs.shape[2] != W.shape[0]:
        raise ValueError(f'inputs must have {W.shape[0]} columns, got shape {inputs.shape}')
    if isinstance(inputs, OneHot):
        return nd.Embedding(inputs.indices.reshape((-1,)), W, *W.shape)
    return nd.dot(inputs.reshape((-1, W.shape[0])), W)


def reverse(inputs: Inputs, lengths: np.ndarray | None = None) -> Inputs:
    """The same sequence from its end to its beginning; with lengths, each row from its own end, its padding left in place."""
    if isinstance(inputs, OneHot):
        return OneHot(reverse_dense(inputs.indices.expand_dims(2), lengths)[:, :, 0], inputs.shape[2])
    return reverse_dense(inputs, lengths)


def reverse_dense(X: nd.NDArray, lengths: np.ndarray | None = None) -> nd.NDArray:
    """`reverse` for an array (num_steps, batch_size, n)."""
    if lengths is None:
        return nd.flip(X, axis=0)
    return nd.SequenceReverse(X, nd.array(lengths, ctx=X.context), use_sequence_length=True)


# ids of a weight and a bias -> both, and what came of them at each step
Products = Dict[Tuple[int, int], Tuple[nd.NDArray, Union[nd.NDArray, None], List[nd.NDArray]]]


class Step:
    """The input X of one step, (batch_size, num_inputs).

    Its product with a weight waits for no other step, so the first step that asks `dot` or `linear` for one has it made for all.
    """

    def __init__(self, inputs: Inputs, t: int, products: Products):
        self._inputs, self._t, self._products = inputs, t, products

    def times(self, W: nd.NDArray, b: nd.NDArray | None = None) -> nd.NDArray:
        key = id(W), id(b)
        if key not in self._products:
            rows = project(self._inputs, W)
            # W and b are kept so that no other array takes their ids while these are in use
            self._products[key] = W, b, split_steps(rows if b is None else add_bias(rows, b), self._inputs.shape[0])
        return self._products[key][2][self._t]


def steps(inputs: Inputs) -> Iterator[Step]:
    """The inputs step by step, for `for X in steps(inputs)`."""
    products: Products = {}
    return (Step(inputs, t, products) for t in range(inputs.shape[0]))


def split_steps(rows: nd.NDArray, num_steps: int) -> List[nd.NDArray]:
    """(num_steps * batch_size, n) -> num_steps arrays (batch_size, n)."""
    return [rows] if num_steps == 1 else nd.split(rows, num_outputs=num_steps, axis=0)


def dot(X: Union[nd.NDArray, Step], W: nd.NDArray) -> nd.NDArray:
    """X W, where X is the input of a step or any matrix."""
    return X.times(W) if isinstance(X, Step) else nd.linalg_gemm2(X, W)     # as `nd.dot`, with less around it


def linear(X: Union[nd.NDArray, Step], W: nd.NDArray, b: nd.NDArray) -> nd.NDArray:
    """X W + b, where X is the input of a step or any matrix: of a gate's sum, what waits for no other step."""
    return X.times(W, b) if isinstance(X, Step) else add_bias(dot(X, W), b)


def add_bias(rows: nd.NDArray, b: nd.NDArray) -> nd.NDArray:
    """b added to each of the rows."""
    if not autograd.is_recording():
        return rows + b
    # the same; the gradient of the `+` above would be a slow loop over all rows, that of a product is a product
    return rows + nd.linalg_gemm2(nd.ones((rows.shape[0], 1), ctx=rows.context), b.reshape((1, -1)))


# `nd.Activation` is vectorised; `nd.tanh` and `nd.sigmoid` are loops over single numbers.
def sigmoid(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='sigmoid')


def tanh(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='tanh')


def relu(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='relu')


ACTIVATIONS: Dict[str, Callable[[Any], nd.NDArray]] = {'tanh': tanh, 'relu': relu, 'sigmoid': sigmoid}
