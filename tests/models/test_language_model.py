"""The contract that the trainer and the generator know, for every implementation; carrying weights between them."""
from dataclasses import replace

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import ModelConfig, build_model, copy_params
from gluon_rnn.cells.build import IMPLS

VOCAB_SIZE = 7
CONFIGS = {
    'rnn': ModelConfig('rnn', num_hiddens=5, vocab_size=VOCAB_SIZE),
    'gru': ModelConfig('gru', num_hiddens=5, vocab_size=VOCAB_SIZE, reset_after=True),
    'lstm': ModelConfig('lstm', num_hiddens=5, vocab_size=VOCAB_SIZE),
    'deep': ModelConfig('lstm', num_hiddens=5, num_layers=2, vocab_size=VOCAB_SIZE),
    'bidirectional': ModelConfig('gru', num_hiddens=5, bidirectional=True, vocab_size=VOCAB_SIZE, reset_after=True),
    'unequal': ModelConfig('lstm', num_hiddens=5, num_layers=2, bidirectional=True, backward_hiddens=3, vocab_size=VOCAB_SIZE),
}
every_model = pytest.mark.parametrize('config', [pytest.param(replace(config, impl=impl), id=f'{name} {impl}')
                                                 for name, config in CONFIGS.items() for impl in IMPLS])


def large_weights(model):
    for param in model.parameters().values():
        param[:] = nd.random.normal(scale=0.7, shape=param.shape)
    return model


def characters(batch_size, num_steps):
    return nd.array(np.random.randint(0, VOCAB_SIZE, (batch_size, num_steps)))


@every_model
def test_contract(config):
    model = large_weights(build_model(config))
    X, state = characters(2, 3), model.begin_state(2)
    assert isinstance(state, tuple) and not any(s.asnumpy().any() for s in state)
    with autograd.record():
        logits, last = model(X, state)
        (logits ** 2).sum().backward()
    assert logits.shape == (3 * 2, VOCAB_SIZE)
    assert isinstance(last, tuple) and [s.shape for s in last] == [s.shape for s in state]
    for name, param in model.parameters().items():
        assert np.abs(param.grad.asnumpy()).max() > 0, f'{name} has no gradient'


@every_model
def test_logits_are_time_major(config):
    """Row t * batch_size + b is what follows character t of row b."""
    model = large_weights(build_model(config))
    X = characters(3, 4)
    logits, _ = model(X, model.begin_state(3))
    for row in range(3):
        alone, _ = model(X[row:row + 1], model.begin_state(1))
        assert_allclose(logits.asnumpy()[row::3], alone.asnumpy(), rtol=0, atol=3e-6)


@every_model
def test_state_goes_on(config):
    """Read in two parts a text gives what it gives in one, but for a direction that runs from the end."""
    model = large_weights(build_model(config))
    X = characters(2, 6)
    whole, _ = model(X, model.begin_state(2))
    first, state = model(X[:, :4], model.begin_state(2))
    second, _ = model(X[:, 4:], state)
    parts = np.concatenate([first.asnumpy(), second.asnumpy()])
    if config.bidirectional:
        assert np.abs(parts - whole.asnumpy()).max() > 1e-2
    else:
        assert_allclose(parts, whole.asnumpy(), rtol=0, atol=3e-6)


@pytest.mark.parametrize('impl', IMPLS)
@pytest.mark.parametrize('name', ['bidirectional', 'unequal'])
def test_second_direction_starts_anew(name, impl):
    model = large_weights(build_model(replace(CONFIGS[name], impl=impl)))
    _, state = model(characters(2, 3), model.begin_state(2))
    values = [array for s in state for array in ([s] if s.ndim == 2 else list(s))]
    alive = sum(bool(array.asnumpy().any()) for array in values)
    assert alive == len(values) / 2


@pytest.mark.parametrize('source, target', [*zip(IMPLS, [*IMPLS[1:], IMPLS[0]])])       # the book's layout is between them
@pytest.mark.parametrize('name', CONFIGS)
def test_copy_params(name, source, target):
    one, other = (build_model(replace(CONFIGS[name], impl=impl)) for impl in (source, target))
    params = {key: np.random.normal(size=value.shape).astype(np.float32) for key, value in one.book_params().items()}
    one.load_book_params(params)
    copy_params(one, other)
    for key, value in other.book_params().items():
        assert_array_equal(value, params[key])
    X = characters(2, 5)
    assert_allclose(other(X, other.begin_state(2))[0].asnumpy(), one(X, one.begin_state(2))[0].asnumpy(), rtol=0, atol=2e-5)


