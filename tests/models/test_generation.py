"""Writing text: greedy as the book does it, drawn as the softmax says, and the same again with the same seed."""
import warnings

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

from gluon_rnn import ModelConfig, build_model, generate
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.corpora.tokens import Vocabulary
from gluon_rnn.models.generation import beam_search, draw, log_softmax

LETTERS = tuple('abcdefgh')
CONFIG = {'num_hiddens': 6, 'vocab_size': len(LETTERS)}


def large_weights(model):
    for param in model.parameters().values():
        param[:] = nd.random.normal(scale=1.5, shape=param.shape)
    return model


@pytest.fixture
def model():
    return large_weights(build_model(ModelConfig('gru', **CONFIG)))


@pytest.mark.parametrize('cell', ['rnn', 'gru'])
@pytest.mark.parametrize('impl', IMPLS)
def test_greedy_equals_the_books(impl, cell):
    """The real d2lzh's predict_rnn, with a network by the book's equations and the same weights."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        import d2lzh
    model = large_weights(build_model(ModelConfig(cell, impl, **CONFIG, **({'reset_after': True} if cell == 'gru' else {}))))
    p = {name: nd.array(value) for name, value in model.book_params().items() if name != 'b_hh'}
    b_hh = nd.array(model.book_params().get('b_hh', np.zeros(6)))

    def gate(name, X, H):
        return nd.dot(X, p[f'W_x{name}']) + nd.dot(H, p[f'W_h{name}']) + p[f'b_{name}']

    def network(inputs, state, params):
        (H,), outputs = state, []
        for X in inputs:
            if cell == 'rnn':
                H = nd.tanh(gate('h', X, H))
            else:
                Z, R = nd.sigmoid(gate('z', X, H)), nd.sigmoid(gate('r', X, H))
                H = Z * H + (1 - Z) * nd.tanh(nd.dot(X, p['W_xh']) + R * (nd.dot(H, p['W_hh']) + b_hh) + p['b_h'])
            outputs.append(nd.dot(H, p['W_hq']) + p['b_q'])
        return outputs, (H,)

    for prefix in ('a', 'hgf', 'bad'):
        expected = d2lzh.predict_rnn(prefix, 12, network, None, lambda *_: (nd.zeros((1, 6)),), 6, len(LETTERS), mx.cpu(),
                                     LETTERS, {letter: i for i, letter in enumerate(LETTERS)})
        assert generate(model, LETTERS, prefix, 12) == expected


def test_length(model):
    assert generate(model, LETTERS, 'bad', 0) == 'bad'
    assert len(generate(model, LETTERS, 'bad', 7)) == 10
    assert generate(model, LETTERS, 'bad', 7).startswith('bad')


@pytest.mark.parametrize('options', [{'temperature': 0.8}, {'top_k': 3}, {'temperature': 2.0, 'top_k': 5},
                                     {'top_p': 0.7}], ids=str)
def test_one_seed_gives_one_text(model, options):
    """Whatever else draws random numbers meanwhile."""
    first = generate(model, LETTERS, 'a', 30, seed=5, **options)
    mx.random.seed(99)
    np.random.seed(99)
    assert generate(model, LETTERS, 'a', 30, seed=5, **options) == first
    assert generate(model, LETTERS, 'a', 30, seed=6, **options) != first


def test_drawing_leaves_other_generators_alone(model):
    state = np.random.get_state()[1].tolist()
    generate(model, LETTERS, 'a', 10, temperature=1.0, seed=1)
    assert np.random.get_state()[1].tolist() == state


def test_unlikely_to_be_the_same_without_a_seed(model):
    assert len({generate(model, LETTERS, 'a', 30, temperature=2.0) for _ in range(3)}) > 1


@pytest.mark.parametrize('options', [{'temperature': 1e-6}, {'top_k': 1}, {'temperature': 0}, {'top_p': 1e-9},
                                     {'temperature': 5.0, 'top_k': 1}], ids=str)
def test_cold_or_narrow_is_greedy(model, options):
    assert generate(model, LETTERS, 'a', 20, seed=3, **options) == generate(model, LETTERS, 'a', 20)


@pytest.mark.parametrize('temperature, top_k', [(0.5, None), (1.0, None), (3.0, 2), (0.5, 8), (1.0, 100)])
def test_draws_follow_the_softmax(temperature, top_k, seed):
    """2,000 draws: a chi-squared statistic of at most 7 degrees of freedom goes over 30 once in 10,000 tests."""
    logits = np.array([0.3, -1.0, 2.0, 0.9, 1.5, -0.2, 0.0, 1.1], dtype=np.float32)
    kept = np.argsort(logits)[::-1][:top_k]
    expected = np.zeros(8)
    expected[kept] = np.exp(logits[kept] / temperature)
    expected *= 2000 / expected.sum()
    rng = np.random.default_rng(seed)
    seen = np.bincount([draw(logits, temperature, top_k, rng) for _ in range(2000)], minlength=8)
    assert not seen[expected == 0].any()
    some = expected > 0
    assert ((seen[some] - expected[some]) ** 2 / expected[some]).sum() < 30


def test_huge_logits_do_not_overflow():
    assert draw(np.array([1e30, 0, -1e30], dtype=np.float32), 1e-3, None, np.random.default_rng(0)) == 0


@pytest.mark.parametrize('prefix, num_chars, options, message', [
    ('axz', 5, {}, r"prefix 'axz': 'xz' is not in the vocabulary of 8 characters"),
    ('z' * 50, 5, {}, r"prefix 'z{40}…': 'z' is not in the vocabulary"),
    ('a', -1, {}, 'num_chars must be 0 or more, got -1'),
    ('a', 5, {'temperature': -1.0}, 'temperature must be 0 .greedy. or more, got -1.0'),
    ('a', 5, {'temperature': float('nan')}, 'temperature must be 0 .greedy. or more, got nan'),
    ('a', 5, {'temperature': float('inf')}, 'temperature must be 0 .greedy. or more, got inf'),
    ('a', 5, {'top_k': 0}, 'top_k must be 1 or more, got 0'),
    ('a', 5, {'top_p': 0.0}, 'top_p must be above 0 and at most 1, got 0.0'),
    ('a', 5, {'top_p': 1.1}, 'top_p must be above 0 and at most 1, got 1.1'),
])
def test_errors(model, prefix, num_chars, options, message):
    with pytest.raises(ValueError, match=message):
        generate(model, LETTERS, prefix, num_chars, **options)


def test_on_another_context():
    model = large_weights(build_model(ModelConfig('lstm', **CONFIG), mx.cpu(1)))
    assert len(generate(model, LETTERS, 'a', 5)) == len(generate(model, LETTERS, 'a', 5, top_k=2, seed=1)) == 6


def test_the_lowest_temperature_is_greedy():
    """Dividing first would make infinity minus infinity of it."""
    logits = np.array([3, 900, -5, 899], dtype=np.float32)
    for temperature in (1e-308, 1e-30, 1e-3):
        assert draw(logits, temperature, None, np.random.default_rng(0)) == 1
        assert draw(logits, temperature, 2, np.random.default_rng(0)) == 1
    model = build_model(ModelConfig(cell='gru', num_hiddens=8, vocab_size=3))
    greedy = generate(model, 'abc', 'a', 20)
    for options in ({'temperature': 0}, {'temperature': 0, 'top_k': 2}):
        assert generate(model, 'abc', 'a', 20, **options) == greedy


def test_top_p_keeps_as_few_as_have_that_probability():
    p = np.array([0.05, 0.4, 0.1, 0.25, 0.2])
    for top_p, kept in ((0.1, {1}), (0.4, {1}), (0.41, {1, 3}), (0.7, {1, 3, 4}), (0.9, {1, 2, 3, 4}), (1, {0, 1, 2, 3, 4})):
        rng = np.random.default_rng(0)
        assert {draw(np.log(p), 1, None, rng, top_p) for _ in range(400)} == kept, top_p
    rng = np.random.default_rng(1)
    seen = np.bincount([draw(np.log(p), 1, 4, rng, 0.7) for _ in range(2000)], minlength=5)      # 0.4 and 0.25 of 0.95: 0.68
    expected = np.array([0, 0.4, 0, 0.25, 0.2]) / 0.85 * 2000
    assert ((seen - expected)[[1, 3, 4]] ** 2 / expected[[1, 3, 4]]).sum() < 25 and not seen[[0, 2]].any()


@pytest.mark.parametrize('impl', IMPLS)
def test_a_beam_of_all_finds_the_likeliest_text(impl):
    """Of all 8 ** 3 texts, held against every one scored by the model; a beam of 1 is greedy."""
    model = large_weights(build_model(ModelConfig('lstm', impl, **CONFIG, num_layers=2)))
    found = beam_search(model, LETTERS, 'ba', 3, beam=64)
    texts = [a + b + c for a in LETTERS for b in LETTERS for c in LETTERS]
    X = np.array([[LETTERS.index(char) for char in f'ba{text}'] for text in texts])
    logits, _ = model(X, model.begin_state(len(texts)))
    p = log_softmax(logits.asnumpy()).reshape((5, len(texts), -1))
    scores = sum(p[t, np.arange(len(texts)), X[:, t + 1]] for t in range(1, 4))
    assert found[0] == f'ba{texts[int(np.argmax(scores))]}' and len(found) == 64
    assert beam_search(model, LETTERS, 'ba', 12, beam=1) == [generate(model, LETTERS, 'ba', 12)]
    with pytest.raises(ValueError, match='beam must be 1 or more, got 0'):
        beam_search(model, LETTERS, 'ba', 3, beam=0)


@pytest.mark.parametrize('impl', IMPLS)
@pytest.mark.parametrize('how', [{}, {'temperature': 1.5, 'seed': 3}, {'top_p': 0.8, 'seed': 4}], ids=str)
def test_a_text_in_pieces_is_the_same(impl, how):
    model = large_weights(build_model(ModelConfig('gru', impl, **CONFIG)))
    for letters, prefix in ((LETTERS, 'bad'), (Vocabulary(['<eos>', *'bcdefgh'], 'marks'), 'b d\n')):
        pieces = []
        whole = generate(model, letters, prefix, 20, on_text=pieces.append, **how)
        assert ''.join(pieces) == whole == generate(model, letters, prefix, 20, **how) and len(pieces) == 21


def test_without_a_prefix_a_text_begins_as_a_line_begins(model):
    for begins, letters in (('\n', tuple('abcd\nfgh')), (' ', tuple('abcd fgh')), ('\n', tuple('abcd\nfg '))):
        assert generate(model, letters, '', 9) == generate(model, letters, begins, 9)[1:]
        assert beam_search(model, letters, '', 9, beam=2)[0] == beam_search(model, letters, begins, 9, beam=2)[0][1:]
    assert len(generate(model, LETTERS, '', 9, seed=1)) == 10       # no line begins here: the first letter is drawn, too
    words = Vocabulary(['<eos>', *'bcdefgh'], 'marks')
    assert generate(model, words, '', 9) == generate(model, words, '\n', 9)[1:]


@pytest.mark.parametrize('vocabulary, prefix, near', [
    (Vocabulary('abc,。e'), 'A', 'a'), (Vocabulary('abc,。e'), 'ａ', 'a'), (Vocabulary('abc,。e'), '，', ','),
    (Vocabulary('abc,。e'), '.', '。'), (Vocabulary('abc,。e'), 'é', 'e'),
    (Vocabulary(['otter', 'sea', 'the'], 'marks'), 'the oter', 'otter'), (Vocabulary(['otter', 'sea'], 'marks'), 'Sea', 'sea'),
])
def test_what_is_near_an_unknown_character_or_word_is_named(vocabulary, prefix, near):
    with pytest.raises(ValueError, match=rf'prefix .* is not in the vocabulary .*\(near: {near}\)'):
        generate(None, vocabulary, prefix, 5)
