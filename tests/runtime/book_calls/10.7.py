"""The mood of a review: an archive unpacked, a vocabulary, word vectors read, a bidirectional LSTM trained by d2lzh."""
import collections
import d2lzh as d2l
from mxnet import gluon, init, nd
from mxnet.contrib import text
from mxnet.gluon import data as gdata, loss as gloss, nn, rnn, utils as gutils
import os
import random
import tarfile

random.seed(1)
WORDS = {'pos': ['great', 'lovely'], 'neg': ['bad', 'dull'], '': ['this', 'movie', 'is', 'so']}
for label in ('pos', 'neg'):        # the reviews and the vectors are made up: where they come from is not what is tried here
    os.makedirs(f'reviews/{label}')
    for k in range(32):
        with open(f'reviews/{label}/{k}.txt', 'wb') as file:
            file.write(' '.join(random.choices(WORDS[label] + WORDS[''], k=12)).encode('utf-8') + b'\n')
os.makedirs('../data', exist_ok=True)
with tarfile.open('../data/reviews.tar.gz', 'w:gz') as archive:
    archive.add('reviews')
os.makedirs(os.path.join(os.environ['MXNET_HOME'], 'embeddings', 'glove'))
with open(os.path.join(os.environ['MXNET_HOME'], 'embeddings', 'glove', 'glove.6B.50d.txt'), 'w') as file:
    for word in (word for words in WORDS.values() for word in words):
        print(word, *(f'{random.gauss(0, 1):.3f}' for _ in range(50)), file=file)
gutils.check_sha1 = lambda *_: True
with tarfile.open(gutils.download('http://127.0.0.1:9/reviews.tar.gz', '../data', sha1_hash='0' * 40), 'r') as archive:
    archive.extractall('../data')

reviews = []
for label in ('pos', 'neg'):
    for name in os.listdir(os.path.join('../data/reviews', label)):
        with open(os.path.join('../data/reviews', label, name), 'rb') as file:
            reviews.append([file.read().decode('utf-8').replace('\n', '').lower().split(' '), int(label == 'pos')])
random.shuffle(reviews)
vocab = text.vocab.Vocabulary(collections.Counter([word for words, _ in reviews for word in words]), min_freq=5)
features = nd.array([vocab.to_indices(words) + [0] * 3 for words, _ in reviews])
data = gdata.ArrayDataset(features, nd.array([mood for _, mood in reviews]))
batches, in_order = gdata.DataLoader(data, 16, shuffle=True), gdata.DataLoader(data, 16)
for X, y in batches:
    assert (X.shape, y.shape) == ((16, 15), (16,))


class BothWays(nn.Block):
    def __init__(self, vocab, embed_size, num_hiddens, num_layers, **kwargs):
        super(BothWays, self).__init__(**kwargs)
        self.embedding = nn.Embedding(len(vocab), embed_size)
        self.encoder = rnn.LSTM(num_hiddens, num_layers=num_layers, bidirectional=True, input_size=embed_size)
        self.decoder = nn.Dense(2)

    def forward(self, inputs):
        states = self.encoder(self.embedding(inputs.T))
        return self.decoder(nd.concat(states[0], states[-1]))


ctx = d2l.try_all_gpus()
net = BothWays(vocab, 50, 8, 2)
net.initialize(init.Xavier(), ctx=ctx)
vectors = text.embedding.create('glove', pretrained_file_name='glove.6B.50d.txt', vocabulary=vocab)
net.embedding.weight.set_data(vectors.idx_to_vec)
net.embedding.collect_params().setattr('grad_req', 'null')
trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.01})
d2l.train(batches, in_order, net, gloss.SoftmaxCrossEntropyLoss(), trainer, ctx, 8)
assert d2l.evaluate_accuracy(in_order, net, ctx) > 0.9


def mood_of(words):
    label = nd.argmax(net(nd.array(vocab.to_indices(words), ctx=d2l.try_gpu()).reshape((1, -1))), axis=1)
    return 'positive' if label.asscalar() == 1 else 'negative'


assert {mood_of(['this', 'movie', 'is', 'so', word]) for word in ('great', 'bad')} <= {'positive', 'negative'}
