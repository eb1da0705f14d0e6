"""Layers put together: what a residual layer adds, and what dropout leaves out. (Each cell's file has layers and directions.)"""
import numpy as np
import pytest

from tests.kernels.page import LanguageModel, Network, Page, Pool, Update, V, assert_is_the_page


@pytest.mark.slow
@pytest.mark.parametrize('cell', ['rnn', 'gru', 'lstm'])
def test_in_float64(cell):
    assert_is_the_page(cell, dtype=np.float64)


def test_residual_layers_add_what_they_read():
    assert_is_the_page('gru', residual=True)


def test_dropout_is_for_training_and_each_key_draws_its_own():
    """Of three layers, so that two of them read what dropout leaves."""
    losses = {}
    for dropout, key in ((0, 1), (0.5, 1), (0.5, 2)):
        page = Page('rnn', residual=True)
        model = LanguageModel(Network(page.layers, Pool(1), residual=True, dropout=dropout), V)
        told, _ = model.loss(page.X, page.Y, page.state, page.params, page.output)
        for time in ('once', 'again'):
            loss, _, _ = model.step(page.X, page.Y, page.state, page.params, page.output, Update('sgd', 0.0, 0), dropout_key=key)
            losses[dropout, key, time] = loss
        assert told.mean() == pytest.approx(losses[0, 1, 'once'], rel=1e-6)
    assert all(losses[dropout, key, 'once'] == losses[dropout, key, 'again'] for dropout, key, _ in losses)
    assert len(set(losses.values())) == 3 and np.isfinite(list(losses.values())).all()
