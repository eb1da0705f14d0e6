"""The output layer on the kernels: MXNet's numbers but for rounding, and the same bits for any number of threads."""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mxnet import autograd, nd

from gluon_rnn.cells.output_layer import OutputLayer

pytest.importorskip('numba')
ROOT = Path(__file__).resolve().parents[2]
# Sizes at which MXNet shares the sums of an output layer among threads.
TRAINING = '''
import hashlib
import numpy as np
import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, Trainer
from gluon_rnn.corpora.images import ImageBatches, Images
from gluon_rnn.models.classifier import Classifier, ClassifierConfig
from gluon_rnn.models.fill_in import FillIn, MaskedText

rng, network = np.random.default_rng(0), dict(cell='rnn', impl='numba', num_hiddens=128, bidirectional=True)
train = TrainConfig(num_epochs=1, num_steps=4, batch_size=64, lr=0.01, optimizer='adam', seed=0)
gluon_rnn.seed(0)
classifier = Classifier.build(ClassifierConfig(num_inputs=8, num_classes=10, **network), None)
images = Images(rng.normal(size=(192, 4, 8)).astype('float32'), rng.integers(0, 10, 192))
fill_in = FillIn.build(ModelConfig(vocab_size=10, **network), None)
text = MaskedText(rng.integers(0, 10, 1000), train, fill_in.mask, 0.4)
for model, batches in (classifier, ImageBatches(images, 64, seed=0)), (fill_in, text):
    losses = [record.perplexity for record in Trainer(model, train).epochs_on(batches)]
    print(losses, hashlib.sha256(b''.join(value.tobytes() for value in model.book_params().values())).hexdigest())
'''


@pytest.mark.parametrize('grad_req', ['write', 'add'])
@pytest.mark.parametrize(('rows', 'num_hiddens', 'num_outputs'), [(1, 3, 1), (5, 20, 40), (64, 256, 10), (2000, 7, 33)])
def test_as_by_hand(rows, num_hiddens, num_outputs, grad_req):
    from gluon_rnn.models.numba_output import NumbaOutputLayer
    rng = np.random.default_rng(rows)
    params = {'W_hq': rng.normal(size=(num_hiddens, num_outputs)), 'b_q': rng.normal(size=num_outputs)}
    H, D = rng.normal(size=(rows, num_hiddens)), nd.array(rng.normal(size=(rows, num_outputs)))
    found = []
    for kind in (OutputLayer, NumbaOutputLayer):
        layer, X = kind(num_hiddens, num_outputs), nd.array(H)
        layer.load_book_params(params)
        arrays = [X, *layer.parameters().values()]
        for array in arrays:
            array.attach_grad(grad_req)
        for _ in range(2):
            with autograd.record():
                logits = layer(X)
            logits.backward(D)
        found.append([logits.asnumpy(), layer(X).asnumpy(), *(array.grad.asnumpy() for array in arrays)])
    for own, wanted in zip(found[1], found[0]):
        np.testing.assert_allclose(own, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.slow
def test_the_same_bits_for_any_number_of_threads():
    said = []
    for threads in '14':
        ended = subprocess.run([sys.executable, '-c', TRAINING], cwd=ROOT, text=True, capture_output=True, timeout=300,
                               env={**os.environ, 'OMP_NUM_THREADS': threads, 'PYTHONPATH': str(ROOT)})
        assert ended.returncode == 0, ended.stderr
        said.append(ended.stdout)
    assert said[0].count('\n') == 2 and said[0] == said[1], said
