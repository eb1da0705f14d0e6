"""Residual layers."""
import numpy as np
import pytest
from numpy.testing import assert_allclose

import gluon_rnn
from gluon_rnn.cells import OneHot, build_network
from gluon_rnn.cells.build import NetworkConfig


def run(network, X, depth):
    return network(OneHot(X, depth), network.begin_state(X.shape[1]))


@pytest.mark.parametrize('impl', ['scratch', 'gluon'])
def test_a_residual_layer_adds_what_it_reads(impl):
    from mxnet import nd
    gluon_rnn.seed(3)
    deep = build_network(NetworkConfig(cell='gru', impl=impl, num_hiddens=5, num_layers=3, residual=True), 7)
    X = nd.array(np.random.RandomState(3).randint(0, 7, (4, 2)))
    H, _ = run(deep, X, 7)
    parts, below = list(deep.parts.values()), None
    for i, part in enumerate(parts):
        read = OneHot(X, 7) if i == 0 else below
        given, _ = part(read, part.begin_state(2))
        below = given if i == 0 else given + below
    assert_allclose(H.asnumpy(), below.asnumpy(), rtol=1e-6)
    plain = build_network(NetworkConfig(cell='gru', impl='scratch', num_hiddens=5, num_layers=3), 7)
    plain.load_book_params(deep.book_params())
    assert np.abs(H.asnumpy() - run(plain, X, 7)[0].asnumpy()).max() > 1e-3


def test_a_residual_layer_must_fit():
    from gluon_rnn.cells import GRU, DeepRNN
    with pytest.raises(ValueError, match='as many columns as it reads, layer 2 reads 5 and gives 6'):
        DeepRNN([GRU(3, 5), GRU(5, 6)], residual=True)
