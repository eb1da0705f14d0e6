"""The default implementation of a network."""
from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from .. import runtime
from .build import NetworkConfig

C = TypeVar('C', bound=NetworkConfig)


def default_impl(config: NetworkConfig, ctx: Any, *, alone: bool = True) -> str:
    """The implementation to take for these equations on ctx, whatever `config` names.

    On the CPU `numba`; `hybrid` for the Clockwork RNN, which the kernels do not have, and where Numba is missing, which is said
    once on the log. On a GPU `gluon`, which is cuDNN, where it has the equations: the RNN with tanh or relu, the LSTM, and the
    GRU that resets after the product, which is not the book's; elsewhere `hybrid`.
    alone: whether ctx is the only one to train on, in one process; the kernels' whole steps serve no others, which take `hybrid`.
    """
    if ctx.device_type == 'gpu':
        has = {'rnn': config.activation != 'sigmoid', 'lstm': True, 'gru': bool(config.reset_after)}
        return 'gluon' if has.get(config.cell, False) and not (config.residual or config.both_forward) else 'hybrid'
    return 'numba' if alone and config.cell != 'clockwork' and runtime.has_numba() else 'hybrid'


def runnable(config: C, ctx: Any) -> C:
    """The same network for another machine than it was saved on: `numba` that does not run there becomes `hybrid`.

    The two have the same parameters and numbers.
    """
    if config.impl == 'numba' and (ctx.device_type == 'gpu' or not runtime.has_numba()):
        return dataclasses.replace(config, impl='hybrid')
    return config
