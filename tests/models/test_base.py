"""Models saved, loaded, pickled and copied; what they show of themselves, and what they take for an array."""
import copy
import pickle
import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose, assert_array_equal

import gluon_rnn
from gluon_rnn import Corpus, ModelConfig, TrainConfig, build_model, d2lzh, load_model, train
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.models.classifier import Classifier, ClassifierConfig
from gluon_rnn.models.fill_in import FillIn

CORPUS = Corpus.from_text('abcabd' * 30)
SHORT = Corpus.from_text('abcabd' * 8)
HOW = TrainConfig(num_epochs=1, num_steps=4, batch_size=3, lr=100)
TWICE = {'save': lambda model, folder: load_model(saved(model, folder)),
         'pickle': lambda model, _: pickle.loads(pickle.dumps(model)),
         'deepcopy': lambda model, _: copy.deepcopy(model)}


def make(impl, **options):
    return build_model(ModelConfig(cell='gru', impl=impl, num_hiddens=5, vocab_size=4, **options))


def saved(model, folder):
    model.save(folder / 'model.npz', CORPUS.idx_to_char)
    return folder / 'model.npz'


@pytest.mark.parametrize('way', sorted(TWICE))
@pytest.mark.parametrize('impl', IMPLS)
def test_a_second_one_is_the_same_and_trains_on_its_own(impl, way, tmp_path):
    model = make(impl)
    train(model, SHORT, HOW)
    other = TWICE[way](model, tmp_path)
    assert (other.config, tuple(other.idx_to_char), other.ctx) == (model.config, tuple('abcd'), model.ctx)
    before = {name: param.asnumpy() for name, param in model.parameters().items()}
    for name, param in other.parameters().items():
        assert_array_equal(param.asnumpy(), before[name])
    ours = train(other, SHORT, HOW)[1].perplexity
    for name, param in model.parameters().items():     # nothing is shared
        assert_array_equal(param.asnumpy(), before[name])
        assert np.abs(other.parameters()[name].asnumpy() - before[name]).max() > 0
    assert ours == train(model, SHORT, HOW)[1].perplexity
    assert gluon_rnn.generate(other, other.idx_to_char, 'ab', 9) == gluon_rnn.generate(model, 'abcd', 'ab', 9)


@pytest.mark.parametrize('make', [
    lambda: FillIn.build(ModelConfig(cell='lstm', num_hiddens=4, bidirectional=True, vocab_size=5)),
    lambda: Classifier.build(ClassifierConfig(cell='rnn', num_hiddens=4, num_inputs=3, num_classes=2))])
def test_other_models_are_copied_too(make):
    model = make()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert type(other) is type(model)
        for name, param in other.parameters().items():
            assert_array_equal(param.asnumpy(), model.parameters()[name].asnumpy())
            assert param.grad is not None


def test_a_frozen_bias_stays_frozen():
    model = make('gluon')
    model.network.freeze_second_bias()
    other = copy.deepcopy(model)
    assert other.parameters().keys() == model.parameters().keys() and not any('h2h_bias' in name for name in other.parameters())


def test_a_file_needs_a_vocabulary_and_is_checked(tmp_path):
    model = make('scratch')
    with pytest.raises(ValueError, match=r'the vocabulary must have 4 entries as the model, got 0: give it, as model\.save'):
        model.save(tmp_path / 'x')
    path = saved(model, tmp_path)
    data = path.read_bytes()
    for place in range(0, len(data), 97):
        path.write_bytes(data[:place] + bytes([data[place] ^ 16]) + data[place + 1:])
        try:
            same = load_model(path).book_params()
        except ValueError as error:
            assert 'is not a whole checkpoint of gluon_rnn' in str(error)
        else:       # a byte that a zip does not use
            for name, value in model.book_params().items():
                assert_array_equal(same[name], value)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / 'none')
    with pytest.raises(ValueError, match='params/W_hq is no longer finite'):
        model.parameters()['W_hq'][:] = np.nan
        saved(model, tmp_path)


def test_scripts_take_the_file(script, tmp_path):
    path = saved(make('scratch'), tmp_path)
    ended = script('generate', path, '--prefix', 'ab', '--length', 3, '--ctx', 'cpu')
    assert ended.status == 0 and ended.out.startswith('ab') and len(ended.out.strip()) == 5


def test_a_history_is_drawn():
    history = train(make('scratch'), CORPUS, HOW)
    assert list(history) == [1] and history.plot('mine').axes[0].lines


