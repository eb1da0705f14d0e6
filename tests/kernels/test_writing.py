"""A whole text in one call is what `generate` writes with the network by hand."""
import pytest

from gluon_rnn import copy_params, generate
from tests.models.networks import CONFIGS, model

# how the next is chosen, which is the same for all networks
HOWS = [{}, {'temperature': 0.7, 'seed': 3}, {'temperature': 1.5, 'top_k': 4, 'seed': 1}, {'top_k': 2, 'seed': 5},
        {'temperature': 1.2, 'top_p': 0.8, 'seed': 2}, {'top_k': 9, 'top_p': 0.5, 'seed': 6}]


@pytest.mark.parametrize('variant, how', [*(('gru', how) for how in HOWS), *((name, how) for name in CONFIGS if name != 'gru'
                                                                             for how in (HOWS[0], HOWS[1]))])
def test_it_writes_what_the_network_by_hand_writes(variant, how):
    scratch, numba = [model(impl, **CONFIGS[variant]) for impl in ('scratch', 'numba')]
    copy_params(scratch, numba)
    chars = [chr(0x4e00 + i) for i in range(31)]
    assert generate(numba, chars, chars[3] + chars[7], 20, **how) == generate(scratch, chars, chars[3] + chars[7], 20, **how)
