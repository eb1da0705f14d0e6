"""AdamW, which MXNet 1.9.1 lacks, registered like every `mx.optimizer`."""
from __future__ import annotations

import math
from typing import Any

import mxnet as mx
from mxnet import nd


@mx.optimizer.register
class AdamW(mx.optimizer.Adam):
    """Adam with the weight decay apart from the gradient (Loshchilov and Hutter, 2019): each step takes lr * wd of a weight away.

    With wd=0 it is Adam. MXNet's own operator (`contrib.adamw_update`) does the step.
    """

    def update(self, index: Any, weight: nd.NDArray, grad: nd.NDArray, state: Any) -> None:
        self._update_count(index)
        t, lr = self._index_update_count[index], self._get_lr(index)
        correction = math.sqrt(1 - self.beta2 ** t) / (1 - self.beta1 ** t)
        mean, var = state
        nd.contrib.adamw_update(weight, grad, mean, var, nd.ones((1,), ctx=weight.context), out=weight, lr=lr * correction, eta=1,
                                wd=lr * self._get_wd(index), beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon)
