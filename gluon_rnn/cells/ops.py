"""What every hand-written network is written with: the input of a step, products and activations.

Each has the book's meaning and the fastest of MXNet's operators for it (`docs/performance.md` has the measurements).
"""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple, Union

import numpy as np
from mxnet import autograd, nd

from .function import Function

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


class Step:
    """The input X of one step, (batch_size, num_inputs).

    Its product with a weight waits for no other step, so the first step that asks `dot`, `linear` or `affine` for one has it made
    for all. made: by the ids of the weights, what has been made for all steps of this sequence, and the weights.
    """

    def __init__(self, inputs: Inputs, t: int, made: Dict[Any, Any]):
        self._inputs, self._t, self._made = inputs, t, made

    def times(self, W: nd.NDArray, b: nd.NDArray | None = None) -> nd.NDArray:
        """X W, or X W + b."""
        return self._once('steps', lambda: split_steps(self._rows(W, b), self._inputs.shape[0]), W, b)[self._t]

    def affine(self, W_x: nd.NDArray, H: nd.NDArray, W_h: nd.NDArray, b: nd.NDArray) -> nd.NDArray:
        """X W_x + H W_h + b."""
        if autograd.is_recording():
            gate = self._once('gate', lambda: Gate(self._rows(W_x, b), W_h, self._inputs.shape[0]), W_x, b, W_h, first=True)
            if gate and gate.takes(self._t, H):
                return gate(H)
        return self.times(W_x, b) + dot(H, W_h)

    def _rows(self, W: nd.NDArray, b: nd.NDArray | None) -> nd.NDArray:
        def make() -> nd.NDArray:
            rows = project(self._inputs, W)
            return rows if b is None else add_bias(rows, b)
        return self._once('rows', make, W, b)

    def _once(self, what: str, make: Callable[[], Any], *weights: nd.NDArray | None, first: bool = False) -> Any:
        """What make() made for these weights, when it was first asked for. first: at the first step or not at all."""
        key = what, *map(id, weights)
        if key not in self._made:
            if first and self._t:
                return None
            self._made[key] = make(), weights       # with the weights, so that no other array takes their ids meanwhile
        return self._made[key][0]


class Gate:
    """X_t W_x + b + H W_h of one step after the other, recorded by autograd. rows: X W_x + b of all steps.

    The gradient of W_h is a sum over the steps (section 6.6: of dL/dh_t times h_{t-1}). Autograd would multiply at each step and
    then add up; one product, of the H of all steps with that gradient of all steps, is the same sum in less time.
    """

    def __init__(self, rows: nd.NDArray, W_h: nd.NDArray, num_steps: int):
        self._sum, self._W_h_T = SumOverSteps(), W_h.detach().T     # detached: the gradient of W_h is that of _sum alone
        self._steps, self._shape, self._next = split_steps(self._sum(rows, W_h)[0], num_steps), W_h.shape, 0

    def takes(self, t: int, H: nd.NDArray) -> bool:
        """Whether t is the next step, none made twice or left out so far, and H has a row for each row of X."""
        return t == self._next and H.shape == (self._steps[t].shape[0], self._shape[0])

    def __call__(self, H: nd.NDArray) -> nd.NDArray:
        Z = self._steps[self._next] + nd.FullyConnected(H, self._W_h_T, num_hidden=self._shape[1], no_bias=True)
        # the first H is the caller's state, to which the caller may write before the gradient is asked for
        self._sum.saved.append(H.detach() if self._next else H.detach().copy())
        self._next += 1
        return Z


class SumOverSteps(Function):
    """Returns the rows of all steps as they are. The gradient of W is made as if saved[t] W were added to the rows of step t.

    saved: filled step by step after the call. A step that the loss does not use counts, with a gradient of 0.
    """

    def __init__(self) -> None:
        self.saved: List[nd.NDArray] = []

    def forward(self, inputs: Sequence[nd.NDArray]) -> List[nd.NDArray]:
        rows, _ = inputs
        return [rows.detach()]

    def backward(self, output_grads: List[nd.NDArray], out: List[nd.NDArray]) -> None:
        self.saved[-1].wait_to_read()       # see `hybrid.Steps`; the others come before it
        (dZ,), (grad_rows, grad_W), H = output_grads, out, nd.concat(*self.saved, dim=0)
        nd.identity(dZ, out=grad_rows)
        nd.dot(H, dZ[:H.shape[0]], transpose_a=True, out=grad_W)


def steps(inputs: Inputs) -> Iterator[Step]:
    """The inputs step by step, for `for X in steps(inputs)`."""
    made: Dict[Any, Any] = {}
    return (Step(inputs, t, made) for t in range(inputs.shape[0]))


def split_steps(rows: nd.NDArray, num_steps: int) -> List[nd.NDArray]:
    """(num_steps * batch_size, n) -> num_steps arrays (batch_size, n)."""
    return [rows] if num_steps == 1 else nd.split(rows, num_outputs=num_steps, axis=0)


def dot(X: Union[nd.NDArray, Step], W: nd.NDArray) -> nd.NDArray:
    """X W, where X is the input of a step or any matrix."""
    return X.times(W) if isinstance(X, Step) else nd.dot(X, W)      # not `linalg_gemm2`: it overwrites where grad_req is 'add'


def linear(X: Union[nd.NDArray, Step], W: nd.NDArray, b: nd.NDArray) -> nd.NDArray:
    """X W + b, where X is the input of a step or any matrix."""
    return X.times(W, b) if isinstance(X, Step) else add_bias(dot(X, W), b)


def affine(X: Union[nd.NDArray, Step], W_x: nd.NDArray, H: nd.NDArray, W_h: nd.NDArray, b: nd.NDArray) -> nd.NDArray:
    """X W_x + H W_h + b, what stands inside the activation of a gate. X is the input of a step or any matrix."""
    return X.affine(W_x, H, W_h, b) if isinstance(X, Step) else linear(X, W_x, b) + dot(H, W_h)


def add_bias(rows: nd.NDArray, b: nd.NDArray) -> nd.NDArray:
    """b added to each of the rows."""
    if not autograd.is_recording():
        return rows + b
    # the same; the gradient of the `+` above would be a slow loop over all rows, that of a product is a product
    return rows + nd.dot(nd.ones((rows.shape[0], 1), ctx=rows.context), b.reshape((1, -1)))


# `nd.Activation` is vectorised; `nd.tanh` and `nd.sigmoid` are loops over single numbers.
def sigmoid(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='sigmoid')


def tanh(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='tanh')


def relu(X: nd.NDArray) -> nd.NDArray:
    return nd.Activation(X, act_type='relu')


ACTIVATIONS: Dict[str, Callable[[Any], nd.NDArray]] = {'tanh': tanh, 'relu': relu, 'sigmoid': sigmoid}
