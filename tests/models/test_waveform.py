"""A wave out of nothing."""
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.cells import NetworkConfig
from gluon_rnn.models.waveform import Generator, compare_networks, fit_wave, matching, target_wave


def test_target():
    wave = target_wave(320)
    assert wave.shape == (320,) and np.abs(wave).max() == pytest.approx(1) and wave.dtype == np.float32
    assert np.abs(np.diff(wave)).max() < 0.6        # a wave, no noise


def test_as_many_parameters_as_act():
    generators = dict(compare_networks((1, 2, 4, 8), 24))
    clockwork = generators['clockwork']
    assert clockwork.num_parameters == sum(6 * 6 * k for k in (1, 2, 3, 4)) + 24 + 24 + 1
    for cell in ('rnn', 'lstm'):
        generator = generators[cell]
        assert abs(generator.num_parameters / clockwork.num_parameters - 1) < 0.1
        assert generator.config == matching(cell, clockwork.num_parameters)
    assert generators['lstm'].network.book_params()['b_f'].min() == 5


@pytest.mark.parametrize('cell', ['clockwork', 'rnn', 'lstm'])
def test_it_learns(cell):
    gluon_rnn.seed(0)
    generator = Generator(NetworkConfig(cell=cell, num_hiddens=8))
    target = np.sin(np.arange(12)).astype('float32')
    fits = list(fit_wave(generator, target, 20, lr=.05))
    assert [fit.epoch for fit in fits] == list(range(1, 21))
    assert fits[-1].error < 0.9 * fits[0].error
    wave = generator(12).asnumpy()
    assert ((wave - target) ** 2).mean() / target.var() == pytest.approx(fits[-1].error, rel=0.5)


def test_errors():
    generator = Generator(NetworkConfig(cell='rnn', num_hiddens=4))
    with pytest.raises(ValueError, match='num_epochs must be 1 or more, got 0'):
        list(fit_wave(generator, target_wave(10), 0))
    with pytest.raises(ValueError, match='the target must vary, and its 1 samples are all equal'):
        list(fit_wave(generator, target_wave(1), 5))
    with pytest.raises(ArithmeticError, match='no longer finite in epoch'):
        list(fit_wave(generator, target_wave(10), 5, lr=1e30))
