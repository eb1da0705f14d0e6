"""Indices and labels out of range: one ValueError that names index, place and limit, and no memory is touched."""
import functools
import os
import platform
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mxnet import nd
from numpy.testing import assert_array_equal

from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model, d2lzh
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.corpora.device_indices import bounded
from gluon_rnn.corpora.indices import check_indices
from gluon_rnn.exchange.onnx_model import load_onnx_bytes
from gluon_rnn.exchange.to_onnx import to_onnx
from gluon_rnn.models.bigrams import Counting
from gluon_rnn.models.classifier import Classifier, ClassifierConfig
from gluon_rnn.models.fill_in import FillIn, MaskedText
from gluon_rnn.training.kvstore import Store
from gluon_rnn.training.loss import Totals, cross_entropy, evaluate
from gluon_rnn.training.step import PlainStep

ROOT = Path(__file__).resolve().parents[2]
SIZE = 5
LIMITS = 'must be whole numbers from 0 to 4, got'
wrong = st.one_of(st.integers(-2 ** 31, -1), st.integers(SIZE, 2 ** 31 - 1), st.sampled_from([np.nan, np.inf, -np.inf, 0.5]))


def model(impl='scratch', **options):
    return build_model(ModelConfig(cell='gru', impl=impl, num_hiddens=4, vocab_size=SIZE, **options))


@given(wrong, st.integers(0, 5))
def test_the_first_that_is_out_of_range_is_named(index, place):
    values = np.arange(6.0) % SIZE
    values[place] = index
    with pytest.raises(ValueError, match=rf'labels {LIMITS} .* at {place}$'):
        check_indices(values, SIZE, 'labels')
    with pytest.raises(ValueError, match=rf'X {LIMITS} .* at \({place // 3}, {place % 3}\)$'):
        check_indices(values.reshape(2, 3), SIZE, 'X')
    safe, poison = bounded(nd.array(values), SIZE)
    values[place] = 0
    assert_array_equal(safe.asnumpy(), values)
    assert np.isnan(poison.asscalar())


def test_those_in_range_are_what_they_were():
    values = np.arange(SIZE)
    assert check_indices(values, SIZE, 'labels') is values
    safe, poison = bounded(nd.array(values), SIZE)
    assert_array_equal(safe.asnumpy(), values)
    assert poison.asscalar() == 0


@given(wrong, st.integers(0, 2))
def test_a_label_out_of_range_changes_no_other_row(index, place):
    """Row by row the gradient is what it is without the wrong label, and the loss says it when it is read."""
    logits, labels = nd.array(np.arange(15).reshape(3, 5)), np.array([4.0, 0.0, 2.0])
    right = cross_entropy(logits, nd.array(labels))[1].asnumpy()
    labels[place] = index
    with pytest.raises(ValueError, match=rf'labels {LIMITS} .* at {place}$'):
        cross_entropy(logits, labels)
    loss, gradient = cross_entropy(logits, nd.array(labels))
    others = [row for row in range(3) if row != place]
    assert_array_equal(gradient.asnumpy()[others], right[others])
    for read in (loss.asnumpy, loss.asscalar):
        with pytest.raises(ValueError, match=rf'labels {LIMITS} .* at {place}$'):
            read()


def test_labels_that_are_not_one_for_each_row():
    with pytest.raises(ValueError, match=r'one for each row of logits, got shape \(2,\)'):
        cross_entropy(nd.zeros((3, 5)), nd.zeros(2))


@pytest.mark.parametrize('index', [-1, SIZE, 300])
@pytest.mark.parametrize('impl', IMPLS)
def test_a_text_is_checked_before_training(impl, index):
    text = [0, 1, 2, 3, 4] * 20
    text[7] = index
    own, config = model(impl), TrainConfig(num_epochs=1, num_steps=3, batch_size=2)
    before = {name: value.asnumpy() for name, value in own.parameters().items()}
    said = f'the indices of the text {LIMITS} {index} at 7$'
    with pytest.raises(ValueError, match=said):
        next(Trainer(own, config).epochs(text))
    with pytest.raises(ValueError, match=said):
        next(Trainer(own, config).epochs([0, 1] * 20, text))
    with pytest.raises(ValueError, match=said):
        evaluate(own, text, 2, 3)
    for name, value in own.parameters().items():
        assert_array_equal(value.asnumpy(), before[name])


class Batches:
    """One batch an epoch, of a device's arrays, with a label that is wrong."""

    def __len__(self):
        return 1

    def batches(self, epoch):
        yield nd.zeros((2, 1)), nd.array([0, SIZE])