@pytest.mark.parametrize('impl', IMPLS)
@pytest.mark.parametrize('name', ['gru', 'deep', 'bidirectional'])
def test_wrong_weights_are_named(name, impl):
    model = build_model(replace(CONFIGS[name], impl=impl))
    params = model.book_params()
    some = next(iter(params))
    short = some.rpartition('.')[2]
    wrong = {f'missing .*{short}': {key: value for key, value in params.items() if key != some},
             'missing .*W_hq': {key: value for key, value in params.items() if key != 'W_hq'},
             'W_extra': {**params, 'W_extra': params[some]},
             'layer9.W_xh': {**params, 'layer9.W_xh': params[some]},
             r'b_q must have shape \(7,\), got \(8,\)': {**params, 'b_q': np.zeros(8, dtype=np.float32)},
             f'{short} must have shape .*, got .9, 9': {**params, some: np.zeros((9, 9), dtype=np.float32)}}
    for message, weights in wrong.items():
        with pytest.raises(ValueError, match=message):
            model.load_book_params(weights)


def test_inner_bias_of_gluons_gru_comes_and_goes():
    model = build_model(ModelConfig('gru', 'gluon', num_hiddens=5, vocab_size=VOCAB_SIZE))
    params = model.book_params()
    inner = np.arange(1, 6, dtype=np.float32)
    model.load_book_params({**params, 'b_hh': inner})
    assert_array_equal(model.book_params()['b_hh'], inner)
    model.load_book_params(params)
    assert 'b_hh' not in model.book_params()
    with pytest.raises(ValueError, match=r'b_hh must have shape \(5,\), got \(6,\)'):
        model.load_book_params({**params, 'b_hh': np.ones(6, dtype=np.float32)})


def test_weights_of_another_network():
    with pytest.raises(ValueError, match='W_xz'):
        copy_params(build_model(CONFIGS['rnn']), build_model(CONFIGS['gru']))
    with pytest.raises(ValueError, match='in layer2'):
        copy_params(build_model(CONFIGS['deep']), build_model(replace(CONFIGS['deep'], num_layers=3)))
    with pytest.raises(ValueError, match=r'unexpected .*layer2'):
        copy_params(build_model(replace(CONFIGS['deep'], num_layers=3)), build_model(CONFIGS['deep']))


def test_state_for_another_context():
    model = build_model(CONFIGS['gru'], mx.cpu(1))
    assert model.begin_state(2, mx.cpu(1))[0].context == mx.cpu(1)
    with pytest.raises(ValueError, match=r'the model lives on cpu\(1\), a state on cpu\(0\)'):
        model.begin_state(2, mx.cpu(0))


@pytest.mark.parametrize('changes, message', [
    ({'vocab_size': 0}, 'vocab_size must be 1 or more, got 0'),
    ({'cell': 'elman'}, "cell must be one of rnn, gru, lstm.*, got 'elman'"),
    ({'impl': 'torch'}, "impl must be one of scratch, .*got 'torch'"),
    ({'num_hiddens': 0}, 'num_hiddens must be 1 or more, got 0'),
    ({'num_layers': -1}, 'num_layers must be 1 or more, got -1'),
    ({'backward_hiddens': 3}, 'backward_hiddens needs a bidirectional network'),
    ({'bidirectional': True, 'backward_hiddens': 0}, 'backward_hiddens must be 1 or more, got 0'),
    ({'activation': 'relu'}, "activation 'relu' needs cell rnn"),
    ({'cell': 'rnn', 'activation': 'softplus'}, "activation must be one of tanh, relu, sigmoid, got 'softplus'"),
    ({'cell': 'lstm', 'reset_after': True}, 'reset_after is a choice of the gru only'),
    ({'impl': 'gluon', 'reset_after': False}, "gluon.rnn's GRU always resets after the product"),
])
def test_no_such_model(changes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**{'vocab_size': 5, **changes})
