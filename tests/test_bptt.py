"""The three ways to the gradient against each other, MXNet's autograd, finite differences and section 6.6."""
import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import bptt

SIZES = (6, 3, 4, 5, 7)  # num_steps, batch_size, num_inputs, num_hiddens, num_outputs
ACTIVATIONS = sorted(bptt.ACTIVATIONS)
some_sizes = st.tuples(*[st.integers(1, 6)] * 5)
some_seed = st.integers(0, 2 ** 32 - 1)
some_activation = st.sampled_from(ACTIVATIONS)
fewer_examples = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope='module')
def mx():
    import mxnet  # only now: importing gluon_rnn has prepared the runtime
    return mxnet


def problem(seed, sizes=SIZES, dtype=np.float64):
    """Parameters with no zero among them, X, Y and a state, all random."""
    num_steps, batch_size, num_inputs, num_hiddens, num_outputs = sizes
    rng = np.random.default_rng(seed)
    shapes = [(num_inputs, num_hiddens), (num_hiddens, num_hiddens), (num_hiddens,),
              (num_hiddens, num_outputs), (num_outputs,)]
    params = bptt.Params(*(rng.normal(0, 0.6, shape).astype(dtype) for shape in shapes))
    X = rng.normal(size=(num_steps, batch_size, num_inputs)).astype(dtype)
    Y = rng.integers(0, num_outputs, (num_steps, batch_size))
    return params, X, Y, (rng.normal(0, 0.6, (batch_size, num_hiddens)).astype(dtype),)


def reference_loss(params, X, Y, state, activation):
    """The loss straight from its definition, example by example."""
    phi = {'tanh': np.tanh, 'relu': lambda a: np.where(a > 0, a, 0), 'identity': lambda a: a}[activation]
    total = 0
    for b in range(Y.shape[1]):
        h = state[0][b]
        for t in range(len(Y)):
            h = phi(X[t, b] @ params.W_xh + h @ params.W_hh + params.b_h)
            o = h @ params.W_hq + params.b_q
            total -= np.log(np.exp(o[Y[t, b]]) / np.exp(o).sum())
    return total / Y.size


def finite_differences(function, array, eps=1e-6):
    """d function() / d array by central differences; function sees array changed in place."""
    derivative = []
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + eps
        above = function()
        array[index] = kept - eps
        below = function()
        array[index] = kept
        derivative.append((above - below) / (2 * eps))
    return np.reshape(derivative, (*array.shape, *np.shape(above)))


def assert_same(result, wanted, seed, rtol=1e-9, atol=1e-12):
    assert_allclose(result.loss, wanted.loss, rtol=rtol, err_msg=f'loss, seed {seed}')
    assert_allclose(result.state[0], wanted.state[0], rtol=rtol, atol=atol, err_msg=f'state, seed {seed}')
    for name, grad, wanted_grad in zip(bptt.Params._fields, result.grads, wanted.grads):
        assert grad.shape == wanted_grad.shape
        assert_allclose(grad, wanted_grad, rtol=rtol, atol=atol, err_msg=f'{name}, seed {seed}')


def autograd(mx, params, X, Y, state, activation='tanh', first_loss=0, num_steps=None):
    """The same network on NDArrays, eager, differentiated by MXNet: a Gradients. The losses before the step
    `first_loss` are left out of the sum, which is divided by num_steps (that of X unless given).
    """
    nd, dtype = mx.nd, str(X.dtype)
    phi = {'tanh': nd.tanh, 'relu': nd.relu, 'identity': nd.identity}[activation]
    W_xh, W_hh, b_h, W_hq, b_q = arrays = [nd.array(param, dtype=dtype) for param in params]
    for array in arrays:
        array.attach_grad()
    H = nd.array(state[0], dtype=dtype)
    loss = nd.zeros(1, dtype=dtype)
    with mx.autograd.record():
        for t in range(len(X)):
            H = phi(nd.dot(nd.array(X[t], dtype=dtype), W_xh) + nd.dot(H, W_hh) + b_h)
            if t >= first_loss:
                log_p = nd.log_softmax(nd.dot(H, W_hq) + b_q)
                loss = loss - nd.pick(log_p, nd.array(Y[t], dtype=dtype)).mean() / (num_steps or len(X))
    loss.backward()
    grads = bptt.Params(*(array.grad.asnumpy() for array in arrays))
    return bptt.Gradients(loss.asscalar(), grads, (H.asnumpy(),))


@pytest.mark.parametrize('activation', ACTIVATIONS)
@pytest.mark.parametrize('method', [bptt.bptt, bptt.rtrl])
def test_gradient_is_that_of_finite_differences(method, activation):
    seed = 1
    params, X, Y, state = problem(seed)
    result = method(params, X, Y, state, activation=activation)

    def loss():
        return reference_loss(params, X, Y, state, activation)

    assert_allclose(result.loss, loss(), rtol=1e-12)
    for name, param, grad in zip(params._fields, params, result.grads):
        assert_allclose(grad, finite_differences(loss, param), rtol=1e-6, atol=1e-9,
                        err_msg=f'{name}, seed {seed}')


