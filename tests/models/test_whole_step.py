"""A whole step of training in one call against the plain way of the network by hand."""
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gluon_rnn
from gluon_rnn import TrainConfig, Trainer
from gluon_rnn.training.step import PlainStep, WholeStep
from tests.models.networks import CONFIGS, TEXT, model


def trained(built, config, *, plain=False):
    trainer = Trainer(built, config)
    if plain:
        trainer.step = PlainStep(trainer.replicas, trainer.optimizer, config.batch_size)
    else:
        assert isinstance(trainer.step, WholeStep) == (built.config.impl == 'numba')
    return [(record.perplexity, record.grad_norm) for record in trainer.epochs(TEXT, TEXT[:150])], trainer


# every network by SGD; by the other ways, which know nothing of the network but its parameters, those of most parts
@pytest.mark.parametrize(('variant', 'optimizer', 'lr', 'theta', 'decay'), [
    *((name, 'sgd', 1.0, 1e-1, 0) for name in CONFIGS if name not in ('relu', 'bi-rnn', 'bi-lstm')),
    ('bi-gru', 'sgd', 0.1, 0, 0.1), ('bi-gru', 'adam', 1e-3, 1e-1, 0), ('deep-bi-lstm', 'adam', 1e-3, 1e-1, 0)])
def test_a_whole_step_equals_the_plain_way_of_the_network_by_hand(variant, optimizer, lr, theta, decay):
    """Twelve steps of training, with the state carried on."""
    config = TrainConfig(num_epochs=1, num_steps=6, batch_size=8, lr=lr, optimizer=optimizer, clipping_theta=theta,
                         weight_decay=decay)
    built = [model(impl, **CONFIGS[variant]) for impl in ('scratch', 'numba')]
    (wanted, _), (got, _) = [trained(one, config) for one in built]
    assert_allclose(got, wanted, rtol=2e-5)
    wanted, got = (one.book_params() for one in built)
    for name in wanted:
        assert_allclose(got[name], wanted[name], rtol=0, atol=5e-5 if optimizer == 'sgd' else 2e-4, err_msg=name)


@pytest.mark.parametrize('optimizer', ['sgd', 'adam', 'adamw'])
@pytest.mark.parametrize('impl', ['hybrid', 'numba'])
def test_weights_decay_as_those_of_the_network_by_hand(impl, optimizer):
    """Those of characters that a batch has not, too; and decay shows."""
    config = TrainConfig(num_epochs=1, num_steps=3, batch_size=2, lr=1e-2, optimizer=optimizer, clipping_theta=1,
                         weight_decay=0.5)
    built = [model(name, cell='gru') for name in ('scratch', impl, impl)]
    for one, how in zip(built, (config, config, replace(config, weight_decay=0))):
        list(Trainer(one, how).epochs(TEXT[:60]))
    wanted, got, without = (one.book_params() for one in built)
    for name in wanted:
        assert_allclose(got[name], wanted[name], rtol=0, atol=2e-5, err_msg=name)
        if name.startswith('W'):
            assert np.abs(got[name] - without[name]).max() > 1e-2, name


def test_dropout_is_the_same_in_a_whole_step_and_the_plain_way_and_differs_by_epoch():
    config = TrainConfig(num_epochs=3, num_steps=6, batch_size=8, lr=0.5)
    (whole, _), (plain, _) = [trained(model('numba', cell='lstm', num_layers=2, dropout=0.5), config, plain=plain)
                              for plain in (False, True)]
    assert_allclose(whole, plain, rtol=2e-5)
    dry, _ = trained(model('numba', cell='lstm', num_layers=2), config)
    assert abs(dry[0][1] / whole[0][1] - 1) > 1e-3


def test_an_interrupted_training_goes_on_with_the_same_bits_on_other_threads(monkeypatch):
    from gluon_rnn.models import numba
    from gluon_rnn.runs.checkpoint import Checkpoint
    found = []
    for threads in ((1, 1), (2, 3)):
        monkeypatch.setattr(numba, '_pool', [numba.threads.Pool(threads[0])])
        config = TrainConfig(num_epochs=2, num_steps=6, batch_size=8, lr=1e-2, optimizer='adam')
        _, trainer = trained(model('numba', cell='gru', num_layers=2, dropout=0.3), config)
        saved = Checkpoint.take(trainer, tuple('x' * 31))
        monkeypatch.setattr(numba, '_pool', [numba.threads.Pool(threads[1])])
        again = Trainer(model('numba', cell='gru', num_layers=2, dropout=0.3), replace(config, num_epochs=4))
        saved.resume(again)
        list(again.epochs(TEXT))
        found.append(again.model.book_params())
    for name in found[0]:
        assert_array_equal(found[0][name], found[1][name])


def test_a_loss_that_is_no_number_is_told_and_moves_no_weight():
    built = model('numba', cell='gru')
    built.parameters()['W_hh'][:] = np.nan
    with pytest.raises(gluon_rnn.training.loss.Diverged, match='epoch 1, step 1'):
        trained(built, TrainConfig(num_epochs=1, num_steps=6, batch_size=8))
    assert np.isfinite(built.parameters()['W_hq'].asnumpy()).all()


@pytest.mark.parametrize(('X', 'Y', 'told'), [([[0, 31]], [[0, 0]], r'X .* got 31 at \(0, 1\)'),
                                              ([[0, 1]], [[0, -1]], r'Y .* got -1 at \(0, 1\)'),
                                              ([[0.5, 1]], [[0, 0]], r'X .* got 0.5 at \(0, 0\)')])
def test_an_index_outside_the_vocabulary_is_told_before_memory_is_touched(X, Y, told):
    built = model('numba', cell='gru')
    before = built.book_params()
    with pytest.raises(ValueError, match=told):
        built.train_step(np.array(X), np.array(Y), built.begin_state(1), {'optimizer': 'sgd', 'lr': 1.0, 'clipping_theta': 0})
    for name, value in built.book_params().items():
        assert_array_equal(value, before[name])
