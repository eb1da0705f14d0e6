"""Each network by hand against its twin in gluon.rnn: outputs, states and every gradient."""
from dataclasses import replace

import pytest

from gluon_rnn.cells import NetworkConfig
from gluon_rnn.cells.build import CELLS
from tests.cells.checks import BATCH_SIZE, NUM_INPUTS, assert_same, book_arrays, build, normal, randomize, run

CONFIGS = [
    NetworkConfig('rnn'),
    NetworkConfig('rnn', activation='relu'),
    NetworkConfig('rnn', activation='sigmoid'),
    NetworkConfig('gru', reset_after=True),
    NetworkConfig('lstm'),
    NetworkConfig('rnn', bidirectional=True),
    NetworkConfig('rnn', bidirectional=True, activation='sigmoid'),
    NetworkConfig('lstm', bidirectional=True),
    NetworkConfig('rnn', bidirectional=True, backward_hiddens=2),
    NetworkConfig('gru', bidirectional=True, backward_hiddens=7, reset_after=True),
    NetworkConfig('lstm', bidirectional=True, backward_hiddens=2),
    NetworkConfig('rnn', num_layers=2),
    NetworkConfig('rnn', num_layers=2, activation='sigmoid'),
    NetworkConfig('gru', num_layers=2, reset_after=True),
    NetworkConfig('lstm', num_layers=2),
    NetworkConfig('rnn', num_layers=2, bidirectional=True, activation='relu'),
    NetworkConfig('gru', num_layers=2, bidirectional=True, reset_after=True),
    NetworkConfig('lstm', num_layers=2, bidirectional=True),
    NetworkConfig('lstm', num_layers=2, bidirectional=True, backward_hiddens=2),
    NetworkConfig('lstm', num_layers=3, residual=True),
    NetworkConfig('rnn', num_layers=2, bidirectional=True, both_forward=True),
]


def label(config):
    parts = [config.cell, config.activation * (config.cell == 'rnn'), 'deep' * (config.num_layers > 1),
             'bidirectional' * config.bidirectional, 'unequal' * bool(config.backward_hiddens), 'residual' * config.residual,
             'both-forward' * config.both_forward]
    return '-'.join(part for part in parts if part)


# sequences of one step, of each cell and of two directions
@pytest.mark.parametrize('config, steps', [(config, (3, 4)) for config in CONFIGS] + [
    (NetworkConfig(cell, reset_after=cell == 'gru' or None, bidirectional=cell == 'lstm'), (1, 1)) for cell in CELLS],
    ids=lambda part: label(part) if isinstance(part, NetworkConfig) else str(part))
def test_scratch_equals_gluon(config, steps, seed):
    gluon, scratch = build(replace(config, impl='gluon', reset_after=None)), build(config)
    randomize(gluon)
    scratch.load_book_params(gluon.book_params())
    inputs = [normal(num_steps, BATCH_SIZE, NUM_INPUTS) for num_steps in steps]
    first_state = [normal(*array.shape, scale=0.7) for array in book_arrays(scratch, scratch.begin_state(BATCH_SIZE))]
    assert_same(run(scratch, inputs, first_state, seed), run(gluon, inputs, first_state, seed))
