"""A sequence to one answer: the classifier, its training, its script."""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mxnet import nd

import gluon_rnn
from gluon_rnn.corpora.images import ImageBatches, load_images
from gluon_rnn.models.classifier import Classifier, ClassifierConfig, classify, confusion_matrix
from gluon_rnn.runs.digits import DigitsJob, DigitsSettings
from gluon_rnn.training.config import TrainConfig
from gluon_rnn.training.trainer import Trainer

NETWORKS = [{'cell': cell, 'impl': impl, 'num_layers': num_layers, 'bidirectional': bidirectional}
            for cell, num_layers in (('rnn', 1), ('gru', 1), ('lstm', 2))
            for impl in ('scratch', 'gluon') for bidirectional in (False, True)]


def make(seed=0, num_hiddens=4, **network):
    gluon_rnn.seed(seed)
    model = Classifier.build(ClassifierConfig(num_inputs=3, num_classes=5, num_hiddens=num_hiddens, **network))
    rng = np.random.default_rng(seed)
    model.load_book_params({name: rng.normal(0, .5, value.shape) for name, value in model.book_params().items()})
    return model, rng


@pytest.mark.parametrize('network', NETWORKS, ids=lambda n: ' '.join(map(str, n.values())))
def test_each_direction_has_read_the_whole_sequence(network):
    """What the classifier reads is the last state of the top layer: with lengths, of each row at its own end."""
    model, rng = make(**network)
    X = rng.normal(size=(3, 6, 3)).astype('float32')
    lengths = [6, 2, 4]
    logits, _ = model(nd.array(X), model.begin_state(3), lengths)
    assert logits.shape == (3, 5)
    for row, length in enumerate(lengths):
        alone, _ = model(nd.array(X[row:row + 1, :length]), model.begin_state(1))
        np.testing.assert_allclose(logits[row].asnumpy(), alone[0].asnumpy(), rtol=1e-5, atol=1e-6)
    for step in (0, 5):         # the first and the last row of an image both count
        changed = X.copy()
        changed[0, step] += 1
        other, _ = model(nd.array(changed), model.begin_state(3), lengths)
        assert np.abs(other[0].asnumpy() - logits[0].asnumpy()).max() > 1e-4
        np.testing.assert_array_equal(other[1].asnumpy(), logits[1].asnumpy())


@pytest.mark.parametrize('cell', ['rnn', 'gru', 'lstm'])
def test_by_hand_as_in_gluon(cell):
    choice = {'reset_after': True} if cell == 'gru' else {}
    by_hand, rng = make(cell=cell, impl='scratch', num_layers=2, bidirectional=True, **choice)
    twin, _ = make(seed=1, cell=cell, impl='gluon', num_layers=2, bidirectional=True)
    twin.load_book_params(by_hand.book_params())
    X = nd.array(rng.normal(size=(3, 6, 3)))
    np.testing.assert_allclose(twin(X, twin.begin_state(3))[0].asnumpy(), by_hand(X, by_hand.begin_state(3))[0].asnumpy(),
                               rtol=1e-5, atol=1e-6)


def test_directions_of_unequal_size():
    model, rng = make(cell='gru', bidirectional=True, backward_hiddens=2)
    X = nd.array(rng.normal(size=(2, 6, 3)))
    _, state = model(X, model.begin_state(2))
    wanted = model.output(nd.concat(state[0], state[1], dim=1))
    np.testing.assert_allclose(model(X, model.begin_state(2))[0].asnumpy(), wanted.asnumpy(), rtol=1e-6)


@pytest.mark.parametrize('sizes', [{'num_inputs': 0, 'num_classes': 5}, {'num_inputs': 3, 'num_classes': 1}])
def test_sizes_of_no_classifier(sizes):
    with pytest.raises(ValueError, match='num_inputs must be 1 or more and num_classes 2 or more'):
        ClassifierConfig(**sizes)


