"""Both frameworks learning side by side."""
from __future__ import annotations

import pytest

from gluon_rnn.plots import save_figure
from gluon_rnn.torch_parity import curves
from gluon_rnn.torch_parity.curves import CurveConfig, learn, like_the_ports

SMALL = CurveConfig(num_hiddens=8, num_epochs=3, num_steps=6, batch_size=4)


@pytest.mark.parametrize('change', [{'impl': 'scratch', 'cell': 'lstm'}, {'impl': 'gluon', 'cell': 'gru'},
                                    {'sampling': 'random', 'cell': 'rnn', 'impl': 'hybrid'}])
def test_the_same_curves_and_verses(alphabet, change):
    calls = []
    found = learn(CurveConfig(**{**vars(SMALL), **change}), alphabet, ['abc'], length=4,
                  on_epoch=lambda *call: calls.append(call))
    assert calls == list(zip([1, 2, 3], found.here, found.there))
    assert found.apart < 1e-4
    assert found.here[-1] < found.here[0]
    verse, = found.verses
    assert verse['here'] == verse['there'] and len(verse['here']) == 7
    assert found.to_dict()['setting']['cell'] == change['cell']


def test_the_ports_setting_is_theirs(alphabet):
    config = like_the_ports(SMALL)
    assert (config.optimizer, config.lr, config.keep_state, config.torch_init, config.impl) == ('adam', 1e-2, True, True, 'gluon')
    found = learn(config, alphabet, [], length=4)
    assert found.to_dict()['network_in_pytorch'] == 'torch.nn' and found.apart < 1e-3
    assert not like_the_ports(CurveConfig(sampling='random')).keep_state


def test_keeping_the_state_makes_a_difference(alphabet):
    kept = learn(CurveConfig(**{**vars(SMALL), 'keep_state': True}), alphabet, [])
    anew = learn(SMALL, alphabet, [])
    assert kept.here[0] == anew.here[0] and kept.here[1] != anew.here[1]
    assert kept.apart < 1e-4


def test_an_unknown_prefix_is_refused(alphabet):
    with pytest.raises(ValueError, match='not in the vocabulary'):
        learn(SMALL, alphabet, ['Ω'])


def test_the_picture(alphabet, tmp_path):
    found = curves.Curves(SMALL, [9.0, 5.0], [9.0, 5.0], [])
    save_figure(curves.plot_curves([found, found]), tmp_path / 'curves.png')
    assert (tmp_path / 'curves.png').read_bytes().startswith(b'\x89PNG')


def test_a_setting_in_words():
    assert str(like_the_ports(CurveConfig())) == (
        'the PyTorch ports: gru (gluon), 1 x 256 hidden units, consecutive batches of 32 x 35, adam with lr 0.01, clipped '
        "to 0.01, first weights torch.nn's own, the state kept across epochs, seed 0")
