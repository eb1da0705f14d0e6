"""Held-out text: the best epoch, and an end where none better comes."""
import math

import pytest

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, train
from gluon_rnn.training import trainer
from gluon_rnn.training.early_stopping import best_epoch, out_of_patience


@pytest.mark.parametrize(('held_out', 'best'), [([], 0), ([5], 1), ([5, 4, 4, 6], 2), ([3, 4, 2], 3)])
def test_the_best_epoch_is_the_first_of_the_lowest(held_out, best):
    assert best_epoch(dict(enumerate(held_out, 1))) == best


@pytest.mark.parametrize(('held_out', 'patience', 'ends'), [
    ([], 1, False), ([5], 1, False), ([5, 5], 1, True), ([5, 6], 2, False), ([5, 6, 7], 2, True), ([5, 6, 4, 5], 2, False),
    ([5, 6, 7], None, False)])
def test_patience_ends_after_so_many_epochs_no_better(held_out, patience, ends):
    assert out_of_patience(dict(enumerate(held_out, 1)), patience) is ends


def test_a_training_stops_by_itself(alphabet, monkeypatch):
    perplexities = iter([9.0, 8.0, 8.5, 8.0, 1.0])
    monkeypatch.setattr(trainer, 'evaluate', lambda *_: next(perplexities))
    gluon_rnn.seed(0)
    model = build_model(ModelConfig(num_hiddens=4, vocab_size=alphabet.vocab_size))
    records = train(model, alphabet.indices[:50], TrainConfig(num_epochs=9, num_steps=5, batch_size=4, patience=2),
                    valid_indices=alphabet.indices)
    assert [record.valid_perplexity for record in records.values()] == [9, 8, 8.5, 8]


@pytest.mark.parametrize(('changes', 'said'), [
    ({'patience': 0}, 'patience must be 1 or more epochs, got 0'),
    ({'weight_decay': -0.1}, 'weight_decay must be 0 or more, got -0.1'),
    ({'weight_decay': math.nan}, 'weight_decay must be 0 or more, got nan'),
])
def test_what_cannot_be(changes, said):
    with pytest.raises(ValueError, match=said):
        TrainConfig(**changes)


@pytest.mark.parametrize(('changes', 'name'), [({'patience': 2}, 'patience'),
                                               ({'lr_schedule': 'plateau'}, 'lr_schedule plateau')])
def test_what_needs_held_out_text_says_so(alphabet, changes, name):
    model = build_model(ModelConfig(num_hiddens=4, vocab_size=alphabet.vocab_size))
    with pytest.raises(ValueError, match=f'{name} needs held-out text'):
        next(Trainer(model, TrainConfig(num_steps=5, batch_size=4, **changes)).epochs(alphabet.indices))
