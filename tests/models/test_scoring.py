"""Scores of texts: against the network step by step, against the trainer's evaluation, the same for every implementation."""
import math

import numpy as np
import pytest
from mxnet import nd

import gluon_rnn
from gluon_rnn import Corpus, ModelConfig, build_model, copy_params
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.models import scoring
from gluon_rnn.plots import plot_surprise
from gluon_rnn.training.loss import evaluate

TEXT = 'la la li\nlo la li\n' * 4


def made(impl='scratch', corpus=None, **config):
    corpus = corpus or Corpus.from_text(TEXT)
    gluon_rnn.seed(1)
    model = build_model(ModelConfig('lstm', impl, num_hiddens=7, vocab_size=corpus.vocab_size, **config))
    gluon_rnn.models.language_model.redraw_weights(model, 0.8)
    return model, corpus


def test_each_character_is_expected_from_all_before_it(monkeypatch):
    model, corpus = made()
    monkeypatch.setattr(scoring, '_AT_ONCE', 5)
    found = gluon_rnn.score(model, corpus, 'lo li\nla')
    state, wanted, read = model.begin_state(1), [], corpus.encode('\nlo li\nla')
    for index, label in zip(read, read[1:]):
        logits, state = model(nd.array([[index]]), state)
        wanted.append(-math.log(nd.softmax(logits)[0, label].asscalar()))
    np.testing.assert_allclose(found.losses, wanted, rtol=1e-5)
    assert found.pieces == tuple('lo li\nla')
    assert found.log_probability == pytest.approx(-sum(wanted), rel=1e-5)
    assert found.perplexity == pytest.approx(math.exp(sum(wanted) / 8), rel=1e-5)
    assert found.bits_per_char == pytest.approx(sum(wanted) / 8 / math.log(2), rel=1e-5)
    place, piece, p = found.least_expected(2)[0]
    assert (place, piece) == (1 + int(np.argmax(wanted)), 'lo li\nla'[int(np.argmax(wanted))])
    assert p == pytest.approx(math.exp(-max(wanted)), rel=1e-5)


def test_it_is_the_perplexity_of_held_out_text():
    model, corpus = made()
    found = gluon_rnn.score(model, corpus, TEXT)
    whole = evaluate(model, corpus.encode('\n' + TEXT), 1, len(TEXT))
    assert found.perplexity == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize('impl', [impl for impl in IMPLS if impl != 'scratch'])
def test_all_implementations_agree(impl):
    scratch, corpus = made(embed_size=3)
    other, _ = made(impl, embed_size=3)
    copy_params(scratch, other)
    np.testing.assert_allclose(*[gluon_rnn.score(model, corpus, TEXT).losses for model in (scratch, other)], rtol=1e-4, atol=1e-5)


def test_words_and_a_vocabulary_without_line_breaks():
    corpus = Corpus.from_text('la la li , lo', tokens='word')
    model, _ = made(corpus=corpus)
    found = gluon_rnn.score(model, corpus.idx_to_char, 'la la , lo')
    assert found.pieces == (' la', ' ,', ' lo') and len(found.losses) == 3      # nothing is said of the first
    with pytest.raises(ValueError, match='must have 2 tokens or more, got 1'):
        gluon_rnn.score(model, corpus, 'la')


def test_errors():
    model, corpus = made()
    with pytest.raises(ValueError, match="'x' is not in the vocabulary"):
        gluon_rnn.score(model, corpus, 'lax')
    with pytest.raises(ValueError, match='must have 1 tokens or more, got 0'):
        gluon_rnn.score(model, corpus, '')
    with pytest.raises(ValueError, match='its score means nothing'):
        gluon_rnn.score(made(bidirectional=True)[0], corpus, 'la')


def test_the_picture_has_each_character_in_its_place_and_colour():
    found = scoring.TextScore(('ab', '飞', '\n', 'c' * 5), np.array([0.0, 1.0, 2.0, 3.0]))
    axes = plot_surprise({'one': found, 'two': found}, columns=4).axes
    texts = [(text.get_text(), text.get_position()) for text in axes[0].texts]
    assert texts[:4] == [('a', (0.5, 0.5)), ('b', (1.5, 0.5)), ('飞', (3, 0.5)), ('↵', (0.5, 1.5))]
    assert [place for _, place in texts[4:]] == [(x + 0.5, 2.5) for x in range(4)] + [(0.5, 3.5)]
    shades = [tuple(bar.get_facecolor()[0]) for bar in axes[0].collections[1:]]      # the first is the scale
    assert len(set(shades)) == 4 and shades[0] == shades[1]
