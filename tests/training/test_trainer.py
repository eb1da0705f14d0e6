"""The one trainer: what a step computes, what it hands on, and that one seed gives one result."""
import math
import sys

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, train
from gluon_rnn.cells.build import CELLS, IMPLS
from gluon_rnn.training.config import SAMPLINGS
from gluon_rnn.training.loss import Diverged, evaluate, perplexity

SMALL = {'num_steps': 5, 'batch_size': 8, 'num_epochs': 2, 'seed': 3}


class Mark:
    """A state that knows how many calls it has come through, and whether it was cut off from the last."""

    def __init__(self, calls=0, detached=False):
        self.calls, self.detached = calls, detached

    def detach(self):
        return Mark(self.calls, True)


class Bigram:
    """The least that the trainer takes for a model; it writes down the state and batch of every call."""

    def __init__(self, vocab_size, spoil_at=None, spoil=float('nan')):
        self.ctx, self.W, self.seen = mx.cpu(), nd.zeros((vocab_size, vocab_size)), []
        self.spoil_at, self.spoil = spoil_at, spoil
        self.W.attach_grad()

    def begin_state(self, batch_size):
        return Mark(),

    def __call__(self, X, state):
        mark, = state
        self.seen.append((mark.calls, mark.detached, X.asnumpy()))
        logits = nd.Embedding(X.T.reshape((-1,)), self.W, *self.W.shape)
        return logits * (self.spoil if len(self.seen) == self.spoil_at else 1), (Mark(mark.calls + 1),)

    def parameters(self):
        return {'W': self.W}


def weights(model):
    return {name: param.asnumpy() for name, param in model.parameters().items()}


def new_model(corpus, seed=7, ctx=None, **options):
    mx.random.seed(seed)
    return build_model(ModelConfig(**{'cell': 'gru', 'num_hiddens': 8, 'vocab_size': corpus.vocab_size, **options}), ctx)


# ---------------------------------------------------------------------------------------------------------------- one step

def test_one_step_by_hand(alphabet):
    """A bigram model of zeros says 1/26 everywhere: loss, gradient, clipping and the step follow with a pencil."""
    model = Bigram(26)
    record, = Trainer(model, TrainConfig(num_steps=26, batch_size=6, num_epochs=1, lr=2.0, clipping_theta=0.01)).epochs(
        alphabet.indices[:26 * 6 * 2])
    P = np.full((26, 26), 1 / 26) - np.roll(np.eye(26), 1, axis=1)     # after a comes b, after z comes a
    grad = P / 26                                                        # each character is 1 input of 26
    norm = np.sqrt((grad ** 2).sum())
    assert record.epoch == 1
    assert_allclose(record.perplexity, 26, rtol=1e-6)
    assert_allclose(record.grad_norm, norm, rtol=1e-6)
    assert_allclose(model.W.asnumpy(), -2.0 * 0.01 / norm * grad, rtol=1e-5)
    assert record.seconds > 0
    assert_allclose(record.tokens_per_second, 26 * 6 / record.seconds)


@pytest.mark.parametrize('sampling', SAMPLINGS)
def test_state_is_carried_or_begun_anew(alphabet, sampling):
    model = Bigram(26)
    steps = []
    for _ in Trainer(model, TrainConfig(sampling=sampling, **SMALL)).epochs(alphabet.indices, on_step=lambda *s: steps.append(s)):
        pass
    count = len(model.seen) // 2
    carried = [(calls, detached) for calls, detached, _ in model.seen[:count]]
    if sampling == 'consecutive':
        assert carried == [(0, False)] + [(step, True) for step in range(1, count)]
        assert model.seen[count][:2] == (0, False)      # an epoch starts from the beginning of the text
        for (_, _, X), (_, _, X_next) in zip(model.seen[:count], model.seen[1:count]):
            assert_array_equal((X[:, -1] + 1) % 26, X_next[:, 0])
    else:
        assert carried == [(0, False)] * count
    assert steps == [(step, count) for step in range(1, count + 1)] * 2


def test_random_sampling_shuffles_each_epoch_its_own_way(lyrics):
    orders = []
    for _ in range(2):
        model = Bigram(lyrics.vocab_size)
        train(model, lyrics.indices, TrainConfig(sampling='random', **SMALL))
        count = len(model.seen) // 2
        orders.append([np.stack([X for _, _, X in part]) for part in (model.seen[:count], model.seen[count:])])
    assert_array_equal(orders[0][0], orders[1][0])
    assert_array_equal(orders[0][1], orders[1][1])
    assert not np.array_equal(orders[0][0], orders[0][1])


