"""One epoch in JAX, `jit` over `scan`, in the environment of `make peers`: the book's network, loss, clipping and SGD."""
from __future__ import annotations

import os
from typing import Any, Callable, Dict

import jax
import numpy as np
from jax import nn
from jax import numpy as jnp

GATES = {'rnn': 'h', 'gru': 'zrh', 'lstm': 'ifoc'}


def rnn(X: Any, state: Any, params: Any) -> Any:
    H, = state
    return jnp.tanh(params['W_xh'][X] + H @ params['W_hh'] + params['b_h']),


def gru(X: Any, state: Any, params: Any) -> Any:
    H, = state
    Z = nn.sigmoid(params['W_xz'][X] + H @ params['W_hz'] + params['b_z'])
    R = nn.sigmoid(params['W_xr'][X] + H @ params['W_hr'] + params['b_r'])
    H_tilde = jnp.tanh(params['W_xh'][X] + (R * H) @ params['W_hh'] + params['b_h'])
    return Z * H + (1 - Z) * H_tilde,


def lstm(X: Any, state: Any, params: Any) -> Any:
    H, C = state
    I, F, O = (nn.sigmoid(params[f'W_x{gate}'][X] + H @ params[f'W_h{gate}'] + params[f'b_{gate}']) for gate in 'ifo')
    C = F * C + I * jnp.tanh(params['W_xc'][X] + H @ params['W_hc'] + params['b_c'])
    return O * jnp.tanh(C), C


def prepare(options: Dict[str, Any]) -> Callable[[], float]:
    # XLA takes as many threads as there are CPUs to run on, when it computes for the first time
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:options['threads']])
    rng, cell = np.random.default_rng(0), options['cell']
    h, vocab_size, batch_size, T = (options[key] for key in ('num_hiddens', 'vocab_size', 'batch_size', 'num_steps'))
    shapes = {f'W_x{gate}': (vocab_size, h) for gate in GATES[cell]} | {f'W_h{gate}': (h, h) for gate in GATES[cell]}
    params = {name: jnp.asarray(rng.normal(scale=0.01, size=shape), jnp.float32)
              for name, shape in {**shapes, 'W_hq': (h, vocab_size)}.items()}
    params |= {f'b_{gate}': jnp.zeros(h) for gate in GATES[cell]} | {'b_q': jnp.zeros(vocab_size)}
    step_of_cell = {'rnn': rnn, 'gru': gru, 'lstm': lstm}[cell]

    def loss_of(params: Any, state: Any, X: Any, Y: Any) -> Any:
        def one_step(state: Any, X: Any) -> Any:
            state = step_of_cell(X, state, params)
            return state, state[0]

        state, H = jax.lax.scan(one_step, state, X.T)
        log_probabilities = nn.log_softmax(H @ params['W_hq'] + params['b_q'])
        return -jnp.take_along_axis(log_probabilities, Y.T[..., None], axis=-1).mean(), state

    @jax.jit
    def step(params: Any, state: Any, X: Any, Y: Any) -> Any:
        (loss, state), grads = jax.value_and_grad(loss_of, has_aux=True)(params, state, X, Y)
        norm = jnp.sqrt(sum((grad ** 2).sum() for grad in grads.values()))
        rate = options['lr'] * jnp.minimum(1, options['clipping_theta'] / norm)
        return {name: param - rate * grads[name] for name, param in params.items()}, state, loss

    columns = len(options['corpus_indices']) // batch_size
    rows = np.asarray(options['corpus_indices'][:columns * batch_size]).reshape(batch_size, columns)

    def epoch() -> float:
        nonlocal params
        state = (jnp.zeros((batch_size, h)),) * (2 if cell == 'lstm' else 1)
        losses = []
        for i in range(0, (columns - 1) // T * T, T):
            params, state, loss = step(params, state, rows[:, i:i + T], rows[:, i + 1:i + T + 1])
            losses.append(float(loss))
        return float(np.exp(np.mean(losses)))
    return epoch
