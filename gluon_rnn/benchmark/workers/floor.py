"""The products of an epoch, at the rate of the largest of them, measured: the floor beneath every implementation."""
from __future__ import annotations

import time
from dataclasses import fields
from typing import Any, Callable, Dict

from gluon_rnn.benchmark.implementations import Setting  # before MXNet, which loads only where gluon_rnn has prepared the machine
from gluon_rnn.cells.weights import GATES

# isort: split
from mxnet import nd


def prepare(options: Dict[str, Any]) -> Callable[[], Dict[str, Any]]:
    setting = Setting(**{field.name: options[field.name] for field in fields(Setting)})
    work = operations(setting)
    batches = setting.tokens // (setting.batch_size * setting.num_steps)
    rows, num_hiddens, num_outputs = setting.num_steps * setting.batch_size, setting.num_hiddens, setting.vocab_size
    H, W = nd.random.normal(shape=(rows, num_hiddens)), nd.random.normal(shape=(num_outputs, num_hiddens))
    logits = nd.zeros((rows, num_outputs))

    def product() -> None:
        """The output layer's, forward."""
        nd.FullyConnected(H, W, no_bias=True, num_hidden=num_outputs, out=logits)

    return lambda: {'seconds': batches * sum(work.values()) / (work['output layer'] / 3) * mean_seconds(product)}


def operations(setting: Setting) -> Dict[str, int]:
    """Multiplications and additions in the products of a batch, by where they are.

    Each product is there three times: forward, for the gradient of what is multiplied, and for that of the weight. The input
    takes none: a one-hot vector times a weight is a row of the weight.
    """
    rows, h = setting.num_steps * setting.batch_size, setting.num_hiddens
    return {'output layer': 3 * 2 * rows * h * setting.vocab_size,
            'recurrent weights': 3 * 2 * rows * h * h * len(GATES[setting.cell])}


def mean_seconds(work: Callable[[], None]) -> float:
    """Seconds of work(), the mean of ten, after one that is not counted."""
    work()
    nd.waitall()
    start = time.perf_counter()
    for _ in range(10):
        work()
    nd.waitall()
    return (time.perf_counter() - start) / 10