@pytest.mark.parametrize('impl', sorted({*IMPLS} - {'numba'}))     # whose steps the host makes itself
def test_the_step_does_not_wait_for_the_device(alphabet, host_reads, impl):
    """Nothing is read back before the epoch's eighth step is queued."""
    trainer, at_step = Trainer(new_model(alphabet, impl=impl), TrainConfig(num_steps=6, batch_size=6, num_epochs=1)), []
    list(trainer.epochs(alphabet.indices, on_step=lambda *_: at_step.append(len(host_reads))))
    assert at_step == [0] * 8
    assert len(host_reads) == 8


# ---------------------------------------------------------------------------------------------------------------- training


@pytest.mark.parametrize('impl, cell, sampling', [*((impl, cell, 'consecutive') for impl in IMPLS for cell in CELLS),
                                                  *((impl, 'gru', 'random') for impl in IMPLS)])
def test_perplexity_falls(alphabet, impl, cell, sampling):
    model = new_model(alphabet, impl=impl, cell=cell, num_hiddens=16)
    config = TrainConfig(sampling=sampling, num_steps=6, batch_size=4, num_epochs=6, lr=0.05, clipping_theta=1, optimizer='adam')
    records = train(model, alphabet.indices[:130], config)
    assert list(records) == list(range(1, 7))
    assert 20 < records[1].perplexity < 28
    assert records[6].perplexity < 10


@pytest.mark.parametrize('sampling', SAMPLINGS)
@pytest.mark.parametrize('impl', IMPLS)
def test_one_seed_gives_one_result(lyrics, impl, sampling):
    """To the last bit, dropout and all, whatever the seeds outside."""
    runs = []
    for outside in (1, 2):
        model = new_model(lyrics, impl=impl, cell='lstm', num_layers=2, dropout=0.3)
        mx.random.seed(outside)
        np.random.seed(outside)
        records = train(model, lyrics.indices[:130], TrainConfig(sampling=sampling, **SMALL))
        runs.append(([(r.perplexity, r.grad_norm) for r in records.values()], weights(model)))
    assert runs[0][0] == runs[1][0]
    for name, value in runs[0][1].items():
        assert_array_equal(runs[1][1][name], value)


def test_other_seeds_give_other_results(lyrics):
    config = {**SMALL, 'sampling': 'random', 'num_epochs': 1}
    results = [train(new_model(lyrics), lyrics.indices[:130], TrainConfig(**{**config, 'seed': seed}))[1].perplexity
               for seed in (1, 2, None, 2 ** 31 - 1)]
    assert len(set(results)) == 4


OPTIMIZERS = sorted(mx.optimizer.Optimizer.opt_registry.keys() - {'test', 'ccsgd', 'groupadagrad', 'adamax', 'ftrl'})


@pytest.mark.parametrize('optimizer', OPTIMIZERS)
def test_any_optimizer_goes_on_bit_for_bit(alphabet, optimizer):
    """Two epochs, then two more by a new trainer that has the weights and the optimizer's state: the same as four in one go."""
    config = {**SMALL, 'sampling': 'random', 'optimizer': optimizer, 'lr': 0.01, 'num_steps': 20, 'clipping_theta': 1.0}
    whole = new_model(alphabet, cell='rnn')
    before = weights(whole)
    expected = train(whole, alphabet.indices, TrainConfig(**{**config, 'num_epochs': 4}))
    assert all(np.isfinite(value).all() for value in weights(whole).values())
    assert any((value != before[name]).any() for name, value in weights(whole).items())

    first = Trainer(new_model(alphabet, cell='rnn'), TrainConfig(**config))
    list(first.epochs(alphabet.indices))
    arrays, numbers = first.optimizer.state()
    second = Trainer(new_model(alphabet, seed=99, cell='rnn'), TrainConfig(**{**config, 'num_epochs': 4}))
    second.model.load_book_params(first.model.book_params())
    second.optimizer.load_state(arrays, numbers)
    second.epoch = 2
    records = list(second.epochs(alphabet.indices))
    assert [(r.epoch, r.perplexity) for r in records] == [(epoch, expected[epoch].perplexity) for epoch in (3, 4)]
    for name, value in weights(whole).items():
        assert_array_equal(second.model.parameters()[name].asnumpy(), value)


def test_validation_is_the_held_out_perplexity(lyrics):
    train_indices, valid_indices = lyrics.indices[:130], lyrics.indices[130:190]
    model = new_model(lyrics)
    records = train(model, train_indices, TrainConfig(**SMALL), valid_indices=valid_indices)
    alone = evaluate(model, valid_indices, 8, 5)
    assert records[2].valid_perplexity == alone != records[1].valid_perplexity
    losses, state = [], model.begin_state(1)
    for X, Y in zip(valid_indices, valid_indices[1:]):
        logits, state = model(nd.array([[X]]), state)
        losses.append(-np.log(np.exp(logits.asnumpy()[0]) / np.exp(logits.asnumpy()[0]).sum())[Y])
    used = (len(valid_indices) - 1) // 5 * 5
    assert_allclose(evaluate(model, valid_indices, 1, 5), math.exp(np.mean(losses[:used])), rtol=1e-5)


