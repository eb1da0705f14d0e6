"""The same with a layer of Gluon's, and a Block around it."""
import d2lzh as d2l
import math
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import loss as gloss, nn, rnn

(indices, char_to_idx, idx_to_char, vocab_size) = d2l.load_data_jay_lyrics()
layer = rnn.RNN(8)
layer.initialize()
state = layer.begin_state(batch_size=2)
H, state = layer(nd.random.uniform(shape=(5, 2, vocab_size)), state)
assert (H.shape, len(state), state[0].shape) == ((5, 2, 8), 1, (1, 2, 8))


class Model(nn.Block):
    def __init__(self, layer, vocab_size, **kwargs):
        super(Model, self).__init__(**kwargs)
        self.rnn, self.vocab_size, self.dense = layer, vocab_size, nn.Dense(vocab_size)

    def forward(self, inputs, state):
        H, state = self.rnn(nd.one_hot(inputs.T, self.vocab_size), state)
        return self.dense(H.reshape((-1, H.shape[-1]))), state

    def begin_state(self, *args, **kwargs):
        return self.rnn.begin_state(*args, **kwargs)


ctx = d2l.try_gpu()
model = Model(layer, vocab_size)
model.initialize(force_reinit=True, ctx=ctx)
model(nd.array([0], ctx=ctx).reshape((1, 1)), model.begin_state(batch_size=1, ctx=ctx))
model.initialize(ctx=ctx, force_reinit=True, init=init.Normal(0.01))
trainer = gluon.Trainer(model.collect_params(), 'sgd', {'learning_rate': 1e2, 'momentum': 0, 'wd': 0})
loss = gloss.SoftmaxCrossEntropyLoss()
for epoch in range(10):
    total, n, state = 0.0, 0, model.begin_state(batch_size=2, ctx=ctx)
    for X, Y in d2l.data_iter_consecutive(indices, 2, 5, ctx):
        for s in state:
            s.detach()
        with autograd.record():
            output, state = model(X, state)
            labels = Y.T.reshape((-1,))
            mean = loss(output, labels).mean()
        mean.backward()
        d2l.grad_clipping([p.data() for p in model.collect_params().values()], 1e-2, ctx)
        trainer.step(1)
        total, n = total + mean.asscalar() * labels.size, n + labels.size
print(math.exp(total / n), d2l.predict_rnn_gluon(idx_to_char[0], 5, model, vocab_size, ctx, idx_to_char, char_to_idx))
assert 1 < math.exp(total / n) < vocab_size / 2
