"""The learning rate over a training: the rates by hand, in every implementation, and after an interruption."""
import contextlib
from dataclasses import replace

import mxnet as mx
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, copy_params
from gluon_rnn.runs.folder import RunFolder, read_metrics
from gluon_rnn.runs.run import Run
from gluon_rnn.runs.settings import RunSettings
from gluon_rnn.training.schedule import Schedule

TEXT = np.random.default_rng(2).integers(0, 11, 250)


def rates(schedule, epochs, steps=1, held_out=()):
    return [schedule.factor(epoch, step, steps, held_out[:epoch - 1]) for epoch in range(1, epochs + 1)
            for step in range(1, steps + 1)]


@pytest.mark.parametrize(('schedule', 'steps', 'wanted'), [
    (Schedule('constant', 3), 1, [1, 1, 1]),
    (Schedule('constant', 3, warmup=4), 2, [0.25, 0.5, 0.75, 1, 1, 1]),
    (Schedule('step', 5, decay=0.5, after=2), 1, [1, 1, 0.5, 0.25, 0.125]),
    (Schedule('step', 12), 1, [1] * 10 + [0.97, 0.97 ** 2]),
    (Schedule('step', 2, warmup=2, decay=0.1, after=1), 3, [0.5, 1, 1, 0.1, 0.1, 0.1]),
    (Schedule('cosine', 4), 1, [1, (1 + 0.5 ** 0.5) / 2, 0.5, (1 - 0.5 ** 0.5) / 2]),
    (Schedule('cosine', 2, decay=0.2), 2, [1, 0.2 + 0.8 * (1 + 0.5 ** 0.5) / 2, 0.6, 0.2 + 0.8 * (1 - 0.5 ** 0.5) / 2]),
    (Schedule('cosine', 3, warmup=2), 2, [0.5, 1, 1, (1 + 0.5 ** 0.5) / 2, 0.5, (1 - 0.5 ** 0.5) / 2]),
    (Schedule('cosine', 1, warmup=5), 2, [0.2, 0.4]),
])
def test_the_rates_by_hand(schedule, steps, wanted):
    assert_allclose(rates(schedule, schedule.num_epochs, steps), wanted, rtol=1e-12)


@pytest.mark.parametrize(('after', 'wanted'), [(1, [1, 1, 0.5, 0.5, 0.25, 0.125, 0.125]), (2, [1, 1, 1, 1, 1, 0.5, 0.5])])
def test_a_plateau_is_an_epoch_that_is_no_better_than_the_best(after, wanted):
    """Perplexities 9 9 8 8.5 8 7: the second, fourth and fifth are no better than the best before."""
    assert_allclose(rates(Schedule('plateau', 7, decay=0.5, after=after), 7, 1, [9, 9, 8, 8.5, 8, 7]), wanted)


@pytest.mark.parametrize(('changes', 'said'), [
    ({'lr_schedule': 'linear'}, "lr_schedule must be one of constant, step, cosine, plateau, got 'linear'"),
    ({'warmup': -1}, 'warmup must be 0 or more updates, got -1'),
    ({'lr_schedule': 'step', 'lr_decay': 0}, 'lr_decay must be above 0 and at most 1, got 0'),
    ({'lr_schedule': 'cosine', 'lr_decay': 1.5}, 'lr_decay must be above 0 and at most 1, got 1.5'),
    ({'lr_schedule': 'step', 'lr_decay': float('nan')}, 'lr_decay must be above 0'),
    ({'lr_schedule': 'step', 'lr_decay_after': 0}, 'lr_decay_after must be 1 or more epochs, got 0'),
    ({'lr_decay': 0.5}, 'lr_schedule constant has no lr_decay: '),
    ({'lr_schedule': 'cosine', 'lr_decay_after': 3}, 'lr_schedule cosine has no lr_decay_after: '),
])
def test_no_such_schedule(changes, said):
    with pytest.raises(ValueError, match=said):
        TrainConfig(**changes)


def trained(impl, config, *, ctx=None, epochs=None, like=None):
    gluon_rnn.seed(0)
    model = build_model(ModelConfig(cell='gru', num_hiddens=8, vocab_size=11, impl=impl, reset_after=True), ctx)
    if like:
        copy_params(like, model)
    trainer = Trainer(model, config)
    records = []
    for record in trainer.epochs(TEXT, TEXT[:60]):
        records.append(record)
        if record.epoch == epochs:
            break
    return records, trainer


