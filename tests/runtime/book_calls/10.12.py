"""A translation: encoder, attention, decoder, a loss with a mask, greedy search, BLEU. Code of MXNet's alone, no d2lzh."""
import collections
import io
import math
from mxnet import autograd, gluon, init, nd
from mxnet.contrib import text
from mxnet.gluon import data as gdata, loss as gloss, nn, rnn

PAD, BOS, EOS, LENGTH = '<pad>', '<bos>', '<eos>', 5
with io.open('pairs.txt', 'w') as file:
    file.write('un chat .\ta cat .\nun chien .\ta dog .\nle chat .\tthe cat .\nle chien .\tthe dog .\n')
with io.open('pairs.txt') as file:
    pairs = [line.rstrip().split('\t') for line in file.readlines()]
sides = [[side.split(' ') for side in column] for column in zip(*pairs)]
vocabs = [text.vocab.Vocabulary(collections.Counter([word for words in side for word in words]),
                                reserved_tokens=[PAD, BOS, EOS]) for side in sides]
padded = [[words + [EOS] + [PAD] * (LENGTH - len(words) - 1) for words in side] for side in sides]
dataset = gdata.ArrayDataset(*(nd.array([vocab.to_indices(words) for words in side]) for vocab, side in zip(vocabs, padded)))
assert [part.shape for part in dataset[0]] == [(LENGTH,), (LENGTH,)]


class Encoder(nn.Block):
    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, drop_prob=0, **kwargs):
        super(Encoder, self).__init__(**kwargs)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = rnn.GRU(num_hiddens, num_layers, dropout=drop_prob)

    def forward(self, inputs, state):
        return self.rnn(self.embedding(inputs).swapaxes(0, 1), state)

    def begin_state(self, *args, **kwargs):
        return self.rnn.begin_state(*args, **kwargs)


class Decoder(nn.Block):
    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, drop_prob=0, **kwargs):
        super(Decoder, self).__init__(**kwargs)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.attention = nn.Sequential()
        self.attention.add(nn.Dense(6, activation='tanh', use_bias=False, flatten=False),
                           nn.Dense(1, use_bias=False, flatten=False))
        self.rnn = rnn.GRU(num_hiddens, num_layers, dropout=drop_prob)
        self.out = nn.Dense(vocab_size, flatten=False)

    def forward(self, word, state, read):
        asked = nd.broadcast_axis(state[0][-1].expand_dims(0), axis=0, size=read.shape[0])
        weights = nd.softmax(self.attention(nd.concat(read, asked, dim=2)), axis=0)
        seen = nd.concat(self.embedding(word), (weights * read).sum(axis=0), dim=1)
        output, state = self.rnn(seen.expand_dims(0), state)
        return self.out(output).squeeze(axis=0), state


small = Encoder(vocab_size=10, embed_size=8, num_hiddens=16, num_layers=2)
small.initialize()
output, state = small(nd.zeros((4, 7)), small.begin_state(batch_size=4))
assert (output.shape, state[0].shape) == ((7, 4, 16), (2, 4, 16))
encoder, decoder = (kind(len(vocab), 16, 16, 2, 0.1) for kind, vocab in zip((Encoder, Decoder), vocabs))
loss, first = gloss.SoftmaxCrossEntropyLoss(), vocabs[1].token_to_idx[BOS]


def mean_loss(X, Y):
    read, state = encoder(X, encoder.begin_state(batch_size=X.shape[0]))
    word, mask, words = nd.array([first] * X.shape[0]), nd.ones(shape=(X.shape[0],)), 0
    total = nd.array([0])
    for y in Y.T:
        output, state = decoder(word, state, read)
        total = total + (mask * loss(output, y)).sum()
        word, words = y, words + mask.sum().asscalar()
        mask = mask * (y != vocabs[1].token_to_idx[EOS])
    return total / words


for part in (encoder, decoder):
    part.initialize(init.Xavier(), force_reinit=True)
trainers = [gluon.Trainer(part.collect_params(), 'adam', {'learning_rate': 0.02}) for part in (encoder, decoder)]
for epoch in range(60):
    for X, Y in gdata.DataLoader(dataset, 2, shuffle=True):
        with autograd.record():
            mean = mean_loss(X, Y)
        mean.backward()
        for trainer in trainers:
            trainer.step(1)
print('epoch %d, loss %.3f' % (epoch + 1, mean.asscalar()))


def translated(words):
    read, state = encoder(nd.array([vocabs[0].to_indices(words)]), encoder.begin_state(batch_size=1))
    word, found = nd.array([first]), []
    for _ in range(LENGTH):
        output, state = decoder(word, state, read)
        word = output.argmax(axis=1)
        if vocabs[1].idx_to_token[int(word.asscalar())] == EOS:
            break
        found.append(vocabs[1].idx_to_token[int(word.asscalar())])
    return found


def bleu(found, wanted, k):
    score = math.exp(min(0, 1 - len(wanted) / len(found)))
    for n in range(1, k + 1):
        hits = sum(' '.join(found[i: i + n]) in ' '.join(wanted) for i in range(len(found) - n + 1))
        score *= math.pow(hits / (len(found) - n + 1), math.pow(0.5, n))
    return score


assert bleu(translated(padded[0][0]), sides[1][0], k=2) == 1
