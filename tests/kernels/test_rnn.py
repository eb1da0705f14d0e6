"""The simple network's walk and its gradients are the page's, with each activation."""
import pytest

from tests.kernels.page import assert_is_the_page


@pytest.mark.parametrize('activation', ['tanh', 'relu', 'sigmoid'])
def test_it_is_the_page(activation):
    assert_is_the_page('rnn', activation=activation)
