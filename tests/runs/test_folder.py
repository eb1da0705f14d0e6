"""A run's folder: what belongs to it, and what goes when something newer comes."""
from __future__ import annotations

import pytest

from gluon_rnn.book.report import read_layers, write_layers


@pytest.fixture
def run(script, small, tmp_path):
    """The folder of a finished run of two layers whose norms by layer have been measured."""
    folder = tmp_path / 'run'
    assert script('train', *small, '--num-epochs', 2, '--num-layers', 2, '--out', folder).status == 0
    write_layers(folder)
    return folder


def test_norms_by_layer_do_not_outlive_their_checkpoint(run, script):
    before = read_layers(run / 'layers.json')
    write_layers(run)
    assert read_layers(run / 'layers.json') == before
    assert script('train', '--out', run, '--resume', '--num-epochs', 4).status == 0
    assert not (run / 'layers.json').exists()
    write_layers(run)
    after = read_layers(run / 'layers.json')
    assert after['untrained'] == before['untrained'] and after['trained'] != before['trained']


def test_a_run_with_norms_by_layer_is_made_again(run, script, small):
    (run / 'checkpoint.npz').unlink()
    assert script('train', '--out', run, '--resume').status == 0
    assert not (run / 'layers.json').exists()
    write_layers(run)
    ended = script('train', *small, '--overwrite', '--num-epochs', 1, '--out', run)
    assert (ended.status, ended.err) == (0, '')
    assert not (run / 'layers.json').exists()