def test_labels_of_a_source_are_told_where_the_loss_is_looked_at():
    with pytest.raises(ValueError, match=f'labels {LIMITS} 5.0 at 1$'):
        next(Trainer(model(), TrainConfig(sampling='random', num_epochs=1)).epochs_on(Batches()))


@pytest.mark.parametrize('impl', IMPLS)
@pytest.mark.parametrize('index', [-1, SIZE])
def test_every_implementation_sees_an_input_out_of_range(impl, index):
    own = model(impl)
    with pytest.raises(ValueError, match=rf'X {LIMITS} {index} at \(0, 1\)$'):
        own([[0, index]], own.begin_state(1))
    logits, _ = own(nd.array([[0, index]]), own.begin_state(1))
    for read in (logits.asnumpy, lambda: cross_entropy(logits, nd.array([0, 1]))[0].asscalar()):
        with pytest.raises(ValueError, match=rf'X {LIMITS} {index}\.0 at \(0, 1\)$'):
            read()
    assert np.isfinite(own(nd.array([[0, SIZE - 1]]), own.begin_state(1))[0].asnumpy()).all()


@pytest.mark.parametrize('impl', IMPLS)
@pytest.mark.parametrize('contexts', [1, 2])
def test_inputs_of_a_source_are_told_where_the_loss_is_looked_at(impl, contexts):
    """Where two contexts share a batch, too: the second has the wrong row."""
    text = [0, 1, 2, 3, 4] * 20
    own, config = model(impl), TrainConfig(num_steps=3, batch_size=2, num_epochs=1)
    trainer = Trainer(own, config, **({} if contexts == 1 else {
        'replicas': [build_model(own.config, mx.cpu(1))], 'store': Store('device')}))
    step, totals = PlainStep(trainer.replicas, trainer.optimizer, 2), Totals(1)
    X, Y = np.array([[0, 1, 2], [3, SIZE, 0]]), np.array([text[:3], text[:3]])
    totals.add(*step(X, Y, step.begin(X), False)[1:])
    with pytest.raises(ValueError, match=rf'X {LIMITS} 5\.0 at \({2 - contexts}, 1\)$'):
        totals.means()


@settings(max_examples=25)
@given(wrong, st.integers(0, 5), st.sampled_from(['rnn', 'gru', 'lstm']))
def test_an_exported_model_sees_them_too(index, place, cell):
    own = exported(cell)
    values = np.arange(6) % SIZE + 0.0
    values[place] = index
    with pytest.raises(ValueError, match=rf'{LIMITS} .* at \({place // 3}, {place % 3}\)$'):
        own(values.reshape(2, 3), own.begin_state(2))
    X = np.arange(6).reshape(2, 3) % SIZE
    for state, given_X in ((own.begin_state(1), X), ((), X), (own.begin_state(2), X[0])):
        with pytest.raises(ValueError, match=r'X must be \(batch_size, num_steps\) and the state arrays of shapes'):
            own(given_X, state)
    assert np.isfinite(own(X, own.begin_state(2))[0]).all()


@functools.cache
def exported(cell):
    own = build_model(ModelConfig(cell=cell, num_hiddens=4, vocab_size=SIZE))
    return load_onnx_bytes(to_onnx(own, 'abcde'), 'model')


def test_padding_may_hold_anything():
    own = model()
    X = nd.array([[0, 1, 2], [3, -7, np.nan]])
    assert np.isfinite(own(X, own.begin_state(2), [3, 1])[0].asnumpy()).all()


def test_gaps_are_checked_too():
    own = FillIn.build(ModelConfig(cell='gru', num_hiddens=4, vocab_size=SIZE))
    with pytest.raises(ValueError, match=r'X must be whole numbers from 0 to 5, got 6\.0 at \(0, 0\)$'):
        own(nd.array([[6, 5]]), own.begin_state(1))
    text = [0, 1, 2, 3, 5] * 20
    with pytest.raises(ValueError, match=f'the indices of the text {LIMITS} 5 at 4$'):
        MaskedText(text, TrainConfig(num_steps=3, batch_size=2), SIZE, 0.2)
    with pytest.raises(ValueError, match=f'the indices of the text {LIMITS} 5 at 4$'):
        Counting(text, SIZE)