@fewer_examples
@given(seed=some_seed, sizes=some_sizes, activation=st.sampled_from(['tanh', 'identity']))
def test_gradient_is_the_slope_in_any_direction(seed, sizes, activation):
    params, X, Y, state = problem(seed, sizes)
    rng = np.random.default_rng(seed + 1)
    direction = [rng.normal(size=param.shape) for param in params]
    _, grads, _ = bptt.bptt(params, X, Y, state, activation=activation)
    along = sum((grad * step).sum() for grad, step in zip(grads, direction))
    eps = 1e-5
    above, below = (reference_loss(bptt.sgd(params, direction, lr), X, Y, state, activation)
                    for lr in (-eps, eps))
    assert_allclose(along, (above - below) / (2 * eps), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('activation', ACTIVATIONS)
@pytest.mark.parametrize('dtype, rtol, atol', [(np.float64, 1e-10, 1e-13), (np.float32, 2e-5, 1e-6)])
def test_bptt_is_autograd(mx, activation, dtype, rtol, atol):
    """Two pieces of a sequence; the state is carried from one to the other and its gradient is not."""
    seed = 2
    params, X, Y, state = problem(seed, dtype=dtype)
    wanted_state = state
    for piece in (slice(0, 3), slice(3, 6)):
        result = bptt.bptt(params, X[piece], Y[piece], state, activation=activation)
        wanted = autograd(mx, params, X[piece], Y[piece], wanted_state, activation)
        assert_same(result, wanted, seed, rtol, atol)
        assert {grad.dtype for grad in result.grads} == {np.dtype(dtype)}
        state, wanted_state = result.state, wanted.state


@pytest.mark.parametrize('dtype, rtol, atol', [(np.float64, 1e-10, 1e-13), (np.float32, 2e-5, 1e-6)])
def test_rtrl_is_autograd(mx, dtype, rtol, atol):
    seed = 3
    params, X, Y, state = problem(seed, dtype=dtype)
    result = bptt.rtrl(params, X, Y, state)
    assert_same(result, autograd(mx, params, X, Y, state), seed, rtol, atol)
    assert {grad.dtype for grad in result.grads} == {np.dtype(dtype)}


@fewer_examples
@given(seed=some_seed, sizes=some_sizes, activation=some_activation)
def test_rtrl_with_weights_held_still_is_bptt(seed, sizes, activation):
    given_problem = problem(seed, sizes)
    assert_same(bptt.rtrl(*given_problem, activation=activation),
                bptt.bptt(*given_problem, activation=activation), seed)


@fewer_examples
@given(seed=some_seed, sizes=some_sizes, more=st.integers(0, 3), activation=some_activation)
def test_truncation_beyond_the_sequence_is_bptt(seed, sizes, more, activation):
    given_problem = problem(seed, sizes)
    assert_same(bptt.truncated_bptt(*given_problem, k=sizes[0] + more, activation=activation),
                bptt.bptt(*given_problem, activation=activation), seed)


@pytest.mark.parametrize('k', range(1, SIZES[0]))
def test_truncation_is_the_sum_of_the_losses_each_k_steps_back(mx, k):
    """Each loss alone, autograd over its last k steps, the state before them a constant; then summed."""
    seed = 4
    params, X, Y, state = problem(seed)
    H, _ = bptt.forward(params, X, state)
    total = bptt.Params(*map(np.zeros_like, params))
    for t in range(len(X)):
        window = slice(max(0, t - k + 1), t + 1)
        _, grads, _ = autograd(mx, params, X[window], Y[window], (H[window.start],),
                               first_loss=t - window.start, num_steps=len(X))
        total = bptt.Params(*map(np.add, total, grads))

    result = bptt.truncated_bptt(params, X, Y, state, k=k)
    full = bptt.bptt(params, X, Y, state)
    assert_same(result, full._replace(grads=total), seed)
    for name in ('W_hq', 'b_q'):  # these need no step back
        assert_allclose(getattr(result.grads, name), getattr(full.grads, name), rtol=1e-12)
    for name in ('W_xh', 'W_hh', 'b_h'):
        assert abs(getattr(result.grads, name) - getattr(full.grads, name)).max() > 1e-5, (name, seed)


def test_truncation_into_pieces_is_another_one():
    """bptt piece after piece reaches less far back than truncated_bptt with k = the piece's length."""
    seed = 5
    params, X, Y, state = problem(seed)
    pieces = []
    for start in (0, 3):
        pieces.append(bptt.bptt(params, X[start:start + 3], Y[start:start + 3], state))
        state = pieces[-1].state
    sliding = bptt.truncated_bptt(*problem(seed), k=3)
    assert_allclose(np.mean([piece.loss for piece in pieces]), sliding.loss, rtol=1e-12)
    in_pieces = np.mean([piece.grads.W_hh for piece in pieces], axis=0)
    assert abs(in_pieces - sliding.grads.W_hh).max() > 1e-5, seed


def test_section_6_6_closed_form():
    """dL/dh_t = sum_{i=t}^T (W_hh^T)^(T-i) W_qh^T dL/do_(T+t-i): the linear network, columns for examples."""
    seed = 6
    params, X, Y, _ = problem(seed, (5, 1, 4, 3, 6))
    params = params._replace(b_h=np.zeros(3), b_q=np.zeros(6))
    W_hx, W_hh, W_qh = params.W_xh.T, params.W_hh.T, params.W_hq.T
    T, x, h = len(X), X[:, 0], [np.zeros(3)]
    for t in range(T):
        h.append(W_hx @ x[t] + W_hh @ h[-1])
    dL_do = []
    for t in range(1, T + 1):
        p = np.exp(W_qh @ h[t])
        dL_do.append((p / p.sum() - np.eye(6)[Y[t - 1, 0]]) / T)
    power = np.linalg.matrix_power
    dL_dh = [sum(power(W_hh.T, T - i) @ W_qh.T @ dL_do[T + t - i - 1] for i in range(t, T + 1))
             for t in range(1, T + 1)]

    _, grads, _ = bptt.bptt(params, X, Y, activation='identity')
    assert_allclose(grads.W_xh.T, sum(np.outer(dL_dh[t], x[t]) for t in range(T)), rtol=1e-10, atol=1e-13)
    assert_allclose(grads.W_hh.T, sum(np.outer(dL_dh[t], h[t]) for t in range(T)), rtol=1e-10, atol=1e-13)
    assert_allclose(grads.W_hq.T, sum(np.outer(dL_do[t], h[t + 1]) for t in range(T)), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize('activation', ACTIVATIONS)
def test_sensitivities_are_derivatives_of_the_state(activation):
    seed = 7
    params, X, Y, state = problem(seed)
    learner = bptt.RTRL(params, X.shape[1], state, activation=activation)
    for X_t, Y_t in zip(X, Y):
        learner.step(params, X_t, Y_t)

    def last_state():
        return bptt.forward(params, X, state, activation=activation)[0][-1]

    assert_array_equal(learner.H, last_state())
    W_xh, W_hh, b_h = (finite_differences(last_state, param) for param in params[:3])
    wanted = np.concatenate([W_xh, W_hh, b_h[None]])  # i, j, batch, k
    assert_allclose(learner.P, wanted.transpose(2, 3, 0, 1), rtol=1e-6, atol=1e-9, err_msg=f'seed {seed}')


def test_rtrl_goes_on_where_bptt_would_have_to_look_back():
    """One learner over two pieces gives the second piece's exact gradient; rtrl begun anew there does not."""
    seed = 8
    params, X, Y, state = problem(seed)
    learner = bptt.RTRL(params, X.shape[1], state)
    by_step = [learner.step(params, X_t, Y_t)[1].W_hh for X_t, Y_t in zip(X, Y)]
    whole, first = bptt.bptt(params, X, Y, state), bptt.bptt(params, X[:3], Y[:3], state)
    of_the_second = 6 * whole.grads.W_hh - 3 * first.grads.W_hh
    assert_allclose(np.sum(by_step[3:], axis=0), of_the_second, rtol=1e-9, atol=1e-12)
    anew = bptt.rtrl(params, X[3:], Y[3:], first.state)
    assert abs(np.mean(by_step[3:], axis=0) - anew.grads.W_hh).max() > 1e-5, seed


def test_online_moves_the_weights_at_every_step():
    seed, lr = 9, 0.3
    start, X, Y, state = problem(seed)
    loss, params, new_state = bptt.rtrl_online(start, X, Y, state, lr=lr)

    learner, by_hand, losses = bptt.RTRL(start, X.shape[1], state), start, []
    for X_t, Y_t in zip(X, Y):
        loss_t, grads = learner.step(by_hand, X_t, Y_t)
        by_hand = bptt.sgd(by_hand, grads, lr)
        losses.append(loss_t)
    assert_allclose(loss, np.mean(losses), rtol=1e-12)
    assert_array_equal(new_state[0], learner.H)
    for param, wanted in zip(params, by_hand):
        assert_array_equal(param, wanted)

    held_still = bptt.rtrl(start, X, Y, state)
    assert abs(params.W_hh - bptt.sgd(start, held_still.grads, lr * len(X)).W_hh).max() > 1e-3, seed
    assert abs(loss - held_still.loss) > 1e-3, seed


def test_online_with_one_step_is_bptt():
    seed, lr = 10, 0.5
    params, X, Y, state = problem(seed, (1, *SIZES[1:]))
    loss, moved, new_state = bptt.rtrl_online(params, X, Y, state, lr=lr)
    grads = bptt.Params(*((before - after) / lr for before, after in zip(params, moved)))
    assert_same(bptt.Gradients(loss, grads, new_state), bptt.bptt(params, X, Y, state), seed)


def test_online_meets_bptt_as_lr_goes_to_zero():
    """The error of the way moved, divided by lr, shrinks in proportion to lr."""
    seed = 11
    params, X, Y, state = problem(seed)
    _, grads, _ = bptt.bptt(params, X, Y, state)
    errors = []
    for lr in (1e-3, 1e-4, 1e-5):
        _, moved, _ = bptt.rtrl_online(params, X, Y, state, lr=lr)
        errors.append(abs((params.W_hh - moved.W_hh) / (lr * len(X)) - grads.W_hh).max())
    assert_allclose(np.divide(errors[:-1], errors[1:]), 10, rtol=0.05, err_msg=f'seed {seed}')


def test_cross_entropy_of_huge_outputs():
    loss, dO = bptt.cross_entropy(np.array([[1000.0, 0.0], [0.0, 1000.0]]), np.array([0, 0]))
    assert loss == 500
    assert_array_equal(dO, [[0, 0], [-0.5, 0.5]])


def test_nothing_given_is_changed():
    seed = 12
    given_problem, untouched = problem(seed), problem(seed)
    bptt.bptt(*given_problem)
    bptt.truncated_bptt(*given_problem, k=2)
    bptt.rtrl(*given_problem)
    bptt.rtrl_online(*given_problem, lr=1.0)
    for used, kept in zip([*given_problem[0], *given_problem[1:3], *given_problem[3]],
                          [*untouched[0], *untouched[1:3], *untouched[3]]):
        assert_array_equal(used, kept)


def test_init_params_follows_its_seed():
    first, again, other = (bptt.init_params(4, 3, 5, seed=seed, dtype=np.float32) for seed in (0, 0, 1))
    for a, b in zip(first, again):
        assert_array_equal(a, b)
        assert a.dtype == np.float32
    assert (first.W_hh != other.W_hh).all()
    assert not first.b_h.any() and not first.b_q.any()
    assert abs(bptt.init_params(50, 50, 50, seed=0, sigma=0.01).W_hh.std() - 0.01) < 1e-3


@pytest.mark.parametrize('change, message', [
    ({'X': np.zeros((6, 3, 5))}, r'X must be \(num_steps, batch_size, 4\), got \(6, 3, 5\)'),
    ({'X': np.zeros((6, 4))}, r'X must be .*, got \(6, 4\)'),
    ({'X': np.zeros((0, 3, 4))}, r'X must be .*, got \(0, 3, 4\)'),
    ({'Y': np.zeros((5, 3), int)}, r'Y must be integers of shape \(6, 3\), got int\d+ of shape \(5, 3\)'),
    ({'Y': np.zeros((6, 3))}, r'Y must be integers of shape \(6, 3\), got float64'),
    ({'Y': np.full((6, 3), 7)}, 'Y must be from 0 to 6, got 7 to 7'),
    ({'Y': np.full((6, 3), -1)}, 'Y must be from 0 to 6, got -1 to -1'),
    ({'state': (np.zeros((2, 5)),)}, r'state must be \(H,\) with H \(3, 5\), got shapes \[\(2, 5\)\]'),
    ({'state': ()}, r'state must be \(H,\) with H \(3, 5\), got shapes \[\]'),
    ({'activation': 'sigmoid'}, "activation must be one of tanh, relu, identity, got 'sigmoid'"),
])
def test_misfits_are_named(change, message):
    params, X, Y, state = problem(13)
    arguments = {'params': params, 'X': X, 'Y': Y, 'state': state, **change}
    for method, flags in [(bptt.bptt, {}), (bptt.truncated_bptt, {'k': 2}), (bptt.rtrl, {}),
                          (bptt.rtrl_online, {'lr': 1.0})]:
        with pytest.raises(ValueError, match=message):
            method(**arguments, **flags)


def test_more_misfits_are_named():
    params, X, Y, _ = problem(14)
    with pytest.raises(ValueError, match=r'k, .* must be at least 1, got 0'):
        bptt.truncated_bptt(params, X, Y, k=0)
    with pytest.raises(ValueError, match=r'X must be \(num_steps, 3, 4\), got \(1, 2, 4\)'):
        bptt.RTRL(params, 3).step(params, X[0, :2], Y[0, :2])


def test_imports_numpy_alone():
    tree = ast.parse(Path(bptt.__file__).read_text(encoding='utf-8'))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {'__future__', 'typing', 'numpy'}
