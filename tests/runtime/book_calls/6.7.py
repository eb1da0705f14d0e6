"""A GRU by hand and one of Gluon's, trained by d2lzh."""
import d2lzh as d2l
from mxnet import nd
from mxnet.gluon import rnn

(indices, char_to_idx, idx_to_char, vocab_size) = d2l.load_data_jay_lyrics()
num_hiddens, ctx = 8, d2l.try_gpu()


def drawn():
    def one(*shape):
        return nd.random.normal(scale=0.01, shape=shape, ctx=ctx)
    params = []
    for _ in range(3):
        params += [one(vocab_size, num_hiddens), one(num_hiddens, num_hiddens), nd.zeros(num_hiddens, ctx=ctx)]
    params += [one(num_hiddens, vocab_size), nd.zeros(vocab_size, ctx=ctx)]
    for param in params:
        param.attach_grad()
    return params


def zeros(batch_size, num_hiddens, ctx):
    return (nd.zeros(shape=(batch_size, num_hiddens), ctx=ctx), )


def gru(inputs, state, params):
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = params
    H, = state
    outputs = []
    for X in inputs:
        Z = nd.sigmoid(nd.dot(X, W_xz) + nd.dot(H, W_hz) + b_z)
        R = nd.sigmoid(nd.dot(X, W_xr) + nd.dot(H, W_hr) + b_r)
        H = Z * H + (1 - Z) * nd.tanh(nd.dot(X, W_xh) + nd.dot(R * H, W_hh) + b_h)
        outputs.append(nd.dot(H, W_hq) + b_q)
    return outputs, (H,)


settings = (ctx, indices, idx_to_char, char_to_idx)
d2l.train_and_predict_rnn(gru, drawn, zeros, num_hiddens, vocab_size, *settings, False, 2, 5, 1e2, 1e-2, 2, 1, 5, ['分开'])
model = d2l.RNNModel(rnn.GRU(num_hiddens), vocab_size)
d2l.train_and_predict_rnn_gluon(model, num_hiddens, vocab_size, *settings, 2, 5, 1e2, 1e-2, 2, 1, 5, ['分开'])
