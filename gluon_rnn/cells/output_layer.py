"""The output layer, section 6.2: O_t = H_t W_hq + b_q."""
from __future__ import annotations

from typing import Any, Dict

import mxnet as mx
from mxnet import autograd, init, nd
from mxnet.gluon import nn

from .base import BookParams, Weighted, check_weights, load_weights
from .scratch import SIGMA, weight


class OutputLayer(Weighted):
    """By hand: W_hq (num_hiddens, num_outputs) and b_q (num_outputs,)."""

    def __init__(self, num_hiddens: int, num_outputs: int, *, ctx: Any = None):
        self.W_hq = weight((num_hiddens, num_outputs), ctx)
        self.b_q = nd.zeros(num_outputs, ctx=ctx)
        for param in (self.W_hq, self.b_q):
            param.attach_grad()

    def __call__(self, H: nd.NDArray) -> nd.NDArray:
        """(rows, num_hiddens) -> (rows, num_outputs)."""
        if not autograd.is_recording():
            return nd.dot(H, self.W_hq) + self.b_q
        # the same; the gradient of the `+` above would be a slow loop over all rows
        return nd.FullyConnected(H, self.W_hq.T, self.b_q, num_hidden=self.b_q.shape[0])

    def parameters(self) -> Dict[str, nd.NDArray]:
        return {'W_hq': self.W_hq, 'b_q': self.b_q}


class GluonOutputLayer(Weighted):
    """The same as `nn.Dense`, whose weight is W_hq transposed."""

    def __init__(self, num_hiddens: int, num_outputs: int, *, ctx: Any = None):
        self.dense = nn.Dense(num_outputs, in_units=num_hiddens, flatten=False)
        self.ctx = ctx or mx.cpu()
        self.dense.initialize(init.Normal(SIGMA), ctx=self.ctx)
        self.dense.hybridize(static_alloc=True, static_shape=True)

    def __call__(self, H: nd.NDArray) -> nd.NDArray:
        return self.dense(H)

    def parameters(self) -> Dict[str, nd.NDArray]:
        return {'dense_weight': self.dense.weight.data(self.ctx), 'dense_bias': self.dense.bias.data(self.ctx)}

    def book_params(self) -> BookParams:
        own = self.parameters()
        return {'W_hq': own['dense_weight'].asnumpy().T, 'b_q': own['dense_bias'].asnumpy()}

    def load_book_params(self, params: BookParams) -> None:
        check_weights(self.book_params(), params)
        load_weights(self.parameters(), {'dense_weight': params['W_hq'].T, 'dense_bias': params['b_q']})
