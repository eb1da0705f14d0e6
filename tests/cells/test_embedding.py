"""An embedding before every network: equal in all implementations, and to one-hot vectors where W_e is the identity."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd
from numpy.testing import assert_allclose, assert_array_equal

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, copy_params, generate
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.training.loss import evaluate
from gluon_rnn.training.step import PlainStep, WholeStep

VOCAB, T, B = 31, 6, 4
CONFIGS = {'rnn': {'cell': 'rnn'}, 'gru': {'cell': 'gru', 'reset_after': True}, 'lstm': {'cell': 'lstm', 'num_layers': 2},
           'bi-lstm': {'cell': 'lstm', 'bidirectional': True}}
OTHERS = [impl for impl in IMPLS if impl != 'scratch']
TEXT = np.random.default_rng(6).integers(0, VOCAB, 400)


def model(impl, **config):
    gluon_rnn.seed(0)
    config = {'num_hiddens': 19, 'embed_size': 11, **config}
    built = build_model(ModelConfig(vocab_size=VOCAB, impl=impl, **config))
    gluon_rnn.models.language_model.redraw_weights(built, 0.3)
    return built


def passed(built, lengths=None):
    """Logits, states and the gradient of W_e over two calls."""
    X = nd.array(np.random.default_rng(1).integers(0, VOCAB, (B, T)))
    with autograd.record():
        first, state = built(X, built.begin_state(B), lengths)
        second, state = built(X, state, lengths)
        loss = (first ** 2).sum() + (second ** 2).sum()
    loss.backward()
    return [array.asnumpy() for array in (first, second, built.embedding.W_e.grad)]


@pytest.mark.parametrize('lengths', [None, [3, T, 1, 5]], ids=['whole', 'lengths'])
@pytest.mark.parametrize('variant', CONFIGS)
def test_all_implementations_are_equal(variant, lengths):
    scratch = model('scratch', **CONFIGS[variant])
    expected = passed(scratch, lengths)
    assert expected[2].any()
    for impl in OTHERS:
        other = model(impl, **CONFIGS[variant])
        copy_params(scratch, other)
        for got, wanted in zip(passed(other, lengths), expected):
            assert_allclose(got, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max(), err_msg=impl)


@pytest.mark.parametrize('impl', IMPLS)
def test_the_identity_is_one_hot(impl):
    with_embedding, without = model(impl, embed_size=VOCAB), model(impl, embed_size=0)
    with_embedding.load_book_params({**without.book_params(), 'W_e': np.eye(VOCAB)})
    X = nd.array(TEXT[:24].reshape(B, T))
    for got, wanted in zip(with_embedding(X, with_embedding.begin_state(B)), without(X, without.begin_state(B))):
        got, wanted = [array[0] if isinstance(array, tuple) else array for array in (got, wanted)]
        assert_allclose(got.asnumpy(), wanted.asnumpy(), rtol=1e-5, atol=1e-6)


def test_the_gradient_by_finite_differences():
    built = model('scratch')
    X, weight = nd.array(TEXT[:24].reshape(B, T)), built.embedding.W_e
    passed(built)
    X = nd.array(np.random.default_rng(1).integers(0, VOCAB, (B, T)))
    row, column, found = int(X[0, 0].asscalar()), 3, []

    def loss():
        first, state = built(X, built.begin_state(B))
        second, _ = built(X, state)
        return float(((first ** 2).sum() + (second ** 2).sum()).asscalar())
    for step in (1e-2, -1e-2):
        weight[row, column] += step
        found.append(loss())
        weight[row, column] -= step
    assert_allclose((found[0] - found[1]) / 2e-2, weight.grad[row, column].asscalar(), rtol=2e-2)


@pytest.mark.parametrize('variant, optimizer, lr, theta', [
    ('rnn', 'adam', 1e-3, 0), ('gru', 'sgd', 1.0, 1e-1), ('lstm', 'adam', 1e-3, 0), ('bi-lstm', 'sgd', 1.0, 1e-1)])
def test_a_whole_step_equals_the_plain_way(variant, optimizer, lr, theta):
    config = TrainConfig(num_epochs=1, num_steps=6, batch_size=8, lr=lr, optimizer=optimizer, clipping_theta=theta)
    found = []
    for impl, plain in (('scratch', True), ('numba', False), ('numba', True)):
        trainer = Trainer(model(impl, **CONFIGS[variant]), config)
        if plain:
            trainer.step = PlainStep(trainer.replicas, trainer.optimizer, config.batch_size)
        assert type(trainer.step) is (PlainStep if plain else WholeStep)
        found.append(([(r.perplexity, r.grad_norm, r.valid_perplexity) for r in trainer.epochs(TEXT, TEXT[:150])],
                      trainer.model.book_params()))
    for figures, params in found[1:]:
        assert_allclose(figures, found[0][0], rtol=2e-5)
        for name, wanted in found[0][1].items():
            assert_allclose(params[name], wanted, rtol=0, atol=2e-4, err_msg=name)


def test_sgd_touches_only_the_rows_that_occurred():
    built = model('numba')
    before = built.embedding.W_e.asnumpy()
    X = np.array([[3, 7, 3], [7, 9, 3]])
    built.train_step(X, X, built.begin_state(2), {'optimizer': 'sgd', 'lr': 1.0, 'clipping_theta': 0})
    moved = np.flatnonzero((built.embedding.W_e.asnumpy() != before).any(axis=1))
    assert_array_equal(moved, [3, 7, 9])


@pytest.mark.parametrize('variant', CONFIGS)
def test_all_write_the_same(variant):
    scratch, how = model('scratch', **CONFIGS[variant]), {'temperature': 0.7, 'top_k': 9, 'seed': 3}
    chars = [chr(0x4e00 + i) for i in range(VOCAB)]
    wanted = generate(scratch, chars, chars[3] + chars[7], 20, **how)
    assert len(set(wanted)) > 5
    for impl in OTHERS:
        other = model(impl, **CONFIGS[variant])
        copy_params(scratch, other)
        assert generate(other, chars, chars[3] + chars[7], 20, **how) == wanted


def test_errors():
    with pytest.raises(ValueError, match=r'embed_size must be 0 [(]none[)] or more, got -1'):
        ModelConfig(vocab_size=3, embed_size=-1)
    with pytest.raises(ValueError, match='W_e must have shape'):
        copy_params(model('scratch', embed_size=4), model('scratch'))
    built = model('scratch')
    with pytest.raises(ValueError, match=f'X must be whole numbers from 0 to {VOCAB - 1}'):
        built(nd.array([[0, VOCAB]]), built.begin_state(1))[0].asnumpy()


def test_on_several_contexts():
    config = TrainConfig(num_epochs=1, num_steps=6, batch_size=8, lr=1.0)
    from gluon_rnn.training.kvstore import Store
    one = Trainer(model('scratch'), config)
    list(one.epochs(TEXT))
    replica = build_model(one.model.config, mx.cpu(1))
    two = Trainer(model('scratch'), config, replicas=[replica], store=Store('device'))
    list(two.epochs(TEXT))
    assert_allclose(two.model.book_params()['W_e'], one.model.book_params()['W_e'], atol=1e-5)
    assert evaluate(replica, TEXT, 8, 6) == pytest.approx(evaluate(one.model, TEXT, 8, 6), rel=1e-5)
