"""The embedding: a vector for each token, which the network reads in place of the one-hot vector."""
from __future__ import annotations

from typing import Any, Dict

import mxnet as mx
from mxnet import nd

from .base import Weighted
from .scratch import weight


class Embedding(Weighted):
    """X W_e for one-hot X, where each row of the product is a row of W_e, (vocab_size, embed_size).

    It is what `gluon.nn.Embedding` is, whose weight lies in the same way; all implementations have this one.
    """

    def __init__(self, vocab_size: int, embed_size: int, *, ctx: Any = None):
        self.W_e = weight((vocab_size, embed_size), ctx or mx.cpu())
        self.W_e.attach_grad()

    def __call__(self, indices: nd.NDArray) -> nd.NDArray:
        """Any shape of indices -> the same with an axis more, of embed_size columns."""
        return nd.Embedding(indices, self.W_e, *self.W_e.shape)

    def parameters(self) -> Dict[str, nd.NDArray]:
        return {'W_e': self.W_e}
