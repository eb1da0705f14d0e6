"""Fill-in: what is masked, who sees what, counting, and the script."""
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mxnet import autograd, nd

import gluon_rnn
from gluon_rnn import Corpus, ModelConfig
from gluon_rnn.corpora.sampling import masked_batches
from gluon_rnn.models.base import count_parameters
from gluon_rnn.models.fill_in import FillIn, MaskedText, evaluate_gaps, fill, held_out_batches, one_directional
from gluon_rnn.training.config import TrainConfig
from gluon_rnn.training.source import TextBatches
from gluon_rnn.training.trainer import Trainer


@pytest.mark.parametrize('sampling', ['random', 'consecutive'])
def test_masked_batches_hide_what_they_ask_for(sampling):
    text = TextBatches(range(100), TrainConfig(sampling=sampling, batch_size=3, num_steps=7))
    masked = list(masked_batches(text.batches(1), 100, 0.2, np.random.default_rng(2)))
    assert len(masked) == len(text) >= 3
    for (X, _), (X_masked, y) in zip(text.batches(1), masked):
        gaps = X_masked == 100
        assert gaps.sum() == len(y) == 4                # a fifth of 21
        np.testing.assert_array_equal(X[gaps], y)
        np.testing.assert_array_equal(X[~gaps], X_masked[~gaps])


def test_each_epoch_masks_other_characters_and_one_seed_the_same():
    config = TrainConfig(sampling='consecutive', batch_size=2, num_steps=10, seed=3)
    texts = [MaskedText(np.arange(100), config, 100, 0.1) for _ in range(2)]

    def gaps(text, epoch):
        return np.concatenate([y for _, y in text.batches(epoch)]).tolist()
    assert len(texts[0]) == len(list(texts[0].batches(1))) == 4
    assert gaps(texts[0], 1) == gaps(texts[1], 1) != gaps(texts[0], 2)


@pytest.mark.parametrize('mask_rate', [0, 1, -0.1])
def test_mask_rate_out_of_range(mask_rate):
    with pytest.raises(ValueError, match='mask_rate must be above 0 and below 1'):
        MaskedText(np.arange(100), TrainConfig(batch_size=2, num_steps=5), 100, mask_rate)


def test_text_too_short():
    with pytest.raises(ValueError, match='needs a text of at least'):
        MaskedText(np.arange(10), TrainConfig(batch_size=2, num_steps=5), 10, 0.5)


def make(seed=0, **config):
    gluon_rnn.seed(seed)
    model = FillIn.build(ModelConfig(**{'cell': 'gru', 'num_hiddens': 6, 'bidirectional': True, 'vocab_size': 5, **config}))
    for parameter in model.parameters().values():
        parameter[:] = nd.random.normal(scale=.5, shape=parameter.shape)
    return model


@pytest.mark.parametrize('impl', ['scratch', 'hybrid', 'gluon'])
def test_only_masked_places_are_answered_from_both_sides(impl):
    model = make(impl=impl)
    X = np.array([[0, 5, 2, 3], [1, 2, 5, 5]], dtype='float32')
    with autograd.record():
        logits, _ = model(nd.array(X), model.begin_state(2))
    assert logits.shape == (3, 5)
    logits.backward()
    assert all(np.abs(p.grad.asnumpy()).sum() > 0 for p in model.parameters().values() if p.size > 18)
    for row, step, sees in [(0, 0, 0), (0, 3, 0), (1, 0, 1), (1, 0, 2)]:      # what stands on either side of a gap matters
        changed = X.copy()
        changed[row, step] = 4
        other, _ = model(nd.array(changed), model.begin_state(2))
        difference = np.abs((other - logits).asnumpy()).max(axis=1)
        assert difference[sees] > 1e-4
        # of the other row, nothing but what float32 rounds
        np.testing.assert_allclose(difference[[0] if row else [1, 2]], 0, atol=1e-6)


def test_one_direction_sees_the_left_only():
    model = make(bidirectional=False)
    answers = []
    for changed in ([0, 1, 5, 3], [0, 1, 5, 4], [1, 1, 5, 3]):
        answers.append(model(nd.array([changed]), model.begin_state(1))[0].asnumpy())
    np.testing.assert_array_equal(answers[0], answers[1])
    assert np.abs(answers[0] - answers[2]).max() > 1e-4


def test_nothing_masked():
    model = make()
    with pytest.raises(ValueError, match='nothing is masked'):
        model(nd.zeros((1, 4)), model.begin_state(1))


