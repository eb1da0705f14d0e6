"""The GRU's walk and its gradients are the page's, in both forms and with an inner bias."""
import pytest

from tests.kernels.page import assert_is_the_page


@pytest.mark.parametrize('more', [{}, {'reset_after': True}, {'reset_after': True, 'inner_bias': True}],
                         ids=lambda more: '-'.join(more) or 'book')
def test_it_is_the_page(more):
    assert_is_the_page('gru', **more)
