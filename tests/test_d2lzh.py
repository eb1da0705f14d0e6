"""The book's functions beside those of the real d2lzh 1.0.0, on the same input."""
import inspect
import random
import re
import sys
import warnings
import zipfile

import mxnet as mx
import numpy as np
import pytest
from mxnet import init, nd
from mxnet.gluon import rnn as gluon_rnn_layers
from numpy.testing import assert_allclose, assert_array_equal

from gluon_rnn import d2lzh as ours
from gluon_rnn import runtime

CTX = mx.cpu()
NAMES = ['load_data_jay_lyrics', 'load_data_time_machine', 'data_iter_random', 'data_iter_consecutive', 'to_onehot',
         'grad_clipping', 'sgd', 'predict_rnn', 'predict_rnn_gluon', 'train_and_predict_rnn', 'train_and_predict_rnn_gluon',
         'RNNModel', 'try_gpu', 'try_all_gpus']


@pytest.fixture(scope='module')
def real():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')     # of Jupyter and matplotlib
        import d2lzh
    return d2lzh


# ------------------------------------------------------------ what a reader writes: networks by hand, sections 6.4 and 6.7

def reader_params(gates, num_hiddens, vocab_size, scale=0.01):
    """get_params for a network with so many gates, drawn in the order of the book."""
    def get_params():
        def normal(*shape):
            return nd.random.normal(scale=scale, shape=shape, ctx=CTX)

        params = []
        for _ in range(gates):
            params += [normal(vocab_size, num_hiddens), normal(num_hiddens, num_hiddens), nd.zeros(num_hiddens, ctx=CTX)]
        params += [normal(num_hiddens, vocab_size), nd.zeros(vocab_size, ctx=CTX)]
        for param in params:
            param.attach_grad()
        return params
    return get_params


def zero_state(batch_size, num_hiddens, ctx):
    return nd.zeros((batch_size, num_hiddens), ctx=ctx),


def reader_rnn(inputs, state, params):
    W_xh, W_hh, b_h, W_hq, b_q = params
    H, = state
    outputs = []
    for X in inputs:
        H = nd.tanh(nd.dot(X, W_xh) + nd.dot(H, W_hh) + b_h)
        outputs.append(nd.dot(H, W_hq) + b_q)
    return outputs, (H,)


def reader_gru(inputs, state, params):
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = params
    H, = state
    outputs = []
    for X in inputs:
        Z = nd.sigmoid(nd.dot(X, W_xz) + nd.dot(H, W_hz) + b_z)
        R = nd.sigmoid(nd.dot(X, W_xr) + nd.dot(H, W_hr) + b_r)
        H_tilde = nd.tanh(nd.dot(X, W_xh) + nd.dot(R * H, W_hh) + b_h)
        H = Z * H + (1 - Z) * H_tilde
        outputs.append(nd.dot(H, W_hq) + b_q)
    return outputs, (H,)


READER = {'rnn': (reader_rnn, 1), 'gru': (reader_gru, 3)}


def same_seeds(function, *args, **kwargs):
    random.seed(11)
    mx.random.seed(11)
    return function(*args, **kwargs)


# ---------------------------------------------------------------------------------------------------------- the functions

