"""A run that begins with the weights of another: what is carried over, what is drawn anew, and what does not fit."""
import functools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.runs.checkpoint import Checkpoint
from gluon_rnn.runs.fine_tune import carry_over, check_network, describe_beginning

OLD, NEW = tuple('abc'), tuple('abcXY')


@functools.cache
def trained(impl, cell, **options):
    gluon_rnn.seed(1)
    model = build_model(ModelConfig(cell=cell, impl=impl, num_hiddens=6, vocab_size=len(OLD), **options))
    trainer = Trainer(model, TrainConfig(num_epochs=1, num_steps=3, batch_size=2, lr=1))
    list(trainer.epochs(np.arange(20) % 3))
    return Checkpoint.take(trainer, OLD)


@pytest.mark.parametrize('cell', ['rnn', 'lstm'])
@pytest.mark.parametrize('impl', IMPLS)
def test_old_characters_say_what_they_said_and_new_ones_are_drawn(impl, cell):
    """On any text of the old characters the logits of those are the same; into any implementation."""
    init = trained('scratch', cell, num_layers=2, bidirectional=True)
    gluon_rnn.seed(2)
    model = build_model(ModelConfig(cell=cell, impl=impl, num_hiddens=6, num_layers=2, bidirectional=True, vocab_size=len(NEW)))
    drawn = {name: value.copy() for name, value in model.book_params().items()}
    carry_over(init, model)
    X = [[0, 1, 2, 0], [2, 2, 1, 0]]
    (before, _), (after, _) = (one(X, one.begin_state(2)) for one in (init.model(), model))
    np.testing.assert_allclose(after.asnumpy()[:, :3], before.asnumpy(), rtol=0, atol=1e-6)
    rows = 0
    for name, value in model.book_params().items():
        if value.shape[0] == len(NEW):
            assert_array_equal(value[3:], drawn[name][3:], err_msg=name)
            rows += value.ndim > 1
    assert rows == {'rnn': 2, 'lstm': 8}[cell]      # of both directions of the first layer
    assert_array_equal(model.book_params()['W_hq'][:, 3:], drawn['W_hq'][:, 3:])


@pytest.mark.parametrize(('before', 'after', 'said'), [
    ({}, {'num_hiddens': 7}, 'num_hiddens is 6 in the run to begin with, got 7'),
    ({}, {'cell': 'lstm'}, "cell is 'gru'"),
    ({}, {'num_layers': 2}, 'num_layers is 1'),
    ({'impl': 'scratch'}, {'impl': 'gluon'}, 'reset_after is False in the run to begin with, got True'),
])
def test_another_network_is_refused(before, after, said):
    init = trained(before.get('impl', 'scratch'), 'gru')
    with pytest.raises(ValueError, match=said):
        check_network(init, ModelConfig(**{'cell': 'gru', 'num_hiddens': 6, 'vocab_size': 9, **after}))


def test_it_says_what_was_carried_over():
    init = trained('scratch', 'gru')
    assert describe_beginning(init, 'runs/old', 5) == (
        'begins with: runs/old, epoch 1, all weights of its 3 characters; 2 of this text are new, their weights drawn anew')
    assert describe_beginning(init, 'runs/old', 3).endswith('; none is new')
