"""One epoch of d2lzh 1.0.0 itself: its own training loops, around a network as the reader of the book writes it.

The functions below are the book's (sections 6.4.2, 6.4.3, 6.7.2, 6.8.2), with `d2l` for its helpers. Nothing of this project is
loaded beside them: they run as they do for a reader who has installed d2lzh, but for the alias that lets MXNet load today.
"""
from __future__ import annotations

import contextlib
import io
import math
import time
from typing import Any, Callable, Dict

import numpy as np

for _name, _kind in (('bool', bool), ('object', object)):
    if _name not in np.__dict__:
        setattr(np, _name, _kind)

import d2lzh as d2l  # noqa: E402
import mxnet as mx  # noqa: E402
from d2lzh import utils  # noqa: E402
from mxnet import nd  # noqa: E402
from mxnet.gluon import rnn as layers  # noqa: E402

ctx = mx.cpu()


def prepare(options: Dict[str, Any]) -> Callable[[], Dict[str, float]]:
    mx.random.seed(0)
    cell, num_hiddens, vocab_size = options['cell'], options['num_hiddens'], options['vocab_size']
    chars = [chr(0x4e00 + i) for i in range(vocab_size)]
    text = (options['corpus_indices'], chars, {char: i for i, char in enumerate(chars)})
    training = (options['num_steps'], options['lr'], options['clipping_theta'], options['batch_size'])
    no_samples: Any = (1, 0, [])        # pred_period, pred_len, prefixes: the perplexity after every epoch, no verses

    if options['impl'] == 'gluon':
        model = rnn_model(cell, num_hiddens, vocab_size)

        def run() -> None:
            d2l.train_and_predict_rnn_gluon(model, num_hiddens, vocab_size, ctx, *text, 1, *training, *no_samples)
    else:
        network, params, init = by_hand(cell, num_hiddens, vocab_size)

        def run() -> None:
            d2l.train_and_predict_rnn(network, lambda: params, init, num_hiddens, vocab_size, ctx, *text, False, 1, *training,
                                      *no_samples)
    return lambda: one_epoch(run)


def by_hand(cell: str, num_hiddens: int, vocab_size: int) -> tuple[Any, ...]:
    """A network written by hand, its parameters, and the function that makes its first state."""
    network, gates, init = {'rnn': (rnn, 'h', init_rnn_state), 'gru': (gru, 'zrh', init_rnn_state),
                            'lstm': (lstm, 'ifoc', init_lstm_state)}[cell]
    return network, get_params(gates, vocab_size, num_hiddens, vocab_size), init


def rnn_model(cell: str, num_hiddens: int, vocab_size: int) -> Any:
    layer = {'rnn': layers.RNN, 'gru': layers.GRU, 'lstm': layers.LSTM}[cell](
        num_hiddens, **({'activation': 'tanh'} if cell == 'rnn' else {}))
    return d2l.RNNModel(layer, vocab_size)


def one_epoch(run: Callable[[], None]) -> Dict[str, float]:
    """Its perplexity, which d2lzh prints, and its seconds from where d2lzh starts its clock: when it asks for batches."""
    started, batches = [], utils.data_iter_consecutive

    def marked(*args: Any) -> Any:
        started.append(time.perf_counter())
        return batches(*args)

    printed = io.StringIO()
    utils.data_iter_consecutive = marked
    try:
        with contextlib.redirect_stdout(printed):
            run()
        seconds = time.perf_counter() - started[-1]
    finally:
        utils.data_iter_consecutive = batches
    words = printed.getvalue().replace(',', '').split()
    return {'seconds': seconds, 'perplexity': float(words[words.index('perplexity') + 1]) if words else math.nan}


def get_params(gates: str, num_inputs: int, num_hiddens: int, num_outputs: int) -> list[Any]:
    def _one(shape: tuple[int, ...]) -> Any:
        return nd.random.normal(scale=0.01, shape=shape, ctx=ctx)

    def _three() -> tuple[Any, Any, Any]:
        return (_one((num_inputs, num_hiddens)),
                _one((num_hiddens, num_hiddens)),
                nd.zeros(num_hiddens, ctx=ctx))

    params = [param for _ in gates for param in _three()]
    params += [_one((num_hiddens, num_outputs)), nd.zeros(num_outputs, ctx=ctx)]
    for param in params:
        param.attach_grad()
    return params


def init_rnn_state(batch_size: int, num_hiddens: int, ctx: Any) -> Any:
    return (nd.zeros(shape=(batch_size, num_hiddens), ctx=ctx), )


def init_lstm_state(batch_size: int, num_hiddens: int, ctx: Any) -> Any:
    return (nd.zeros(shape=(batch_size, num_hiddens), ctx=ctx),
            nd.zeros(shape=(batch_size, num_hiddens), ctx=ctx))


def rnn(inputs: Any, state: Any, params: Any) -> Any:
    W_xh, W_hh, b_h, W_hq, b_q = params
    H, = state
    outputs = []
    for X in inputs:
        H = nd.tanh(nd.dot(X, W_xh) + nd.dot(H, W_hh) + b_h)
        Y = nd.dot(H, W_hq) + b_q
        outputs.append(Y)
    return outputs, (H,)


def gru(inputs: Any, state: Any, params: Any) -> Any:
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = params
    H, = state
    outputs = []
    for X in inputs:
        Z = nd.sigmoid(nd.dot(X, W_xz) + nd.dot(H, W_hz) + b_z)
        R = nd.sigmoid(nd.dot(X, W_xr) + nd.dot(H, W_hr) + b_r)
        H_tilda = nd.tanh(nd.dot(X, W_xh) + nd.dot(R * H, W_hh) + b_h)
        H = Z * H + (1 - Z) * H_tilda
        Y = nd.dot(H, W_hq) + b_q
        outputs.append(Y)
    return outputs, (H,)


def lstm(inputs: Any, state: Any, params: Any) -> Any:
    [W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c,
     W_hq, b_q] = params
    (H, C) = state
    outputs = []
    for X in inputs:
        I = nd.sigmoid(nd.dot(X, W_xi) + nd.dot(H, W_hi) + b_i)
        F = nd.sigmoid(nd.dot(X, W_xf) + nd.dot(H, W_hf) + b_f)
        O = nd.sigmoid(nd.dot(X, W_xo) + nd.dot(H, W_ho) + b_o)
        C_tilda = nd.tanh(nd.dot(X, W_xc) + nd.dot(H, W_hc) + b_c)
        C = F * C + I * C_tilda
        H = O * C.tanh()
        Y = nd.dot(H, W_hq) + b_q
        outputs.append(Y)
    return outputs, (H, C)