@pytest.mark.parametrize('impl', IMPLS)
def test_a_model_is_a_table(impl):
    model = build_model(ModelConfig(cell='lstm', impl=impl, num_hiddens=6, num_layers=2, bidirectional=True, vocab_size=1000))
    lines = repr(model).replace('|', '').splitlines()
    assert lines[0] == f'LanguageModel ({impl}) on cpu(0)' and lines[1].split() == ['layer', 'reads', 'gives', 'parameters']
    columns = [line.split() for line in lines[3:]]
    assert [row[-3:-1] for row in columns[:4]] == [['1,000', '6']] * 2 + [['12', '6']] * 2
    assert columns[4][:3] == ['output', '12', '1,000']
    numbers = [int(row[-1].replace(',', '')) for row in columns]
    biases = 2 if impl == 'gluon' else 1
    assert numbers[0] == 4 * (1000 * 6 + 6 * 6 + biases * 6) and sum(numbers[:-1]) == numbers[-1] == model.num_parameters()


def test_a_table_of_unequal_directions_and_of_a_classifier():
    model = make('gluon', backward_hiddens=3, bidirectional=True)
    text = repr(model).replace('|', '')
    assert [line.split()[-2] for line in text.splitlines()[3:5]] == ['5', '3']
    text = repr(Classifier.build(ClassifierConfig(cell='rnn', num_hiddens=4, num_inputs=3, num_classes=2))).replace('|', '')
    assert text.startswith('Classifier (scratch)') and text.splitlines()[3].split() == ['rnn', '3', '4', str(3 * 4 + 4 * 4 + 4)]


def test_a_corpus_is_a_line():
    assert repr(CORPUS) == "Corpus(180 characters, 4 different: 'abcabdabcabdabcabdab'…)"


@pytest.mark.parametrize('impl', IMPLS)
def test_what_is_taken_for_an_array(impl):
    model, X = make(impl), [[0, 1, 2], [3, 0, 1]]
    wanted, _ = model(nd.array(X), model.begin_state(2))
    for given in (X, np.array(X), np.array(X, np.float64), mx.np.array(X), mx.np.array(X, dtype='int32')):
        logits, state = model(given, tuple(s.as_np_ndarray() for s in model.begin_state(2)))
        assert_allclose(logits.asnumpy(), wanted.asnumpy(), rtol=1e-6)
        model(given, state)
    for given in ('abc', [['a', 'b']], None, [[0, 1], [2]]):
        with pytest.raises(ValueError, match=r'^[^\n]*$'):
            model(given, model.begin_state(1))


@pytest.mark.parametrize('array', [list, np.array, nd.array, mx.np.array])
def test_texts_of_any_kind(array):
    numbers, text = array(np.arange(30).tolist()), array(CORPUS.indices.tolist())
    batches = [d2lzh.data_iter_consecutive(values, 2, 6) for values in (numbers, list(range(30)))]
    for (X, Y), (X_wanted, Y_wanted) in zip(*batches):
        assert_array_equal(X.asnumpy(), X_wanted.asnumpy())
        assert_array_equal(Y.asnumpy(), Y_wanted.asnumpy())
    assert len(list(d2lzh.data_iter_random(numbers, 2, 6))) == 2
    assert_array_equal(nd.stack(*d2lzh.to_onehot(array([[0, 2]]), 3)).asnumpy(), [[[1, 0, 0]], [[0, 0, 1]]])
    layer = d2lzh.RNNModel(mx.gluon.rnn.RNN(3), 4)
    layer.initialize()
    assert layer(array([[0, 1]]), layer.begin_state(batch_size=1))[0].shape == (2, 4)
    assert train(make('scratch'), text, HOW)[1].perplexity > 1


def test_numba_loads_with_the_first_network_that_needs_it():
    code = ("import sys, gluon_rnn\ngluon_rnn.build_model(gluon_rnn.ModelConfig(vocab_size=3))\nprint('numba' in sys.modules)\n"
            "gluon_rnn.build_model(gluon_rnn.ModelConfig(vocab_size=3, impl='numba'))\nprint('numba' in sys.modules)")
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout == 'False\nTrue\n'


def test_without_numba_its_networks_are_refused_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, 'numba', None)
    monkeypatch.delitem(sys.modules, 'gluon_rnn.models.numba', raising=False)
    with pytest.raises(ValueError, match=r'^impl numba does not run here \(.*pip install numba, or use impl hybrid.*\)$'):
        make('numba')