# each implementation, each optimizer, and both that the kernels' whole step has; rmsprop it has not
@pytest.mark.parametrize('impl, optimizer', [('scratch', 'sgd'), ('hybrid', 'adam'), ('gluon', 'rmsprop'), ('numba', 'sgd'),
                                             ('numba', 'adam'), ('numba', 'rmsprop')])
def test_every_implementation_follows_the_rates_as_a_training_by_hand_does(impl, optimizer):
    """Against a training whose lr is set anew each epoch, on another device."""
    lr = 5 if optimizer == 'sgd' else 0.05
    config = TrainConfig(num_epochs=3, num_steps=6, batch_size=8, lr=lr, optimizer=optimizer, clipping_theta=1,
                         lr_schedule='step', lr_decay=0.1, lr_decay_after=1)
    records, trainer = trained(impl, config, ctx=mx.cpu(1))
    assert_allclose([record.lr for record in records], [lr, lr / 10, lr / 100])
    constant = replace(config, lr_schedule='constant', lr_decay=None, lr_decay_after=None)
    _, by_hand = trained(impl, constant, epochs=1)
    for epoch in (2, 3):
        by_hand.optimizer.base_lr *= 0.1
        next(by_hand.epochs(TEXT))
        assert by_hand.epoch == epoch
    for name, value in by_hand.model.parameters().items():
        assert_allclose(trainer.model.parameters()[name].asnumpy(), value.asnumpy(), rtol=0, atol=1e-6, err_msg=name)
    moved, _ = trained(impl, constant)
    assert abs(moved[-1].perplexity / records[-1].perplexity - 1) > 1e-4


@pytest.mark.parametrize('impl, schedule', [('scratch', {'lr_schedule': 'step', 'lr_decay_after': 1}),
                                            ('numba', {'lr_schedule': 'cosine', 'warmup': 9})])
def test_a_continued_training_meets_the_same_rates(impl, schedule):
    config = TrainConfig(num_epochs=4, num_steps=6, batch_size=8, lr=0.05, optimizer='adam', **schedule)
    wanted, whole = trained(impl, config)
    _, first = trained(impl, config, epochs=2)
    _, second = trained(impl, config, epochs=1)
    second.model.load_book_params(first.model.book_params())
    second.optimizer.load_state(*first.optimizer.state())
    second.epoch = 2
    records = list(second.epochs(TEXT, TEXT[:60]))
    assert [(r.lr, r.perplexity, r.valid_perplexity) for r in records] == [(r.lr, r.perplexity, r.valid_perplexity)
                                                                           for r in wanted[2:]]
    for name, value in whole.model.parameters().items():
        assert_array_equal(second.model.parameters()[name].asnumpy(), value.asnumpy(), err_msg=name)


@pytest.mark.parametrize('impl', ['scratch', 'numba'])
def test_a_plateau_lowers_the_rate_and_is_known_to_a_resumed_run(impl, tmp_path):
    """A rate so high that held-out text gets no better; the run stops after each epoch and is begun anew."""
    (tmp_path / 'text').write_text(''.join(map(chr, TEXT + 97)))
    settings = RunSettings(corpus=str(tmp_path / 'text'), impl=impl, valid_fraction=0.3, num_hiddens=8, num_epochs=6, num_steps=6,
                           batch_size=8, lr=500, lr_schedule='plateau', lr_decay=0.5, pred_period=6, checkpoint_period=1)
    whole, parts = tmp_path / 'whole', tmp_path / 'parts'
    with RunFolder(whole) as folder:
        Run(folder, settings).go()
    for _ in range(settings.num_epochs):
        with RunFolder(parts) as folder, contextlib.suppress(KeyboardInterrupt):
            seen = []
            Run(folder, settings, resume=True).go(on_epoch=seen.append, on_step=lambda *_, seen=seen: stop_after(seen))
    records = read_metrics(whole)
    wanted = [settings.lr * Schedule('plateau', 6, decay=0.5).factor(k + 1, 1, 1, [r.valid_perplexity for r in records[:k]])
              for k in range(6)]
    assert_allclose([record.lr for record in records], wanted)
    assert records[-1].lr < settings.lr
    assert [(r.lr, r.valid_perplexity) for r in read_metrics(parts)] == [(r.lr, r.valid_perplexity) for r in records]


def stop_after(seen):
    if seen:
        raise KeyboardInterrupt