def test_confusion_matrix():
    matrix = confusion_matrix(np.array([0, 0, 2, 1]), np.array([0, 2, 2, 1]), 3)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]


def train_on_digits(num_images, num_epochs, seed=0):
    train, test = load_images('digits')
    gluon_rnn.seed(seed)
    model = Classifier.build(ClassifierConfig(cell='gru', impl='gluon', num_hiddens=32, num_inputs=8, num_classes=10))
    config = TrainConfig(sampling='random', num_epochs=num_epochs, batch_size=32, lr=.01, optimizer='adam', clipping_theta=1)
    few = type(train)(train.X[:num_images], train.y[:num_images])
    records = list(Trainer(model, config).epochs_on(ImageBatches(few, 32, seed=seed)))
    return records, float(np.mean(classify(model, test.X) == test.y))


def test_the_shared_trainer_learns_and_repeats_itself():
    records, accuracy = train_on_digits(480, 6)
    assert [record.epoch for record in records] == [1, 2, 3, 4, 5, 6]
    assert records[-1].perplexity < 0.5 * records[0].perplexity and accuracy > 0.5
    again, _ = train_on_digits(480, 2)
    assert [record.perplexity for record in again] == [record.perplexity for record in records[:2]]


def quantiles(values):
    return np.quantile(np.concatenate([np.ravel(value) for value in values]), np.linspace(0, 1, 9))


@pytest.mark.parametrize('bidirectional', [False, True])
def test_the_first_weights_are_drawn_as_pytorch_draws_them(bidirectional):
    torch = pytest.importorskip('torch')
    job = DigitsJob(DigitsSettings(impl='gluon', bidirectional=bidirectional, ctx='cpu'))
    ours = job.trainer.model.book_params()
    layer = torch.nn.LSTM(8, 128, 2, bidirectional=bidirectional)
    output = torch.nn.Linear(128 * (1 + bidirectional), 10)
    theirs = {name: value.detach().numpy() for name, value in layer.named_parameters()}
    biases = [theirs[name] + theirs[name.replace('ih', 'hh')] for name in theirs if name.startswith('bias_ih')]
    matrices = [value for name, value in theirs.items() if name.startswith('weight')]
    recurrent = {name: value for name, value in ours.items() if name not in ('W_hq', 'b_q')}
    limit = 128 ** -0.5
    by_axes = {axes: [value for value in recurrent.values() if value.ndim == axes] for axes in (1, 2)}
    for one, other in ((by_axes[2], matrices), (by_axes[1], biases), ([ours['W_hq']], [output.weight.detach().numpy()])):
        np.testing.assert_allclose(quantiles(one), quantiles(other), atol=0.25 * limit)
    assert 0 < np.abs(ours['b_q']).max() <= ours['W_hq'].shape[0] ** -0.5


def script(*flags, cwd=None):
    root = Path(gluon_rnn.__file__).parents[1]
    return subprocess.run([sys.executable, str(root / 'scripts' / 'classify_digits.py'), *flags], capture_output=True, text=True,
                          cwd=cwd, timeout=300)


@pytest.mark.slow
def test_script_reaches_95_percent(tmp_path):
    done = script('--out', 'run', '--num-epochs', '20', '--num-hiddens', '64', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    metrics = [json.loads(line) for line in (tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()]
    assert len(metrics) == 20 and metrics[-1]['accuracy'] >= 0.95
    assert f'epoch 20, loss {metrics[-1]["loss"]:.4f}, accuracy {metrics[-1]["accuracy"]:.4f}' in done.stdout
    assert (tmp_path / 'run' / 'digits.png').exists()


@pytest.mark.slow
def test_script_refuses_in_one_line(tmp_path):
    done = script('--num-hiddens', '0', cwd=tmp_path)
    assert done.returncode == 2 and done.stderr == 'classify_digits.py: --num-hiddens must be 1 or more, got 0\n'
    assert not list(tmp_path.iterdir())