# ----------------------------------------------------------------------------------------------------------------- contexts


@pytest.mark.parametrize('cell', CELLS)
@pytest.mark.parametrize('impl', IMPLS)
def test_a_run_on_another_device_stays_there(alphabet, monkeypatch, impl, cell):
    """Every array made while training, batches, states, gradients and the optimizer's own, lies where the model lies."""
    model = new_model(alphabet, ctx=mx.cpu(1), impl=impl, cell=cell, num_layers=2, bidirectional=True, dropout=0.2)
    made, make = set(), nd.NDArray.__init__

    def note_context(self, *args, **kwargs):
        make(self, *args, **kwargs)
        # MXNet 1.9.1 says cpu(0) of all arrays that it hands to a function's own backward; what is made of them counts
        if not sys._getframe(1).f_code.co_filename.endswith('function.py'):
            made.add(self.context)

    monkeypatch.setattr(nd.NDArray, '__init__', note_context)
    trainer = Trainer(model, TrainConfig(optimizer='adam', lr=0.01, num_steps=6, batch_size=6, num_epochs=1))
    list(trainer.epochs(alphabet.indices[:80], alphabet.indices[:60]))
    assert made == {mx.cpu(1)}
    assert {array.context for param in model.parameters().values() for array in (param, param.grad)} == {mx.cpu(1)}
    assert {array.context for state in trainer.optimizer._apply.states.values() for array in state} == {mx.cpu(1)}


def test_devices_agree(alphabet):
    results = [train(new_model(alphabet, ctx=ctx), alphabet.indices[:130], TrainConfig(**SMALL))[2].perplexity
               for ctx in (mx.cpu(0), mx.cpu(1))]
    assert results[0] == results[1]


# ------------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize('spoil', [float('nan'), float('inf'), float('-inf')])
@pytest.mark.parametrize('call, place', [(1, 'epoch 1, step 1 '), (7, 'epoch 1, step 7 '), (10, 'epoch 2, step 3 ')])
def test_diverged_names_epoch_and_step(alphabet, spoil, call, place):
    model = Bigram(26, spoil_at=call, spoil=spoil)
    model.W[:] = nd.random.normal(shape=(26, 26))
    with pytest.raises(Diverged, match=f'no longer finite in {place}.*lower lr'):
        train(model, alphabet.indices, TrainConfig(**SMALL))


def test_a_loss_of_which_no_perplexity_can_be_told_is_an_end(alphabet):
    """exp of it is no float: neither capped nor an OverflowError."""
    assert perplexity(709.78, 'here') == math.exp(709.78)
    for loss in (709.79, math.inf, math.nan):
        with pytest.raises(Diverged, match='on here: lower lr'):
            perplexity(loss, 'here')
    model = Bigram(26)
    model.W[:] = 1e4 * nd.eye(26)
    with pytest.raises(Diverged, match='on the held-out text'):
        evaluate(model, alphabet.indices, 4, 5)
    with pytest.raises(Diverged, match=r'too large in epoch 1, step 1 .*lower lr'):
        train(model, alphabet.indices, TrainConfig(**SMALL))
    with pytest.raises(Diverged, match='epoch 1, step 2 '):
        train(new_model(alphabet), alphabet.indices, TrainConfig(**{**SMALL, 'lr': 1e30}))


def test_diverges_without_clipping(alphabet):
    model = new_model(alphabet, cell='rnn', activation='relu')
    with pytest.raises(Diverged):
        train(model, alphabet.indices, TrainConfig(**{**SMALL, 'lr': 1e4, 'clipping_theta': 0, 'num_epochs': 50}))


@pytest.mark.parametrize('sampling', SAMPLINGS)
def test_text_too_short(sampling, alphabet):
    trainer = Trainer(Bigram(26), TrainConfig(sampling=sampling))
    with pytest.raises(ValueError, match=f'{sampling} sampling with batch_size 32 and num_steps 35 needs a text of at least'):
        next(trainer.epochs(alphabet.indices))
    with pytest.raises(ValueError, match='the held-out text has 5 characters, it needs at least'):
        next(Trainer(Bigram(26), TrainConfig(**SMALL)).epochs(alphabet.indices, alphabet.indices[:5]))
