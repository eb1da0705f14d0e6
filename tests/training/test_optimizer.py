"""Clipping and the step on the weights, beside NumPy and d2lzh."""
import re

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn.training.optimizer import Optimizer, global_norm, make_optimizer
from tests.training.parameters import numbers, parameters


@pytest.mark.parametrize('count', [1, 40, 41, 85])
def test_global_norm(count):
    params = parameters(count)
    expected = np.sqrt(sum((grad ** 2).sum() for _, grad in numbers(params)))
    norm = global_norm([param.grad for param in params.values()])
    assert norm.shape == (1,)
    assert_allclose(norm.asscalar(), expected, rtol=3e-7)


@pytest.mark.parametrize('count', [3, 85])
@pytest.mark.parametrize('theta', [0, 0.01, 1e3])
def test_sgd_step(count, theta):
    """w - lr * min(1, theta / norm) * gradient; theta 0 clips nothing, and neither does a theta above the norm."""
    params = parameters(count)
    before = numbers(params)
    norm = np.sqrt(sum((grad ** 2).sum() for _, grad in before))
    returned = Optimizer(params, 'sgd', 0.5, theta).step()
    factor = min(1, theta / norm) if theta else 1
    assert_allclose(returned.asscalar(), norm, rtol=3e-7)      # the norm before clipping
    for param, (weight, grad) in zip(params.values(), before):
        assert_allclose(param.asnumpy(), weight - 0.5 * factor * grad, rtol=0, atol=3e-7)
        assert_array_equal(param.grad.asnumpy(), grad)


@pytest.mark.parametrize('theta', [0, 0.01])
def test_other_optimizers_meet_clipped_gradients(theta):
    """Adam's first step is lr in the direction of the gradient's sign, whatever its length, so look at its memory."""
    params = parameters()
    before = numbers(params)
    norm = np.sqrt(sum((grad ** 2).sum() for _, grad in before))
    optimizer = Optimizer(params, 'adam', 0.1, theta)
    optimizer.step()
    memory, _ = optimizer.state()
    for (name, param), (weight, grad) in zip(params.items(), before):
        assert_allclose(memory[f'{name}/0'], 0.1 * grad * (theta / norm if theta else 1), rtol=1e-5)
        assert_allclose(param.asnumpy(), weight - 0.1 * np.sign(grad), atol=0.01)


def test_zero_gradients_change_nothing():
    params = parameters(scale=0)
    before = [param.asnumpy() for param in params.values()]
    assert Optimizer(params, 'sgd', 1e2, 1e-2).step().asscalar() == 0
    for param, value in zip(params.values(), before):
        assert_array_equal(param.asnumpy(), value)


def test_stays_on_the_device():
    params = {'p': nd.ones((2,), ctx=mx.cpu(1))}
    params['p'].attach_grad()
    assert Optimizer(params, 'sgd', 0.1, 1.0).step().context == mx.cpu(1)


def test_state_of_another_optimizer_or_model():
    adam, momentum = (Optimizer(parameters(), name, 0.1, 0) for name in ('adam', 'nag'))
    adam.step()
    arrays, plain = adam.state()
    with pytest.raises(ValueError, match='the optimizer state belongs to another optimizer'):
        momentum.load_state(arrays, plain)
    with pytest.raises(ValueError, match='the optimizer state of p0 belongs to another optimizer or model'):
        Optimizer(parameters(), 'adam', 0.1, 0).load_state({**arrays, 'p0/0': np.zeros((9, 9))}, plain)


@pytest.mark.parametrize('name', ['sgd', 'adam', 'rmsprop', 'adagrad'])
def test_going_on_with_another_lr(name):
    """A hundredth of the lr moves the weights a hundredth of the way, from one memory and one gradient."""
    params = parameters()
    first = Optimizer(params, name, 0.1, 0)
    first.step()
    moved, before, state = [], numbers(params), first.state()
    for lr in (0.1, 0.001):
        for param, (weight, grad) in zip(params.values(), before):
            param[:], param.grad[:] = weight, grad
        optimizer = Optimizer(params, name, lr, 0)
        optimizer.load_state(*state)
        optimizer.step()
        moved.append(np.concatenate([(param.asnumpy() - weight).ravel() for param, (weight, _) in zip(params.values(), before)]))
    assert np.abs(moved[0]).max() > 1e-3
    assert_allclose(moved[1], moved[0] / 100, rtol=0, atol=3e-7)


