"""A whole step of training in one call against the plain way of the network by hand, and a whole text against `generate`."""
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, copy_params, generate
from gluon_rnn.training.optimizer import Optimizer
from gluon_rnn.training.source import TextBatches
from gluon_rnn.training.step import PlainStep, WholeStep

CONFIGS = {
    'rnn': {'cell': 'rnn'}, 'relu': {'cell': 'rnn', 'activation': 'relu'}, 'sigmoid': {'cell': 'rnn', 'activation': 'sigmoid'},
    'gru': {'cell': 'gru'}, 'gru-reset-after': {'cell': 'gru', 'reset_after': True}, 'lstm': {'cell': 'lstm'},
    'bi-gru': {'cell': 'gru', 'bidirectional': True, 'backward_hiddens': 21}, 'deep-gru': {'cell': 'gru', 'num_layers': 3},
    'deep-bi-lstm': {'cell': 'lstm', 'num_layers': 2, 'bidirectional': True, 'backward_hiddens': 7},
    'residual': {'cell': 'gru', 'num_layers': 3, 'residual': True, 'reset_after': True},
    'both-forward': {'cell': 'rnn', 'num_layers': 2, 'bidirectional': True, 'both_forward': True},
}
NUM_HIDDENS = 19
TEXT = np.random.default_rng(6).integers(0, 31, 1500)


def model(impl, **config):
    gluon_rnn.seed(0)
    built = build_model(ModelConfig(vocab_size=31, num_hiddens=NUM_HIDDENS, impl=impl, **config))
    gluon_rnn.models.language_model.redraw_weights(built, 0.3)
    return built


def trained(built, config, *, plain=False):
    trainer = Trainer(built, config)
    if plain:
        trainer.step = PlainStep(trainer.replicas, trainer.optimizer, config.batch_size)
    else:
        assert isinstance(trainer.step, WholeStep) == (built.config.impl == 'numba')
    return [(record.perplexity, record.grad_norm) for record in trainer.epochs(TEXT, TEXT[:400])], trainer


@pytest.mark.parametrize(('optimizer', 'lr', 'theta', 'decay'), [('sgd', 1.0, 1e-1, 0), ('sgd', 0.1, 0, 0.1),
                                                                  ('adam', 1e-3, 1e-1, 0)])
@pytest.mark.parametrize('variant', [name for name in CONFIGS if name != 'relu'])
def test_a_whole_step_equals_the_plain_way_of_the_network_by_hand(variant, optimizer, lr, theta, decay):
    """Ten steps of training and more, with the state carried on."""
    config = TrainConfig(num_epochs=2, num_steps=6, batch_size=8, lr=lr, optimizer=optimizer, clipping_theta=theta,
                         weight_decay=decay)
    built = [model(impl, **CONFIGS[variant]) for impl in ('scratch', 'numba')]
    (wanted, _), (got, _) = [trained(one, config) for one in built]
    assert_allclose(got, wanted, rtol=2e-5)
    wanted, got = (one.book_params() for one in built)
    for name in wanted:
        assert_allclose(got[name], wanted[name], rtol=0, atol=5e-5 if optimizer == 'sgd' else 2e-4, err_msg=name)


def test_an_optimizer_with_a_step_of_its_own_is_not_passed_over():
    class Counting(Optimizer):
        steps = 0

        def step(self):
            self.steps += 1
            return super().step()

    built, config = model('numba', cell='rnn'), TrainConfig(num_epochs=1, num_steps=6, batch_size=8, lr=0.5)
    counting = Counting(built.parameters(), 'sgd', config.lr, config.clipping_theta)
    source = TextBatches(TEXT, config)
    list(Trainer(built, config, optimizer=counting).epochs_on(source))
    assert counting.steps == len(source)


def test_labels_one_a_row_of_logits_are_the_same_as_those_beside_their_characters():
    class Flat(TextBatches):
        def batches(self, epoch):
            return ((X, Y.T.reshape((-1,))) for X, Y in super().batches(epoch))

    config, records = TrainConfig(num_epochs=1, num_steps=6, batch_size=8, lr=0.5), []
    for source in TextBatches, Flat:
        trainer = Trainer(model('numba', cell='rnn'), config)
        assert isinstance(trainer.step, WholeStep)
        records += [record.perplexity for record in trainer.epochs_on(source(TEXT, config))]
    assert records[0] == records[1]


@pytest.mark.parametrize('optimizer', ['sgd', 'adam', 'adamw'])
@pytest.mark.parametrize('impl', ['hybrid', 'numba'])
def test_weights_decay_as_those_of_the_network_by_hand(impl, optimizer):
    """Those of characters that a batch has not, too; and decay shows."""
    config = TrainConfig(num_epochs=3, num_steps=3, batch_size=2, lr=1e-2, optimizer=optimizer, clipping_theta=1,
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
    from gluon_rnn.kernels.threads import Pool
    from gluon_rnn.models import numba
    from gluon_rnn.runs.checkpoint import Checkpoint
    found = []
    for threads in ((1, 1), (2, 3)):
        monkeypatch.setattr(numba, '_pool', [Pool(threads[0])])
        config = TrainConfig(num_epochs=2, num_steps=6, batch_size=8, lr=1e-2, optimizer='adam')
        _, trainer = trained(model('numba', cell='gru', num_layers=2, dropout=0.3), config)
        saved = Checkpoint.take(trainer, tuple('x' * 31))
        monkeypatch.setattr(numba, '_pool', [Pool(threads[1])])
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


# --------------------------------------------------------------------------------------------------------------- whole texts

@pytest.mark.parametrize('how', [{}, {'temperature': 0.7, 'seed': 3}, {'temperature': 1.5, 'top_k': 4, 'seed': 1},
                                 {'top_k': 2, 'seed': 5},
                                 {'temperature': 1.2, 'top_p': 0.8, 'seed': 2}, {'top_k': 9, 'top_p': 0.5, 'seed': 6}])
@pytest.mark.parametrize('variant', ['relu', 'gru', 'gru-reset-after', 'lstm', 'deep-gru', 'residual', 'bi-gru'])
def test_it_writes_what_the_network_by_hand_writes(variant, how):
    scratch, numba = [model(impl, **CONFIGS[variant]) for impl in ('scratch', 'numba')]
    copy_params(scratch, numba)
    chars = [chr(0x4e00 + i) for i in range(31)]
    assert generate(numba, chars, chars[3] + chars[7], 40, **how) == generate(scratch, chars, chars[3] + chars[7], 40, **how)
