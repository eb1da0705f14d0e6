"""The LSTM's walk and its gradients are the page's."""
from tests.kernels.page import assert_is_the_page


def test_it_is_the_page():
    assert_is_the_page('lstm')
