"""What a training may be told, and the figures of an epoch."""
import math

import pytest

from gluon_rnn import TrainConfig
from gluon_rnn.training.config import EpochRecord


@pytest.mark.parametrize('changes, message', [
    ({'sampling': 'sorted'}, "sampling must be one of random, consecutive, got 'sorted'"),
    ({'num_epochs': 0}, 'num_epochs must be 1 or more, got 0'),
    ({'num_steps': 0}, 'num_steps must be 1 or more, got 0'),
    ({'batch_size': -2}, 'batch_size must be 1 or more, got -2'),
    ({'lr': 0}, 'lr must be above 0, got 0'),
    ({'lr': float('nan')}, 'lr must be above 0, got nan'),
    ({'lr': float('inf')}, 'lr must be above 0, got inf'),
    ({'clipping_theta': -1}, 'clipping_theta must be 0'),
    ({'clipping_theta': float('nan')}, 'clipping_theta must be 0'),
    ({'seed': -1}, 'seed must be from 0 to 2147483647, got -1'),
    ({'seed': 2 ** 31}, 'seed must be from 0 to 2147483647'),
    ({'optimizer': 'newton'}, "optimizer must be one of .*adam.*, got 'newton'"),
])
def test_no_such_training(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**changes)


def test_figures_of_an_epoch_in_nats_and_bits():
    record = EpochRecord(1, 8.0, 1.0, 10.0, 0.5, valid_perplexity=16.0, chars_per_token=2.0)
    assert (record.loss, record.bits_per_char) == (math.log(8), 1.5)
    assert (record.valid_loss, record.valid_bits_per_char) == (math.log(16), 2)
    plain = EpochRecord(1, 8.0, 1.0, 10.0, 0.5)
    assert plain.bits_per_char == 3 and plain.valid_loss is plain.valid_bits_per_char is None