def by_hand(name, w, g, decay):
    """Two steps with lr 0.01 of a weight w whose clipped gradient is g both times, in float64."""
    m = v = 0.0
    for t in (1, 2):
        gradient = g + decay * w * (name == 'adam')
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient ** 2
        moved = gradient if name == 'sgd' else m / (1 - 0.9 ** t) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8)
        w = w * (1 - 0.01 * decay * (name != 'adam')) - 0.01 * moved
    return w


@pytest.mark.parametrize('ctx', [mx.cpu(0), mx.cpu(1)])
@pytest.mark.parametrize('name', ['sgd', 'adam', 'adamw'])
def test_weight_decay_by_hand(name, ctx):
    """Of a matrix; a bias has none. The gradients' norm is 1: clipping to 0.5 halves them, not the decay."""
    W, b = np.array([[3.0, -2.0], [1.0, 0.5]]), np.array([1.0, 4.0])
    G, g = np.array([[0.5, 0.1], [-0.5, 0.3]]), np.array([0.5, -0.3872983346])
    params = {'W': nd.array(W, ctx=ctx), 'b': nd.array(b, ctx=ctx)}
    for param in params.values():
        param.attach_grad()
    optimizer = Optimizer(params, name, 0.01, 0.5, 0.1)
    for _ in range(2):
        params['W'].grad[:], params['b'].grad[:] = nd.array(G, ctx=ctx), nd.array(g, ctx=ctx)
        optimizer.step()
    assert_allclose(params['W'].asnumpy(), by_hand(name, W, G / 2, 0.1), rtol=2e-6)
    assert_allclose(params['b'].asnumpy(), by_hand(name, b, g / 2, 0), rtol=2e-6)


@pytest.mark.parametrize('name', ['newton', 'groupadagrad'])
def test_unknown_optimizer(name):
    """groupadagrad is MXNet's for embeddings alone: it takes no bias."""
    with pytest.raises(ValueError, match=rf"optimizer must be one of adadelta, .*, got '{name}'"):
        make_optimizer(name, 0.1)


def offered():
    """Names of all optimizers that may be asked for."""
    with pytest.raises(ValueError) as refused:
        make_optimizer('newton', 0.1)
    return re.search('one of (.*), got', str(refused.value))[1].split(', ')


OFFERED = offered()


def lamb(g, w):
    r = g / (np.abs(g) + 1e-6)
    return 0.01 * r * (np.linalg.norm(w) / np.linalg.norm(r) if w.any() and r.any() else 1)


def lars(g, w):
    return 0.01 * g * (0.001 * np.linalg.norm(w) / np.linalg.norm(g) if w.any() and g.any() else 1)


def nadam(g, w):
    mu, mu_next = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in (1, 2))
    return 0.01 * ((1 - mu) * g / (1 - mu) + mu_next * 0.1 * g / (1 - mu * mu_next)) / (np.abs(g) + 1e-8)


# One step from a new optimizer, by its paper's formula: of a gradient g, the weights w and the learning rate 0.01.
FIRST_STEP = {'sgd': lambda g, w: 0.01 * g, 'nag': lambda g, w: 0.01 * g, 'dcasgd': lambda g, w: 0.01 * g,
              'lbsgd': lambda g, w: 0.01 * g, 'signum': lambda g, w: 0.01 * np.sign(g),
              'lamb': lamb, 'lars': lars, 'nadam': nadam,
              'adam': lambda g, w: 0.01 * g / (np.abs(g) + 1e-8 / np.sqrt(0.001)),
              'adamw': lambda g, w: 0.01 * g / (np.abs(g) + 1e-8 / np.sqrt(0.001)),     # without decay it is Adam
              'ftml': lambda g, w: 0.01 * g / (np.abs(g) + 1e-8),
              'adagrad': lambda g, w: 0.01 * g / np.sqrt(g ** 2 + 1e-7),
              'rmsprop': lambda g, w: 0.01 * g / np.sqrt(0.1 * g ** 2 + 1e-8),
              'adadelta': lambda g, w: np.sqrt(1e-5) / np.sqrt(0.1 * g ** 2 + 1e-5) * g}


