"""Learning without autograd: three ways to the gradient of a recurrent network, in plain NumPy.

The network is that of section 6.4, a simple recurrent network with its output layer, a row for each example:

    H_t = phi(X_t W_xh + H_{t-1} W_hh + b_h)        O_t = H_t W_hq + b_q
    L   = 1/T sum_t (mean over the batch of cross_entropy(softmax(O_t), Y_t))

- `bptt`: back-propagation through time, section 6.6. P. J. Werbos, "Backpropagation through time: what it
  does and how to do it", Proceedings of the IEEE 78(10), 1990. Time O(T h^2), memory O(T h).
- `truncated_bptt`: each step's loss goes back through k steps at most. R. J. Williams and J. Peng, "An
  efficient gradient-based algorithm for on-line training of recurrent network trajectories", Neural
  Computation 2(4), 1990.
- `rtrl`, `rtrl_online`, `RTRL`: real-time recurrent learning carries dH/dW forward and never looks back.
  R. J. Williams and D. Zipser, "A learning algorithm for continually running fully recurrent neural
  networks", Neural Computation 1(2), 1989. Time O(T h^4), memory O(h^3) whatever T is.

`bptt` and `rtrl` give the same gradient, to rounding; so does `truncated_bptt` from k = T on.
Section 6.6 has columns for examples, no biases and phi the identity; its W_hx is our W_xh transposed.

Shapes: X (num_steps, batch_size, num_inputs), floats of the parameters' dtype; Y (num_steps, batch_size),
integers below num_outputs; state (H,) with H (batch_size, num_hiddens), zeros unless given. A misfit raises
ValueError.
"""
from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Params(NamedTuple):
    """The parameters, under the book's names; a gradient comes in the same form."""

    W_xh: np.ndarray  # (num_inputs, num_hiddens)
    W_hh: np.ndarray  # (num_hiddens, num_hiddens)
    b_h: np.ndarray  # (num_hiddens,)
    W_hq: np.ndarray  # (num_hiddens, num_outputs)
    b_q: np.ndarray  # (num_outputs,)


class Gradients(NamedTuple):
    """Loss, gradient and last state of one pass over a sequence."""

    loss: float  # L, in nats
    grads: Params  # dL/d(parameter)
    state: tuple[np.ndarray]  # (H,) after the last step


# phi and its derivative, the latter as a function of H = phi(A)
ACTIVATIONS = {
    'tanh': (np.tanh, lambda H: 1 - H * H),
    'relu': (lambda A: np.maximum(A, 0), lambda H: (H > 0).astype(H.dtype)),
    'identity': (lambda A: A, np.ones_like),
}


def init_params(num_inputs, num_hiddens, num_outputs, *, seed, sigma=0.1, dtype=np.float64):
    """Gaussian weights of standard deviation `sigma`, biases of zero (section 6.4, where sigma is 0.01)."""
    rng = np.random.default_rng(seed)
    W_xh = rng.normal(0, sigma, (num_inputs, num_hiddens)).astype(dtype)
    W_hh = rng.normal(0, sigma, (num_hiddens, num_hiddens)).astype(dtype)
    W_hq = rng.normal(0, sigma, (num_hiddens, num_outputs)).astype(dtype)
    return Params(W_xh, W_hh, np.zeros(num_hiddens, dtype), W_hq, np.zeros(num_outputs, dtype))


def sgd(params, grads, lr):
    """The parameters after one step of gradient descent; the given ones stay as they are."""
    return Params(*(param - lr * grad for param, grad in zip(params, grads)))


def one_hot(indices, size, dtype=np.float64):
    """Indices of any shape as one-hot rows: (*indices.shape, size)."""
    return np.eye(size, dtype=dtype)[indices]


def cross_entropy(O, Y):
    """The mean cross-entropy of softmax(O), O (..., num_outputs), against Y (...), and its derivative."""
    O = O - O.max(axis=-1, keepdims=True)  # leaves softmax as it is, and exp cannot overflow
    log_p = O - np.log(np.exp(O).sum(axis=-1, keepdims=True))
    Y_one_hot = one_hot(Y, O.shape[-1], O.dtype)
    loss = -(Y_one_hot * log_p).sum() / Y.size
    dO = (np.exp(log_p) - Y_one_hot) / Y.size
    return float(loss), dO


