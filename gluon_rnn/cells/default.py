"""The implementation of a network where nobody asks for one."""
from __future__ import annotations

from typing import Any

from .build import NetworkConfig


def default_impl(config: NetworkConfig, ctx: Any) -> str:
    """The implementation of these equations to take on ctx, whichever `config` names.

    On a GPU `gluon`, which is cuDNN, where it has them: the RNN with tanh or relu, the LSTM, and the GRU that resets after the
    product, which is not the book's. Elsewhere `hybrid`. On the CPU `scratch`, the book's own.
    """
    if ctx.device_type != 'gpu':
        return 'scratch'
    has = {'rnn': config.activation != 'sigmoid', 'lstm': True, 'gru': bool(config.reset_after)}
    if has.get(config.cell, False) and not (config.residual or config.both_forward):
        return 'gluon'
    return 'hybrid'
