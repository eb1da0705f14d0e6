"""Batches of a text as the trainer reads them."""
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gluon_rnn import TrainConfig
from gluon_rnn.training.config import SAMPLINGS
from gluon_rnn.training.source import TextBatches


@pytest.mark.parametrize('sampling', SAMPLINGS)
def test_Y_is_X_one_character_later_and_there_are_as_many_as_it_says(sampling):
    source = TextBatches(range(50), TrainConfig(sampling=sampling, batch_size=3, num_steps=4))
    batches = list(source.batches(1))
    assert len(source) == len(batches) >= 3
    for X, Y in batches:
        assert X.shape == Y.shape == (3, 4)
        assert_array_equal(X + 1, Y)


def test_an_epochs_random_batches_follow_from_the_seed_and_its_number():
    def read(seed, epoch):
        config = TrainConfig(sampling='random', batch_size=3, num_steps=4, seed=seed)
        return np.stack([X for X, _ in TextBatches(range(50), config).batches(epoch)])
    assert_array_equal(read(1, 2), read(1, 2))
    assert (read(1, 2) != read(1, 3)).any() and (read(1, 2) != read(2, 2)).any()


def test_a_part_of_the_rows_is_that_part_of_each_batch():
    config = TrainConfig(batch_size=3, num_steps=4)
    whole, part = (list(TextBatches(range(50), config, rows=rows).batches(1)) for rows in (slice(None), slice(1, 3)))
    for (X, Y), (X_part, Y_part) in zip(whole, part):
        assert_array_equal(X[1:3], X_part)
        assert_array_equal(Y[1:3], Y_part)