def forward(params, X, state=None, *, activation='tanh'):
    """Run the network. Returns H (num_steps + 1, batch_size, num_hiddens), H[0] the initial state, and
    O (num_steps, batch_size, num_outputs). H[t + 1] and O[t] are what X[t] leads to.
    """
    _check(params, X)
    W_xh, W_hh, b_h, W_hq, b_q = params
    phi, _ = _activation(activation)
    H = np.empty((len(X) + 1, X.shape[1], len(W_hh)), W_hh.dtype)
    H[0] = _initial_state(params, X.shape[1], state)
    for t in range(len(X)):
        H[t + 1] = phi(X[t] @ W_xh + H[t] @ W_hh + b_h)
    O = H[1:] @ W_hq + b_q
    return H, O


def bptt(params, X, Y, state=None, *, activation='tanh'):
    """Back-propagation through time over the whole sequence, section 6.6. Returns `Gradients`.

    Called piece after piece with the state that the last call returned, it is the truncation that consecutive
    sampling makes: the state goes on, the gradient stops where the piece begins.
    """
    _check(params, X, Y)
    H, O = forward(params, X, state, activation=activation)
    loss, dO = cross_entropy(O, Y)
    _, dphi = _activation(activation)

    dA = np.empty_like(H[1:])  # dL/dA_t, where H_t = phi(A_t)
    dH_later = 0  # the part of dL/dH_t that comes through H_{t+1}
    for t in reversed(range(len(X))):
        dH = dO[t] @ params.W_hq.T + dH_later
        dA[t] = dH * dphi(H[t + 1])
        dH_later = dA[t] @ params.W_hh.T
    return Gradients(loss, _parameter_gradients(X, H, dO, dA), (H[-1],))


def truncated_bptt(params, X, Y, state=None, *, k, activation='tanh'):
    """BPTT in which each step's loss reaches k steps: its own and the k - 1 before. Returns `Gradients`.

    The loss of step t takes H_{t-k} for a constant; k = 1 sends nothing through the recurrence, k >= T is
    `bptt`. All losses travel at once: in round j, from 0, dH[t] is what the loss of step t + j sends to t.
    """
    if k < 1:
        raise ValueError(f'k, the number of steps that a loss reaches, must be at least 1, got {k}')
    _check(params, X, Y)
    H, O = forward(params, X, state, activation=activation)
    loss, dO = cross_entropy(O, Y)
    _, dphi = _activation(activation)

    dH_dA = dphi(H[1:])     # local derivatives
    dA = np.zeros_like(dH_dA)
    dH = dO @ params.W_hq.T
    for _ in range(min(k, len(X))):
        dA_round = dH * dH_dA[:len(dH)]
        dA[:len(dH)] += dA_round
        dH = dA_round[1:] @ params.W_hh.T
    return Gradients(loss, _parameter_gradients(X, H, dO, dA), (H[-1],))


class RTRL:
    """Real-time recurrent learning: a network that runs and learns step by step, for as long as it likes.

    With Z_t = [X_t, H_{t-1}, 1] and its weights W = [W_xh; W_hh; b_h], A_t = Z_t W. The sensitivities
    P_t[., k, i, j] = dH_t[., k] / dW[i, j], Williams and Zipser's p^k_ij, go forward beside the state:

        P_t[., k, i, j] = phi'(A_t[., k]) (sum_l W_hh[l, k] P_{t-1}[., l, i, j] + delta_kj Z_t[., i])

    Their targets are for hidden units; here an output layer stands between, and its own gradient needs no P.
    H: (batch_size, num_hiddens); P: (batch_size, num_hiddens, num_inputs + num_hiddens + 1, num_hiddens).
    """

    def __init__(self, params, batch_size, state=None, *, activation='tanh'):
        self.phi, self.dphi = _activation(activation)
        num_inputs, num_hiddens = params.W_xh.shape
        self.H = _initial_state(params, batch_size, state)
        num_weights = num_inputs + num_hiddens + 1  # into one hidden unit
        self.P = np.zeros((batch_size, num_hiddens, num_weights, num_hiddens), self.H.dtype)
        self._spare = np.empty_like(self.P)  # the two take turns, so that no step allocates h^3 numbers

    def step(self, params, X, Y):
        """One step. X: (batch_size, num_inputs); Y: (batch_size,). Returns its loss in nats, the mean over
        the batch, and the gradient of that as Params. The parameters may differ from the step before.
        """
        _check(params, X[None], Y[None], len(self.H))
        W_xh, W_hh, b_h, W_hq, b_q = params
        Z = np.hstack([X, self.H, np.ones_like(X[:, :1])])
        units = np.arange(len(W_hh))

        self.H = self.phi(X @ W_xh + self.H @ W_hh + b_h)
        flat = (*self.H.shape, -1)
        np.matmul(W_hh.T, self.P.reshape(flat), out=self._spare.reshape(flat))
        self.P, self._spare = self._spare, self.P
        self.P[:, units, :, units] += Z
        self.P *= self.dphi(self.H)[:, :, None, None]

        loss, dO = cross_entropy(self.H @ W_hq + b_q, Y)
        dH = dO @ W_hq.T
        dW = np.tensordot(dH, self.P, axes=2)
        dW_xh, dW_hh, db_h = np.split(dW, [len(W_xh), len(W_xh) + len(W_hh)])
        return loss, Params(dW_xh, dW_hh, db_h[0], self.H.T @ dO, dO.sum(axis=0))


