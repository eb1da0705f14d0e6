"""A text read, numbered and cut into batches."""
from mxnet import nd
import random
import zipfile

with zipfile.ZipFile('../data/jaychou_lyrics.txt.zip') as archive, archive.open('jaychou_lyrics.txt') as file:
    text = file.read().decode('utf-8').replace('\n', ' ').replace('\r', ' ')[0:10000]
characters = list(set(text))
numbers = dict([(char, i) for i, char in enumerate(characters)])
indices = [numbers[char] for char in text]
assert ''.join([characters[i] for i in indices]) == text


def at_random(sequence, batch_size, num_steps, ctx=None):
    starts = list(range((len(sequence) - 1) // num_steps))
    random.shuffle(starts)
    for k in range(len(starts) // batch_size):
        rows = starts[k * batch_size: (k + 1) * batch_size]
        yield (nd.array([sequence[j * num_steps: (j + 1) * num_steps] for j in rows], ctx),
               nd.array([sequence[j * num_steps + 1: (j + 1) * num_steps + 1] for j in rows], ctx))


def one_after_another(sequence, batch_size, num_steps, ctx=None):
    sequence = nd.array(sequence, ctx=ctx)
    length = len(sequence) // batch_size
    rows = sequence[0: batch_size * length].reshape((batch_size, length))
    for k in range(0, (length - 1) // num_steps * num_steps, num_steps):
        yield rows[:, k: k + num_steps], rows[:, k + 1: k + num_steps + 1]


for X, Y in [*at_random(list(range(30)), batch_size=2, num_steps=6), *one_after_another(list(range(30)), 2, 6)]:
    print('X: ', X, '\nY:', Y, '\n')
    assert X.shape == (2, 6) and ((Y - X) == 1).min().asscalar() == 1
