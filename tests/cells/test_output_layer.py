"""The output layer by hand is nn.Dense, recorded or not, with its gradients."""
import numpy as np
import pytest
from mxnet import autograd, nd
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn.cells.output_layer import GluonOutputLayer, OutputLayer


def test_both_are_the_page_with_its_gradients():
    rng = np.random.default_rng(0)
    H, W_hq, b_q, D = (rng.normal(size=shape).astype('float32') for shape in ((6, 4), (4, 3), (3,), (6, 3)))
    for layer in (OutputLayer(4, 3), GluonOutputLayer(4, 3)):
        layer.load_book_params({'W_hq': W_hq, 'b_q': b_q})
        X = nd.array(H)
        X.attach_grad()
        with autograd.record():
            O = layer(X)
        O.backward(nd.array(D))
        for found in (O, layer(X)):
            assert_allclose(found.asnumpy(), H @ W_hq + b_q, rtol=1e-5, atol=1e-6)
        weight, bias = layer.parameters().values()
        of_weight = weight.grad.asnumpy()
        assert_allclose(of_weight if isinstance(layer, OutputLayer) else of_weight.T, H.T @ D, rtol=1e-5, atol=1e-6)
        assert_allclose(bias.grad.asnumpy(), D.sum(axis=0), rtol=1e-5, atol=1e-6)
        assert_allclose(X.grad.asnumpy(), D @ W_hq.T, rtol=1e-5, atol=1e-6)
        assert_array_equal(layer.book_params()['W_hq'], W_hq)


@pytest.mark.parametrize('kind', [OutputLayer, GluonOutputLayer])
def test_weights_that_do_not_fit(kind):
    with pytest.raises(ValueError, match=r'W_hq must have shape \(4, 3\), got \(3, 4\)'):
        kind(4, 3).load_book_params({'W_hq': np.zeros((3, 4)), 'b_q': np.zeros(3)})
