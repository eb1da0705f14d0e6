"""A network by hand: one-hot vectors, parameters, prediction, clipping, training with both ways of sampling."""
import d2lzh as d2l
import math
from mxnet import autograd, nd
from mxnet.gluon import loss as gloss
import time

(indices, char_to_idx, idx_to_char, vocab_size) = d2l.load_data_jay_lyrics()
num_hiddens, ctx = 8, d2l.try_gpu()
nd.one_hot(nd.array([0, 2]), vocab_size)


def vectors(X):
    return [nd.one_hot(x, vocab_size) for x in X.T]


def drawn():
    params = [nd.random.normal(scale=0.01, shape=shape, ctx=ctx)
              for shape in ((vocab_size, num_hiddens), (num_hiddens, num_hiddens), (num_hiddens, vocab_size))]
    params += [nd.zeros(num_hiddens, ctx=ctx), nd.zeros(vocab_size, ctx=ctx)]
    for param in params:
        param.attach_grad()
    return params


def zeros(batch_size, num_hiddens, ctx):
    return (nd.zeros(shape=(batch_size, num_hiddens), ctx=ctx), )


def network(inputs, state, params):
    W_xh, W_hh, W_hq, b_h, b_q = params
    H, = state
    outputs = []
    for X in inputs:
        H = nd.tanh(nd.dot(X, W_xh) + nd.dot(H, W_hh) + b_h)
        outputs.append(nd.dot(H, W_hq) + b_q)
    return outputs, (H,)


def continued(prefix, params):
    state, written = zeros(1, num_hiddens, ctx), [char_to_idx[prefix]]
    for _ in range(10):
        Y, state = network(vectors(nd.array([written[-1]], ctx=ctx)), state, params)
        written.append(int(Y[0].argmax(axis=1).asscalar()))
    return ''.join([idx_to_char[i] for i in written])


X = nd.arange(10).reshape((2, 5))
outputs, state = network(vectors(X.as_in_context(ctx)), zeros(X.shape[0], num_hiddens, ctx), drawn())
assert (len(outputs), outputs[0].shape, state[0].shape) == (5, (2, vocab_size), (2, num_hiddens))
for batches in (d2l.data_iter_random, d2l.data_iter_consecutive):
    params, loss, start = drawn(), gloss.SoftmaxCrossEntropyLoss(), time.time()
    for epoch in range(8):
        state, total, n = zeros(2, num_hiddens, ctx), 0.0, 0
        for X, Y in batches(indices, 2, 5, ctx):
            for s in state:
                s.detach()
            with autograd.record():
                outputs, state = network(vectors(X), state, params)
                labels = Y.T.reshape((-1,))
                mean = loss(nd.concat(*outputs, dim=0), labels).mean()
            mean.backward()
            norm = nd.array([0], ctx)
            for param in params:
                norm += (param.grad ** 2).sum()
            norm = norm.sqrt().asscalar()
            if norm > 1e-2:
                for param in params:
                    param.grad[:] *= 1e-2 / norm
            d2l.sgd(params, 1e2, 1)
            total, n = total + mean.asscalar() * labels.size, n + labels.size
    print('epoch %d, perplexity %f, time %.2f sec' % (epoch + 1, math.exp(total / n), time.time() - start))
    print(' -', continued(idx_to_char[0], params))
    assert 1 < math.exp(total / n) < vocab_size / 2