@pytest.mark.parametrize('config', [{'impl': 'gluon'}, {'cell': 'lstm', 'num_layers': 2}, {'cell': 'rnn', 'backward_hiddens': 3},
                                    {'impl': 'gluon', 'cell': 'lstm', 'num_layers': 2, 'dropout': .5}, {'impl': 'hybrid'}])
def test_as_many_parameters(config):
    model = make(**config)
    assert count(model.config) == model.num_parameters()
    large = ModelConfig(**{'cell': 'gru', 'num_hiddens': 40, 'bidirectional': True, 'vocab_size': 300, **config})
    single = one_directional(large)
    assert not single.bidirectional and FillIn.build(single).num_parameters() == count(single)
    assert abs(count(single) / count(large) - 1) < 0.02


def count(config):
    return count_parameters(config, config.vocab_size + 1, config.vocab_size)


def test_fill_takes_texts_of_any_lengths():
    model, chars = make(), 'abcde'
    texts = ['ab_d', '_', 'a_c_eabc', 'bb_']
    filled = fill(model, chars, texts, num_candidates=3)
    for text, answer in zip(texts, filled):
        alone, = fill(model, chars, [text], num_candidates=3)
        assert answer.text == alone.text and len(answer.candidates) == text.count('_')
        for one, other in zip(answer.candidates, alone.candidates):
            assert [char for char, _ in one] == [char for char, _ in other] and len(one) == 3
            np.testing.assert_allclose([p for _, p in one], [p for _, p in other], rtol=1e-5)
        assert all(a == b for a, b in zip(text, answer.text) if a != '_') and '_' not in answer.text


@pytest.mark.parametrize('texts, message', [(['ab_', 'abc'], "'abc' has no gap to fill: mark each with '_'"), ([''], 'no gap'),
                                            ([], 'no text was given'), (['xa_y'], "'xy' is not in the vocabulary")])
def test_texts_that_cannot_be_filled(texts, message):
    with pytest.raises(ValueError, match=message):
        fill(make(), 'abcde', texts)


@pytest.mark.slow
def test_the_second_direction_reads_the_answer_s_other_side():
    """Each lower letter is drawn at random and stands before its capital: only who reads from the end can name it."""
    rng = random.Random(0)
    corpus = Corpus.from_text(''.join(char + char.upper() for char in rng.choices('abcdef', k=600)))
    config = ModelConfig(cell='rnn', impl='hybrid', num_hiddens=12, bidirectional=True, vocab_size=corpus.vocab_size)
    how = TrainConfig(sampling='random', num_epochs=20, num_steps=10, batch_size=10, lr=.03, optimizer='adam', clipping_theta=1)
    test = held_out_batches(corpus.indices[900:], corpus.vocab_size, 0.1, 10)
    accuracy = {}
    for description in (config, one_directional(config)):
        gluon_rnn.seed(0)
        model = FillIn.build(description)
        list(Trainer(model, how).epochs_on(MaskedText(corpus.indices[:900], how, corpus.vocab_size, 0.1)))
        accuracy[description.bidirectional] = evaluate_gaps(model, test).accuracy
    assert accuracy[True] > 0.7         # all but those beside another gap, in time
    assert accuracy[False] < 0.6        # the capitals, and a sixth of the others: 0.58 at best


def script(*flags, cwd=None):
    root = Path(gluon_rnn.__file__).parents[1]
    return subprocess.run([sys.executable, str(root / 'scripts' / 'fill_in.py'), *flags], capture_output=True, text=True,
                          cwd=cwd, timeout=300)


@pytest.mark.slow
def test_script(tmp_path):
    done = script('train', '--max-chars', '3000', '--num-hiddens', '16', '--num-epochs', '2', '--num-steps', '20', '--out', 'run',
                  cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = json.loads((tmp_path / 'run' / 'table.json').read_text())
    assert [row['name'].split()[0] for row in table] == ['bidirectional', 'one-directional', 'counting', 'counting']
    assert all(0 <= row['accuracy'] <= 1 and row['perplexity'] > 1 for row in table)
    done = script('predict', '我_', '_一天', '--candidates', '2', '--out', 'run', cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 4 and lines[0][0] == '我' and lines[2][1:] == '一天'
    done = script('predict', '没有空', '--out', 'run', cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("fill_in.py: '没有空' has no gap") and done.stderr.count('\n') == 1
    done = script('predict', '我_', '--out', 'none', cwd=tmp_path)
    assert done.returncode == 2 and 'holds no trained network' in done.stderr