def rtrl(params, X, Y, state=None, *, activation='tanh'):
    """RTRL with the weights held still over the sequence: the gradient of `bptt`. Returns `Gradients`."""
    _check(params, X, Y)
    learner = RTRL(params, X.shape[1], state, activation=activation)
    loss, grads = 0.0, Params(*map(np.zeros_like, params))
    for X_t, Y_t in zip(X, Y):
        loss_t, grads_t = learner.step(params, X_t, Y_t)
        loss += loss_t / len(X)
        grads = Params(*(grad + grad_t / len(X) for grad, grad_t in zip(grads, grads_t)))
    return Gradients(loss, grads, (learner.H,))


def rtrl_online(params, X, Y, state=None, *, lr, activation='tanh'):
    """RTRL as Williams and Zipser meant it: after each step the weights move by lr times its gradient.

    Returns the mean loss as the steps met it, the new parameters and the new state. This does not descend by
    the gradient of `bptt`: P holds derivatives at weights that have moved since. They meet as lr goes to 0.
    """
    _check(params, X, Y)
    learner = RTRL(params, X.shape[1], state, activation=activation)
    loss = 0.0
    for X_t, Y_t in zip(X, Y):
        loss_t, grads_t = learner.step(params, X_t, Y_t)
        loss += loss_t / len(X)
        params = sgd(params, grads_t, lr)
    return loss, params, (learner.H,)


def _parameter_gradients(X, H, dO, dA):
    """Section 6.6's sums over time of outer products; all steps and examples in one matrix product."""
    def sum_outer(A, B):
        return A.reshape(-1, A.shape[-1]).T @ B.reshape(-1, B.shape[-1])

    return Params(W_xh=sum_outer(X, dA), W_hh=sum_outer(H[:-1], dA), b_h=dA.sum(axis=(0, 1)),
                  W_hq=sum_outer(H[1:], dO), b_q=dO.sum(axis=(0, 1)))


def _activation(name):
    if name not in ACTIVATIONS:
        raise ValueError(f'activation must be one of {", ".join(ACTIVATIONS)}, got {name!r}')
    return ACTIVATIONS[name]


def _initial_state(params, batch_size, state):
    shape, dtype = (batch_size, len(params.W_hh)), params.W_hh.dtype
    if state is None:
        return np.zeros(shape, dtype)
    if len(state) != 1 or state[0].shape != shape:
        raise ValueError(f'state must be (H,) with H {shape}, got shapes {[H.shape for H in state]}')
    return state[0].astype(dtype)


def _check(params, X, Y=None, batch_size=None):
    num_inputs, num_outputs = len(params.W_xh), len(params.b_q)
    if X.ndim != 3 or X.size == 0 or X.shape[2] != num_inputs or batch_size not in (None, X.shape[1]):
        raise ValueError(f'X must be (num_steps, {batch_size or "batch_size"}, {num_inputs}), got {X.shape}')
    if Y is None:
        return
    if Y.shape != X.shape[:2] or Y.dtype.kind not in 'iu':
        raise ValueError(f'Y must be integers of shape {X.shape[:2]}, got {Y.dtype} of shape {Y.shape}')
    if Y.min() < 0 or Y.max() >= num_outputs:
        raise ValueError(f'Y must be from 0 to {num_outputs - 1}, got {Y.min()} to {Y.max()}')
