"""`from mxnet import nd` and `import d2lzh as d2l` first and alone; the cells of the book in a process of their own."""
import zipfile

import pytest

from gluon_rnn.runtime import hook

START = 'import site, sys; site.addsitedir({folder!r})\n'
SECTIONS = {    # the calls of the section's cells, on a small text
    '6.2': """from mxnet import nd
X, W_xh = nd.random.normal(shape=(3, 1)), nd.random.normal(shape=(1, 4))
H, W_hh = nd.random.normal(shape=(3, 4)), nd.random.normal(shape=(4, 4))
a = nd.dot(X, W_xh) + nd.dot(H, W_hh)
b = nd.dot(nd.concat(X, H, dim=1), nd.concat(W_xh, W_hh, dim=0))
print(float((a - b).abs().max().asscalar()) < 1e-5)""",
    '6.3': """from mxnet import nd
import random
import zipfile
with zipfile.ZipFile('../data/jaychou_lyrics.txt.zip') as zin:
    with zin.open('jaychou_lyrics.txt') as f:
        corpus_chars = f.read().decode('utf-8')
import d2lzh as d2l
d2l.load_data_jay_lyrics()
print([X.shape for X, Y in d2l.data_iter_consecutive(list(range(30)), batch_size=2, num_steps=6)] == [(2, 6)] * 2)""",
    '6.4': """import d2lzh as d2l
import math
from mxnet import autograd, nd
from mxnet.gluon import loss as gloss
(indices, c2i, i2c, n) = d2l.load_data_jay_lyrics()
ctx, h = d2l.try_gpu(), 8
def get_params():
    params = [nd.random.normal(scale=0.01, shape=s, ctx=ctx) for s in ((n, h), (h, h), (h,), (h, n), (n,))]
    for p in params:
        p.attach_grad()
    return params
def rnn(inputs, state, params):
    W_xh, W_hh, b_h, W_hq, b_q = params
    H, = state
    outputs = []
    for X in inputs:
        H = nd.tanh(nd.dot(X, W_xh) + nd.dot(H, W_hh) + b_h)
        outputs.append(nd.dot(H, W_hq) + b_q)
    return outputs, (H,)
def init_state(b, k, ctx):
    return (nd.zeros((b, k), ctx=ctx),)
d2l.train_and_predict_rnn(rnn, get_params, init_state, h, n, ctx, indices, i2c, c2i, True, 1, 5,
                          1e2, 1e-2, 2, 1, 5, ['分开'])
print(True)""",
    **{number: f"""import d2lzh as d2l
from mxnet import nd
from mxnet.gluon import nn, rnn
(indices, c2i, i2c, n) = d2l.load_data_jay_lyrics()
model = d2l.RNNModel(rnn.{layer}(8), n)
d2l.train_and_predict_rnn_gluon(model, 8, n, d2l.try_gpu(), indices, i2c, c2i, 1, 5, 1e2, 1e-2, 2, 1, 5, ['分开'])
print(True)""" for number, layer in (('6.5', 'RNN'), ('6.7', 'GRU'), ('6.8', 'LSTM'))},
    '10.7': """import collections
import d2lzh as d2l
from mxnet import gluon, init, nd
from mxnet.gluon import data as gdata, loss as gloss, nn, rnn
class BiRNN(nn.Block):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embedding, self.decoder = nn.Embedding(5, 4), nn.Dense(2)
        self.encoder = rnn.LSTM(4, num_layers=2, bidirectional=True, input_size=4)
    def forward(self, inputs):
        states = self.encoder(self.embedding(inputs.T))
        return self.decoder(nd.concat(states[0], states[-1]))
net, ctx = BiRNN(), d2l.try_all_gpus()
net.initialize(init.Xavier(), ctx=ctx)
it = gdata.DataLoader(gdata.ArrayDataset(nd.array([[0, 1, 2], [2, 3, 4]] * 4), nd.array([0, 1] * 4)), 4)
trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.01})
d2l.train(it, it, net, gloss.SoftmaxCrossEntropyLoss(), trainer, ctx, 2)
print(True)""",
    '10.11': """import collections, io, math
from mxnet import autograd, gluon, init, nd
from mxnet.contrib import text
from mxnet.gluon import data as gdata, loss as gloss, nn, rnn
encoder = rnn.GRU(16, num_layers=2, dropout=0.5, input_size=8)
encoder.initialize()
out, state = encoder(nn.Embedding(10, 8)(nd.zeros((4, 7))).swapaxes(0, 1) if False else nd.zeros((7, 4, 8)),
                     encoder.begin_state(batch_size=4))
print(out.shape == (7, 4, 16) and state[0].shape == (2, 4, 16))""",
    'plots': """import d2lzh as d2l
d2l.set_figsize()
print(hasattr(d2l.plt, 'figure'))""",
}


@pytest.fixture
def installed(tmp_path):
    """A folder of packages with the hook in it, and a text of a reader's own where the book's code looks for one."""
    folder, data = tmp_path / 'packages', tmp_path / 'data'
    for made in (folder, data, tmp_path / 'book'):
        made.mkdir()
    with zipfile.ZipFile(data / 'jaychou_lyrics.txt.zip', 'w') as zipped:
        zipped.writestr('jaychou_lyrics.txt', '想要有直升机\n不分开想要和你飞到宇宙去' * 20)
    hook.install(folder)
    return folder


def code_there(folder, code):
    return START.format(folder=str(folder)) + f'import os; os.chdir({str(folder.parent / "book")!r}); sys.path[:1] = []\n' + code


@pytest.mark.slow
@pytest.mark.parametrize('section', SECTIONS)
def test_cells_of_the_book(installed, python, section):
    ended = python('-c', code_there(installed, SECTIONS[section]), HOME=str(installed), OMP_NUM_THREADS='1')
    assert ended.stdout.strip().endswith('True'), ended.stderr


def test_nothing_is_imported_before(installed, python):
    code = "print(sorted({'numpy', 'mxnet', 'gluon_rnn', 'IPython'} & sys.modules.keys()), sys.meta_path[0].__class__.__name__)"
    assert python('-c', code_there(installed, code)).stdout == '[] Finder\n'


def test_a_project_that_is_gone(installed, python):
    module = installed / hook.NAMES[1]
    module.write_text(module.read_text(encoding='utf-8').replace(f'PROJECT = {str(hook.Path(hook.__file__).parents[2])!r}',
                                                                 "PROJECT = '/no/such/folder'"), encoding='utf-8')
    ended = python('-c', code_there(installed, "import json; print('gluon_rnn' in sys.modules)\ntry:\n import mxnet\n"
                                               "except Exception as e: print(type(e).__name__)"))
    assert ended.stdout.splitlines()[0] == 'False' and '/no/such' not in ended.stderr
    module.unlink()
    ended = python('-c', code_there(installed, 'print(1)'))
    assert (ended.stdout, ended.stderr) == ('1\n', '')


def test_uninstall(installed):
    assert [path.name for path in hook.uninstall(installed)] == list(hook.NAMES)
    assert list(installed.iterdir()) == [] and hook.uninstall(installed) == []
