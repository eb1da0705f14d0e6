"""The page's equations in NumPy and float64, whole networks of them, and what the kernels' gradients are held against."""
import numpy as np
from numpy.testing import assert_allclose

from gluon_rnn import runtime

with runtime.kernel_cache():
    from gluon_rnn.kernels.direction import GATES, Direction
    from gluon_rnn.kernels.language_model import LanguageModel, Update
    from gluon_rnn.kernels.network import Network
    from gluon_rnn.kernels.threads import Pool

CLOSE = {np.float32: 3e-6, np.float64: 1e-7}     # of an array's largest number
V, h, T, B = 6, 5, 4, 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gate(p, name, X, H):
    return X @ p[f'W_x{name}'] + H @ p[f'W_h{name}'] + p[f'b_{name}']


def rnn(p, X, H, *, activation='tanh'):
    return {'tanh': np.tanh, 'relu': lambda x: np.maximum(x, 0), 'sigmoid': sigmoid}[activation](gate(p, 'h', X, H)),


def gru(p, X, H, *, reset_after=False, inner_bias=False):
    Z, R = (sigmoid(gate(p, name, X, H)) for name in 'zr')
    inner = R * (H @ p['W_hh'] + p.get('b_hh', 0)) if reset_after else (R * H) @ p['W_hh']
    return Z * H + (1 - Z) * np.tanh(X @ p['W_xh'] + inner + p['b_h']),


def lstm(p, X, H, C):
    I, F, O = (sigmoid(gate(p, name, X, H)) for name in 'ifo')
    C = F * C + I * np.tanh(gate(p, 'c', X, H))
    return O * np.tanh(C), C


class Page:
    """A language model of two layers, the first in both directions, and the same on the kernels, with large random weights.

    residual: three layers of one direction instead, each but the first adding what it reads. dtype: of the kernels.
    """

    def __init__(self, cell, *, residual=False, dtype=np.float32, threads=1, **more):
        rng, self.residual, self.more, self.dtype = np.random.default_rng(0), residual, more, dtype
        of_direction = {**more, 'dtype': dtype}
        self.step = {'rnn': rnn, 'gru': gru, 'lstm': lstm}[cell]
        self.layers = ([[Direction(cell, h if i else V, h, one_hot=not i, **of_direction)] for i in range(3)] if residual else
                       [[Direction(cell, V, h, one_hot=True, **of_direction),
                         Direction(cell, V, h - 2, one_hot=True, reverse=True, **of_direction)],
                        [Direction(cell, 2 * h - 2, h, **of_direction)]])
        self.params = [[self.of_direction(rng, cell, d, 'inner_bias' in more) for d in layer] for layer in self.layers]
        self.output = {'W_hq': self.normal(rng, h, V), 'b_q': self.normal(rng, V)}
        self.X, self.Y = rng.integers(0, V, (2, T, B))
        self.state = [self.normal(rng, B, d.num_hiddens) for layer in self.layers for d in layer for _ in range(d.num_states)]
        self.kernels = LanguageModel(Network(self.layers, Pool(threads), residual=residual), V)

    def normal(self, rng, *shape):
        return rng.normal(scale=0.5, size=shape).astype(self.dtype)

    def of_direction(self, rng, cell, d, inner_bias):
        own = {f'{kind}{name}': self.normal(rng, *shape) for name in GATES[cell]
               for kind, shape in (('W_x', (d.num_inputs, d.num_hiddens)), ('W_h', (d.num_hiddens, d.num_hiddens)),
                                   ('b_', (d.num_hiddens,)))}
        return {**own, 'b_hh': self.normal(rng, d.num_hiddens)} if inner_bias else own

    def arrays(self):
        """Every parameter, by a name of its own."""
        return {**{f'{i}.{d}.{name}': array for i, layer in enumerate(self.params) for d, own in enumerate(layer)
                   for name, array in own.items()}, **self.output}

    def losses(self, exact):
        """-log of each label's probability (T, B), by the page. exact: the parameters in float64, as `arrays` names them."""
        inputs, state = np.eye(V)[self.X], [array.astype(np.float64) for array in self.state]
        for i, layer in enumerate(self.layers):
            outputs = []
            for d, direction in enumerate(layer):
                p = {name: exact[f'{i}.{d}.{name}'] for name in self.params[i][d]}
                now, H = [state.pop(0) for _ in range(direction.num_states)], []
                for X in inputs[::-1] if direction.reverse else inputs:
                    now = self.step(p, X, *now, **self.more)
                    H.append(now[0])
                outputs.append(np.stack(H[::-1] if direction.reverse else H))
            joined = np.concatenate(outputs, axis=2)
            inputs = joined + inputs if self.residual and i else joined
        logits = inputs @ exact['W_hq'] + exact['b_q']
        at_label = np.take_along_axis(logits, self.Y[..., None], axis=2)[..., 0]
        return np.log(np.exp(logits).sum(axis=2)) - at_label

    def gradients(self):
        """Of the mean loss, by central differences."""
        exact, found = {name: array.astype(np.float64) for name, array in self.arrays().items()}, {}
        for name, array in exact.items():
            found[name] = np.zeros_like(array)
            for k in range(array.size):
                value, ends = array.flat[k], []
                for end in (value + 1e-5, value - 1e-5):
                    array.flat[k] = end
                    ends.append(self.losses(exact).mean())
                array.flat[k] = value
                found[name].flat[k] = (ends[0] - ends[1]) / 2e-5
        return found


def assert_is_the_page(cell, **more):
    """The loss of the kernels, their gradients of every weight, and their norm."""
    page = Page(cell, **more)
    close = CLOSE[page.dtype]
    exact = {name: array.astype(np.float64) for name, array in page.arrays().items()}
    loss, _ = page.kernels.loss(page.X, page.Y, page.state, page.params, page.output)
    assert_allclose(loss, page.losses(exact), rtol=2e-6)
    wanted, lr = page.gradients(), 1e4      # so far a step that of the weight before it next to nothing is left
    mean, norm, _ = page.kernels.step(page.X, page.Y, page.state, page.params, page.output, Update('sgd', lr, 0))
    assert_allclose(mean, loss.mean(), rtol=1e-6)
    for name, array in page.arrays().items():
        largest = np.abs(wanted[name]).max()
        assert largest > 1e-4, f'{name} is all but zero: nothing is compared'
        assert_allclose((exact[name] - array) / lr, wanted[name], rtol=0, atol=close * largest, err_msg=name)
    assert_allclose(norm, np.sqrt(sum((values ** 2).sum() for values in wanted.values())), rtol=close)
