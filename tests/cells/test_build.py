"""A description becomes the network that it says."""
import pytest

from gluon_rnn.cells import NetworkConfig, build_network
from gluon_rnn.cells.bi_rnn import BiRNN
from gluon_rnn.cells.deep_rnn import DeepRNN
from gluon_rnn.cells.gluon_layer import GluonLayer
from gluon_rnn.cells.hybrid import Hybrid


@pytest.mark.parametrize('more', [{'backward_hiddens': 3}, {'dropout': 0.5}, {'cell': 'rnn', 'activation': 'sigmoid'},
                                  {'residual': True, 'bidirectional': False}, {'both_forward': True}],
                         ids=lambda more: '-'.join(more))
def test_one_gluon_layer_holds_the_network_unless_it_cannot(more):
    config = {'cell': 'lstm', 'impl': 'gluon', 'num_hiddens': 4, 'num_layers': 2, 'bidirectional': True}
    assert isinstance(build_network(NetworkConfig(**config), 3), GluonLayer)
    apart = build_network(NetworkConfig(**{**config, **more}), 3)
    assert isinstance(apart, DeepRNN) and apart.num_outputs == {'backward_hiddens': 7, 'residual': 4}.get(next(iter(more)), 8)


def test_layers_read_what_the_ones_below_give():
    network = build_network(NetworkConfig('gru', num_hiddens=4, num_layers=3, bidirectional=True, backward_hiddens=3), 5)
    assert [(type(part), part.num_inputs, part.num_outputs) for part in network.parts.values()] == [
        (BiRNN, 5, 7), (BiRNN, 7, 7), (BiRNN, 7, 7)]
    assert isinstance(build_network(NetworkConfig('gru', 'hybrid', num_hiddens=4), 5), Hybrid)


def test_which_gru_it_is_follows_from_the_implementation_unless_said():
    assert not NetworkConfig('gru').resets_after and NetworkConfig('gru', 'gluon').resets_after
    assert NetworkConfig('gru', reset_after=True).resets_after and not NetworkConfig('lstm', 'gluon').resets_after


def test_periods_out_of_a_file_are_as_those_given():
    assert NetworkConfig('clockwork', periods=[1, 2], num_hiddens=4) == NetworkConfig('clockwork', periods=(1, 2), num_hiddens=4)
    with pytest.raises(ValueError, match='periods belong to the clockwork network only, got cell gru'):
        NetworkConfig('gru', periods=(1, 2))