def test_each_that_is_offered_is_held_to_its_formula():
    assert sorted([*FIRST_STEP, 'sgld']) == OFFERED


@pytest.mark.parametrize('name', OFFERED)
def test_a_gradient_of_zero_moves_nothing(name):
    """As that of a character that no batch has; sgld alone draws noise."""
    param = nd.array([[1, 2, 3]])
    param.attach_grad()
    optimizer = Optimizer({'w': param}, name, 0.01, 1)
    for _ in range(3):
        param.grad[:] = nd.array([[0, 0.5, -1]])
        optimizer.step()
    moved = param.asnumpy()[0]
    assert np.isfinite(moved).all()
    if name != 'sgld':
        assert moved[0] == 1 and moved[1] < 2 and moved[2] > 3


@pytest.mark.parametrize('name', sorted(FIRST_STEP))
def test_the_first_step_in_float64(name):
    """Of several parameters, one that begins at zero and one without any gradient: none may change what another does."""
    weights = [np.array([1, 2, 3, 4.0]), np.zeros(4), np.array([0.5, -1, 2, 0]), np.zeros(4)]
    gradients = [np.array([0, 0.5, -1, 1e-3]), np.array([0, -2, 1, 1e-3]), np.zeros(4), np.zeros(4)]
    params = {str(i): nd.array(w) for i, w in enumerate(weights)}
    for param, gradient in zip(params.values(), gradients):
        param.attach_grad()
        param.grad[:] = nd.array(gradient)
    Optimizer(params, name, 0.01, 0).step()
    for param, w, g in zip(params.values(), weights, gradients):
        assert_allclose(param.asnumpy(), w - FIRST_STEP[name](g, w), rtol=2e-5, atol=3e-9)


def test_nadam_over_steps_and_parameters():
    """Dozat's products of momenta, which grow once a step; and again from a checkpoint in the middle."""
    rng, params = np.random.default_rng(0), parameters(3)
    weights, m, v = ([value for value, _ in numbers(params)] if k == 0 else [0.0] * 3 for k in range(3))
    optimizer, product = Optimizer(params, 'nadam', 0.01, 0), 1.0
    for t in range(1, 6):
        mu, mu_next = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
        product *= mu
        for i, param in enumerate(params.values()):
            g = rng.normal(size=param.shape).astype(np.float32)
            param.grad[:] = nd.array(g)
            m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g.astype(np.float64) ** 2
            m_bar = (1 - mu) * g / (1 - product) + mu_next * m[i] / (1 - product * mu_next)
            weights[i] = weights[i] - 0.01 * m_bar / (np.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8)
        optimizer.step()
        if t == 3:
            state, optimizer = optimizer.state(), Optimizer(params, 'nadam', 0.01, 0)
            optimizer.load_state(*state)
        for param, wanted in zip(params.values(), weights):
            assert_allclose(param.asnumpy(), wanted, rtol=0, atol=2e-6)


def test_sgld_draws_its_noise_around_the_step():
    """Of variance lr, around half a step down."""
    params = {'w': nd.zeros((200, 200))}
    params['w'].attach_grad()
    params['w'].grad[:] = 1
    Optimizer(params, 'sgld', 0.01, 0).step()
    moved = params['w'].asnumpy()
    assert_allclose([moved.mean(), moved.std()], [-0.005, 0.1], rtol=0, atol=0.0015)      # three standard errors


@pytest.mark.parametrize('name', ['adamax', 'ftrl'])
def test_what_is_not_offered(name):
    with pytest.raises(ValueError, match='optimizer must be one of adadelta, '):
        make_optimizer(name, 0.01)
