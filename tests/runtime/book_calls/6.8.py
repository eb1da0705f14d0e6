"""An LSTM by hand, whose state is a pair, and one of Gluon's, trained by d2lzh."""
import d2lzh as d2l
from mxnet import nd
from mxnet.gluon import rnn

(indices, char_to_idx, idx_to_char, vocab_size) = d2l.load_data_jay_lyrics()
num_hiddens, ctx = 8, d2l.try_gpu()


def drawn():
    params = []
    for _ in range(4):
        params += [nd.random.normal(scale=0.01, shape=(vocab_size, num_hiddens), ctx=ctx),
                   nd.random.normal(scale=0.01, shape=(num_hiddens, num_hiddens), ctx=ctx), nd.zeros(num_hiddens, ctx=ctx)]
    params += [nd.random.normal(scale=0.01, shape=(num_hiddens, vocab_size), ctx=ctx), nd.zeros(vocab_size, ctx=ctx)]
    for param in params:
        param.attach_grad()
    return params


def zeros(batch_size, num_hiddens, ctx):
    return nd.zeros(shape=(batch_size, num_hiddens), ctx=ctx), nd.zeros(shape=(batch_size, num_hiddens), ctx=ctx)


def lstm(inputs, state, params):
    [W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c, W_hq, b_q] = params
    (H, C) = state
    outputs = []
    for X in inputs:
        I = nd.sigmoid(nd.dot(X, W_xi) + nd.dot(H, W_hi) + b_i)
        F = nd.sigmoid(nd.dot(X, W_xf) + nd.dot(H, W_hf) + b_f)
        O = nd.sigmoid(nd.dot(X, W_xo) + nd.dot(H, W_ho) + b_o)
        C = F * C + I * nd.tanh(nd.dot(X, W_xc) + nd.dot(H, W_hc) + b_c)
        H = O * C.tanh()
        outputs.append(nd.dot(H, W_hq) + b_q)
    return outputs, (H, C)


settings = (ctx, indices, idx_to_char, char_to_idx)
d2l.train_and_predict_rnn(lstm, drawn, zeros, num_hiddens, vocab_size, *settings, False, 2, 5, 1e2, 1e-2, 2, 1, 5, ['分开'])
model = d2l.RNNModel(rnn.LSTM(num_hiddens), vocab_size)
d2l.train_and_predict_rnn_gluon(model, num_hiddens, vocab_size, *settings, 2, 5, 1e2, 1e-2, 2, 1, 5, ['分开'])