def test_the_books_functions_with_a_vocab_size_that_is_stale(monkeypatch):
    chars = list('abcdef')
    index = {char: i for i, char in enumerate(chars)}
    text = [0, 1, 2, 3, 4, 5] * 10
    layer = d2lzh.RNNModel(mx.gluon.rnn.GRU(4), SIZE)
    said = f'the indices of the text {LIMITS} 5 at 5$'
    with pytest.raises(ValueError, match=said):
        d2lzh.train_and_predict_rnn_gluon(layer, 4, SIZE, mx.cpu(), text, chars, index, 1, 3, 1.0, 0.01, 2, 1, 3, [])
    W = nd.zeros((SIZE, SIZE))
    W.attach_grad()
    with pytest.raises(ValueError, match=said):
        d2lzh.train_and_predict_rnn(lambda inputs, state, params: ([nd.dot(X, params[0]) for X in inputs], state), lambda: [W],
                                    lambda *sizes: (nd.zeros((1,)),), 4, SIZE, mx.cpu(), text, chars, index, False, 1, 3, 1.0,
                                    0.01, 2, 1, 3, [])
    with pytest.raises(ValueError, match=rf'the indices of the prefix {LIMITS} 5 at \(0, 0\)$'):
        d2lzh.predict_rnn_gluon('f', 3, layer, SIZE, mx.cpu(), chars, index)
    with pytest.raises(ValueError, match=rf'X {LIMITS} 5\.0 at \(0, 1\)$'):
        d2lzh.to_onehot(nd.array([[0, 5]]), SIZE)
    logits, _ = layer(nd.array([[5]]), layer.begin_state(batch_size=1))
    for read in (logits.asnumpy, cross_entropy(logits, nd.array([0]))[0].asscalar):
        with pytest.raises(ValueError, match=rf'inputs {LIMITS} 5\.0 at \(0, 0\)$'):
            read()


MEMORY_THAT_COMPLAINS = {'MALLOC_CHECK_': '3', 'MALLOC_PERTURB_': '165', 'LD_PRELOAD': 'libc_malloc_debug.so.0'}


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver() < ('glibc', '2.34'), reason='of the GNU C library')
def test_with_memory_that_complains():
    """The C library (since glibc 2.34 one beside it) fills what it frees and aborts where a block's ends were written over."""
    code = ('import gluon_rnn\nfrom mxnet import nd\nfrom gluon_rnn.training.loss import cross_entropy\n'
            'for labels in ([0, 3], [0, -1], [2 ** 31 - 1, -2 ** 31], [float("nan"), 1e9]):\n'
            '    loss, gradient = cross_entropy(nd.zeros((2, 3)), nd.array(labels))\n'
            '    assert (abs(gradient.asnumpy()) <= 1).all()\n'
            '    try:\n        loss.asscalar()\n    except ValueError:\n        print("told")\n')
    ended = subprocess.run([sys.executable, '-c', code], cwd=ROOT, text=True, capture_output=True, timeout=120,
                           env={**os.environ, **MEMORY_THAT_COMPLAINS, 'PYTHONPATH': str(ROOT)})
    assert ended.returncode == 0 and ended.stdout.split() == ['told'] * 4, ended.stderr


# ------------------------------------------------------------------------------------------------------ what is no input at all

@pytest.mark.parametrize('impl', IMPLS)
def test_what_no_model_takes(impl):
    own = model(impl)
    X, state = nd.zeros((2, 3)), own.begin_state(2)
    for given_X, given_state, said in (
            ('ab', state, 'X must be whole numbers from 0 to 4, got <U2'),
            (nd.zeros(3), state, r'X must have 2 axes, got shape \(3,\)'),
            (X, None, 'state must be a tuple of arrays of shapes .*, got NoneType'),
            (X, state[0], 'got NDArray'),
            (X, tuple(s.asnumpy() for s in state), 'got list'),
            (X, own.begin_state(3), r'state must be .*begin a new one for this batch by begin_state\(2\)'),
            (X, state * 2, 'state must be a tuple'),
            (X, tuple(s.astype('float64') for s in state), r'state must be float32 on cpu\(0\), got float64')):
        with pytest.raises(ValueError, match=said):
            own(given_X, given_state)
    own(X, list(state))


def test_what_no_classifier_takes():
    own = Classifier.build(ClassifierConfig(cell='gru', impl='gluon', num_hiddens=4, num_inputs=3, num_classes=2))
    for X, state, said in ((nd.zeros((2, 5, 4)), own.begin_state(2), 'rows of 3 numbers'), (nd.zeros((2, 5)), (), '3 axes'),
                           (nd.zeros((2, 5, 3)), own.begin_state(1), r'begin_state\(2\)')):
        with pytest.raises(ValueError, match=said):
            own(X, state)
