"""Runs of other tasks: their settings, given or gone on with, and their network."""
import mxnet as mx
import pytest

from gluon_rnn.cells import NetworkConfig
from gluon_rnn.runs.digits import DigitsFolder, DigitsSettings
from gluon_rnn.runs.task import choose_network, task_settings


def test_settings_are_those_given_or_those_of_the_run_with_what_may_change(tmp_path):
    given = {'cell': 'gru', 'impl': 'scratch', 'num_epochs': 2, 'ctx': 'cpu'}
    with DigitsFolder(tmp_path / 'run') as folder:
        with pytest.raises(ValueError, match='holds no run to go on with: leave out resume=True to start one'):
            task_settings(folder, given, resume=True)
        settings = task_settings(folder, given)
        assert settings == DigitsSettings(**given)
        folder.begin(settings)
        assert task_settings(folder, {'num_epochs': 5}, resume=True) == DigitsSettings(**{**given, 'num_epochs': 5})
        with pytest.raises(ValueError, match="cell is 'gru' in the run to go on with, got 'lstm'"):
            task_settings(folder, {'cell': 'lstm'}, resume=True)


def test_a_network_in_the_implementation_asked_for_or_one_to_take():
    asked = choose_network(NetworkConfig, DigitsSettings(impl='gluon', cell='lstm'), mx.cpu())
    assert (asked.impl, asked.cell) == ('gluon', 'lstm')
    assert choose_network(NetworkConfig, DigitsSettings(impl=None), mx.cpu(), num_hiddens=3).num_hiddens == 3
