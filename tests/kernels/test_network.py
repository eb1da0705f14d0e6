"""Every gradient of every network in float64 against finite differences of the loss."""
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.direction import GATES, Direction
    from gluon_rnn.kernels.language_model import LanguageModel, Update
    from gluon_rnn.kernels.network import Network
    from gluon_rnn.kernels.threads import Pool

V, h, T, B, SMALL = 6, 5, 4, 3, 1e-5
VARIANTS = [('rnn', {'activation': 'tanh'}), ('rnn', {'activation': 'sigmoid'}), ('gru', {}), ('gru', {'reset_after': True}),
            ('gru', {'reset_after': True, 'inner_bias': True}), ('lstm', {})]


@pytest.mark.parametrize(('cell', 'more'), VARIANTS, ids=lambda part: part if isinstance(part, str) else '-'.join(part) or 'book')
def test_gradients(cell, more):
    rng = np.random.default_rng(0)
    more = {**more, 'dtype': np.float64}
    layers = [[Direction(cell, V, h, one_hot=True, **more), Direction(cell, V, h - 2, one_hot=True, reverse=True, **more)],
              [Direction(cell, 2 * h - 2, h, **more)]]
    params = [[{f'{kind}{gate}': rng.normal(size=shape) * 0.5 for gate in GATES[cell]
                for kind, shape in (('W_x', (d.num_inputs, d.num_hiddens)), ('W_h', (d.num_hiddens, d.num_hiddens)),
                                    ('b_', (d.num_hiddens,)))} for d in layer] for layer in layers]
    for layer in params:
        for own in layer:
            own.update({'b_hh': rng.normal(size=own['b_h'].shape)} if 'inner_bias' in more else {})
    output = {'W_hq': rng.normal(size=(h, V)), 'b_q': rng.normal(size=V)}
    model = LanguageModel(Network(layers, Pool(1)), V)
    X, Y = rng.integers(0, V, (2, T, B))
    state = [rng.normal(size=(B, d.num_hiddens)) for layer in layers for d in layer for _ in range(d.num_states)]

    def loss():
        return model.loss(X, Y, state, params, output)[0].mean()

    flat = [('output', output)] + [(f'{i}.{d}', own) for i, layer in enumerate(params) for d, own in enumerate(layer)]
    wanted, before = {}, {}
    for place, own in flat:
        for name, array in own.items():
            slopes = np.zeros_like(array)
            for k in range(array.size):
                value = array.flat[k]
                ends = []
                for end in (value + SMALL, value - SMALL):
                    array.flat[k] = end
                    ends.append(loss())
                array.flat[k] = value
                slopes.flat[k] = (ends[0] - ends[1]) / (2 * SMALL)
            wanted[place, name], before[place, name] = slopes, array.copy()
    _, norm, _ = model.step(X, Y, state, params, output, Update('sgd', 1.0, 0))
    for place, own in flat:
        for name, array in own.items():
            assert_allclose(before[place, name] - array, wanted[place, name], rtol=0, atol=1e-8, err_msg=f'{place} {name}')
    assert_allclose(norm, np.sqrt(sum((slopes ** 2).sum() for slopes in wanted.values())), rtol=1e-7)