@pytest.mark.parametrize('name', NAMES)
def test_signature(real, name):
    theirs, own = getattr(real, name), getattr(ours, name)
    if inspect.isclass(theirs):
        theirs, own = theirs.__init__, own.__init__
    parameters = [[(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()] for f in (theirs, own)]
    assert parameters[0] == parameters[1]


@pytest.mark.parametrize('function, name, file', [('load_data_jay_lyrics', 'jaychou', 'jaychou_lyrics.txt.zip'),
                                                  ('load_data_time_machine', 'time_machine', 'timemachine.txt')])
def test_load_data(real, needs_corpus, monkeypatch, tmp_path, function, name, file):
    needs_corpus(name)
    (tmp_path / 'data').mkdir()
    (tmp_path / 'chapter').mkdir()
    found = next(folder / file for folder in runtime.data_folders() if (folder / file).is_file())
    (tmp_path / 'data' / file).write_bytes(found.read_bytes())
    monkeypatch.chdir(tmp_path / 'chapter')     # the original reads ../data
    indices, char_to_idx, idx_to_char, vocab_size = getattr(real, function)()
    monkeypatch.chdir(tmp_path)                 # ours reads from any folder
    own = getattr(ours, function)()
    assert [type(part) for part in own] == [list, dict, list, int]
    assert type(own[0][0]) is int
    assert ''.join(own[2][i] for i in own[0]) == ''.join(idx_to_char[i] for i in indices)
    assert own[3] == vocab_size and own[1].keys() == char_to_idx.keys()
    assert all(own[2][i] == char for char, i in own[1].items())


@pytest.mark.parametrize('sampling', ['data_iter_random', 'data_iter_consecutive'])
@pytest.mark.parametrize('length, batch_size, num_steps', [(30, 2, 6), (200, 7, 5), (101, 10, 1)])
def test_data_iter(real, sampling, length, batch_size, num_steps):
    theirs, own = (same_seeds(lambda m=m: list(getattr(m, sampling)(list(range(length)), batch_size, num_steps, CTX)))
                   for m in (real, ours))
    assert len(theirs) == len(own) > 0
    for pair, own_pair in zip(theirs, own):
        for array, own_array in zip(pair, own_pair):
            assert own_array.dtype == array.dtype and own_array.context == array.context
            assert_array_equal(own_array.asnumpy(), array.asnumpy())


@pytest.mark.parametrize('shape', [(2, 5), (1, 1), (3,)])
def test_to_onehot(real, shape):
    X = nd.array(np.random.randint(0, 10, shape))
    theirs, own = real.to_onehot(X, 10), ours.to_onehot(X, 10)
    assert type(own) is list and len(own) == len(theirs)
    for x, own_x in zip(theirs, own):
        assert own_x.dtype == x.dtype
        assert_array_equal(own_x.asnumpy(), x.asnumpy())


def params_with_gradients():
    mx.random.seed(3)
    params = [nd.random.normal(shape=shape) for shape in ((4, 3), (3,), (5, 4))]
    for param in params:
        param.attach_grad()
        param.grad[:] = nd.random.normal(shape=param.shape)
    return params


@pytest.mark.parametrize('theta', [None, 1e-2, 1, 1e3])
def test_grad_clipping(real, theta):
    theirs, own = params_with_gradients(), params_with_gradients()
    assert real.grad_clipping(theirs, theta, CTX) is ours.grad_clipping(own, theta, CTX) is None
    for param, own_param in zip(theirs, own):
        assert_allclose(own_param.grad.asnumpy(), param.grad.asnumpy(), rtol=3e-7)


def test_grad_clipping_leaves_zero_gradients():
    params = params_with_gradients()
    for param in params:
        param.grad[:] = 0
    ours.grad_clipping(params, 1e-2, CTX)
    assert not any(param.grad.asnumpy().any() for param in params)


def test_sgd(real):
    theirs, own = params_with_gradients(), params_with_gradients()
    assert real.sgd(theirs, 0.3, 7) is ours.sgd(own, 0.3, 7) is None
    for param, own_param in zip(theirs, own):
        assert_array_equal(own_param.asnumpy(), param.asnumpy())


def test_devices(real):
    assert ours.try_gpu() == real.try_gpu()
    assert ours.try_all_gpus() == real.try_all_gpus()


@pytest.mark.parametrize('layer', ['RNN', 'GRU', 'LSTM'])
def test_rnn_model(real, layer):
    models = [m.RNNModel(getattr(gluon_rnn_layers, layer)(6), 9) for m in (real, ours)]
    assert [name.split('_', 1)[1] for name in models[0].collect_params()] == \
        [name.split('_', 1)[1] for name in models[1].collect_params()]
    X = nd.array(np.random.randint(0, 9, (2, 5)))
    results = []
    for model in models:
        same_seeds(model.initialize, init.Normal(1))
        same_seeds(lambda model=model: model(X, model.begin_state(batch_size=2, ctx=CTX)))     # draws the other weights
        results.append(model(X, model.begin_state(batch_size=2, ctx=CTX)))
    (logits, state), (own_logits, own_state) = results
    assert type(own_state) is type(state)
    for array, own_array in zip([logits, *state], [own_logits, *own_state]):
        assert_array_equal(own_array.asnumpy(), array.asnumpy())


@pytest.mark.parametrize('prefix, num_chars', [('分开', 20), ('不', 0), ('不', 1)])
def test_predict_rnn(real, lyrics, prefix, num_chars):
    rnn, gates = READER['gru']
    params = reader_params(gates, 8, lyrics.vocab_size, scale=0.8)()
    args = (prefix, num_chars, rnn, params, zero_state, 8, lyrics.vocab_size, CTX, lyrics.idx_to_char, lyrics.char_to_idx)
    written = ours.predict_rnn(*args)
    assert written == real.predict_rnn(*args)
    assert len(written) == len(prefix) + num_chars


@pytest.mark.parametrize('layer', [gluon_rnn_layers.LSTM(8), gluon_rnn_layers.GRU(8, bidirectional=True)])
def test_predict_rnn_gluon(real, lyrics, layer):
    model = ours.RNNModel(layer, lyrics.vocab_size)
    model.initialize(init.Normal(0.8), force_reinit=True)
    args = ('分开', 20, model, lyrics.vocab_size, CTX, lyrics.idx_to_char, lyrics.char_to_idx)
    assert ours.predict_rnn_gluon(*args) == real.predict_rnn_gluon(*args)


# ---------------------------------------------------------------------------------------------------------------- training

EPOCH = re.compile(r'epoch (\d+), perplexity (\d+\.\d{6}), time (\d+\.\d\d) sec')


def assert_prints_the_same(theirs, own):
    """The same lines, but for seconds and float32's rounding in the perplexities."""
    assert own.count('\n') == theirs.count('\n') > 0
    for line, own_line in zip(theirs.splitlines(), own.splitlines()):
        if line.startswith('epoch'):
            match, own_match = EPOCH.fullmatch(line), EPOCH.fullmatch(own_line)
            assert own_match.group(1) == match.group(1)
            assert_allclose(float(own_match.group(2)), float(match.group(2)), rtol=2e-5)
        else:
            assert own_line == line and line.startswith(' - ')


@pytest.mark.parametrize('random_iter', [True, False])
@pytest.mark.parametrize('network', ['rnn', pytest.param('gru', marks=pytest.mark.slow)])
def test_train_and_predict_rnn(real, lyrics, capsys, network, random_iter):
    rnn, gates = READER[network]
    printed, weights = [], []
    for module in (real, ours):
        kept = []

        def get_params(kept=kept):
            kept += reader_params(gates, 16, lyrics.vocab_size)()
            return kept

        assert same_seeds(module.train_and_predict_rnn, rnn, get_params, zero_state, 16, lyrics.vocab_size, CTX,
                          lyrics.indices.tolist(), list(lyrics.idx_to_char), lyrics.char_to_idx, random_iter, 3, 10, 1e2,
                          1e-2, 8, 2, 6, ['分开', '不分开']) is None
        printed.append(capsys.readouterr().out)
        weights.append(np.concatenate([param.asnumpy().ravel() for param in kept]))
    assert printed[0].count('\n') == 3
    assert_prints_the_same(*printed)
    assert_allclose(weights[1], weights[0], atol=5e-5)     # of weights about 1


@pytest.mark.parametrize('layer, lr', [('LSTM', 1e2), ('RNN', 10)])     # relu at 1e2 blows rounding up
def test_train_and_predict_rnn_gluon(real, lyrics, capsys, layer, lr):
    printed = []
    for module in (real, ours):
        model = module.RNNModel(getattr(gluon_rnn_layers, layer)(16), lyrics.vocab_size)
        for _ in range(2):      # the second time, training draws the weights anew
            assert same_seeds(module.train_and_predict_rnn_gluon, model, 16, lyrics.vocab_size, CTX, lyrics.indices.tolist(),
                              list(lyrics.idx_to_char), lyrics.char_to_idx, 3, 10, lr, 1e-2, 8, 1, 6, ['分开']) is None
        printed.append(capsys.readouterr().out)
    assert_prints_the_same(*printed)


@pytest.mark.parametrize('kind', [lambda H: H, lambda H: [H]], ids=['array', 'list'])
def test_a_state_may_be_one_array_or_a_list(real, lyrics, capsys, kind):
    def rnn(inputs, state, params):
        outputs, (H,) = reader_rnn(inputs, (state if isinstance(state, nd.NDArray) else state[0],), params)
        assert isinstance(state, type(kind(H)))
        return outputs, kind(H)

    printed = []
    for module in (real, ours):
        same_seeds(module.train_and_predict_rnn, rnn, reader_params(1, 8, lyrics.vocab_size),
                   lambda *args: kind(zero_state(*args)[0]), 8, lyrics.vocab_size, CTX, lyrics.indices.tolist(),
                   lyrics.idx_to_char, lyrics.char_to_idx, False, 2, 10, 1, None, 8, 1, 4, ['分开'])
        printed.append(capsys.readouterr().out)
    assert_prints_the_same(*printed)


# ------------------------------------------------------------------------------------------------------------------ errors

def train(lyrics, **changes):
    args = {'corpus_indices': lyrics.indices, 'idx_to_char': lyrics.idx_to_char, 'char_to_idx': lyrics.char_to_idx,
            'is_random_iter': True, 'num_epochs': 1, 'num_steps': 10, 'lr': 1e2, 'clipping_theta': 1e-2, 'batch_size': 8,
            'pred_period': 1, 'pred_len': 5, 'prefixes': ['分开'], **changes}
    ours.train_and_predict_rnn(reader_rnn, reader_params(1, 8, lyrics.vocab_size), zero_state, 8, lyrics.vocab_size, CTX, **args)


@pytest.mark.parametrize('changes, message', [
    ({'batch_size': 1000}, 'random sampling with batch_size 1000 .* needs a text of at least 10001 characters, got 1000'),
    ({'batch_size': 1000, 'is_random_iter': False}, 'consecutive .* needs a text of at least 11000 characters, got 1000'),
    ({'prefixes': ['分开', '分q']}, "'q' is not in the vocabulary"),
    ({'prefixes': ['']}, 'a prefix in prefixes is empty'),
    ({'pred_period': 0}, 'pred_period must be 1 or more epochs, got 0'),
    ({'clipping_theta': 0}, 'clipping_theta must be above 0, or None for no clipping, got 0'),
])
def test_errors(lyrics, capsys, changes, message):
    with pytest.raises(ValueError, match=message):
        train(lyrics, **changes)
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('name', ['data_iter_random', 'data_iter_consecutive'])
def test_text_too_short_for_a_batch(name):
    with pytest.raises(ValueError, match='needs a text of at least'):
        list(getattr(ours, name)(list(range(20)), 10, 10))


def test_prefix_with_an_unknown_character(lyrics):
    params = reader_params(1, 8, lyrics.vocab_size)()
    with pytest.raises(ValueError, match="'qx' is not in the vocabulary"):
        ours.predict_rnn('x分q', 5, reader_rnn, params, zero_state, 8, lyrics.vocab_size, CTX, lyrics.idx_to_char,
                         lyrics.char_to_idx)


def test_what_chapter_6_does_not_define(real, monkeypatch):
    assert ours.linreg is real.linreg and ours.plt is real.plt
    with pytest.raises(AttributeError, match=r"neither gluon_rnn\.d2lzh nor d2lzh has 'no_such'"):
        ours.no_such  # noqa: B018
    monkeypatch.setitem(sys.modules, 'd2lzh', None)
    with pytest.raises(AttributeError, match="'linreg' is not among them; with d2lzh installed"):
        ours.linreg  # noqa: B018


def test_a_text_of_the_readers_own(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, 'data_folders', lambda: [tmp_path / 'nowhere'])
    (tmp_path / 'data').mkdir()
    (tmp_path / 'book').mkdir()
    with zipfile.ZipFile(tmp_path / 'data' / 'jaychou_lyrics.txt.zip', 'w') as zipped:
        zipped.writestr('jaychou_lyrics.txt', '天地\n玄黄')
    monkeypatch.chdir(tmp_path / 'book')
    with pytest.warns(UserWarning, match="is not the book's text"):
        indices, _, idx_to_char, vocab_size = ours.load_data_jay_lyrics()
    assert ''.join(idx_to_char[i] for i in indices) == '天地 玄黄' and vocab_size == 5


def test_small_liberties(lyrics):
    assert ours.grad_clipping([], 1, CTX) is None
    params = reader_params(1, 8, lyrics.vocab_size)()
    args = ('分开', 4, reader_rnn, params, zero_state, 8, lyrics.vocab_size, CTX)
    as_dict = dict(enumerate(lyrics.idx_to_char))
    assert ours.predict_rnn(*args, as_dict, lyrics.char_to_idx) == ours.predict_rnn(*args, lyrics.idx_to_char, lyrics.char_to_idx)
