"""A model as a web page, computed in a real browser and held against MXNet."""
from __future__ import annotations

import re

import numpy as np
import pytest
from mxnet import nd
from numpy.testing import assert_allclose

import gluon_rnn
from gluon_rnn import ModelConfig, build_model, generate
from gluon_rnn.exchange.web_page import export_page, to_page

NETWORKS = {
    'rnn tanh': {'cell': 'rnn'},
    'rnn relu': {'cell': 'rnn', 'activation': 'relu', 'impl': 'gluon'},
    'rnn sigmoid, deep': {'cell': 'rnn', 'activation': 'sigmoid', 'num_layers': 2},
    'gru': {'cell': 'gru'},
    'gru, reset after': {'cell': 'gru', 'reset_after': True},
    'gluon gru, deep': {'cell': 'gru', 'impl': 'gluon', 'num_layers': 3},
    'lstm': {'cell': 'lstm'},
    'lstm, deep, residual': {'cell': 'lstm', 'num_layers': 3, 'residual': True},
}


@pytest.fixture
def opened(chromium, tmp_path):
    """opened(model, idx_to_char, ...) -> the browser with that model's page, which has complained of nothing."""
    def call(model, idx_to_char, language='en', size=(1200, 1000), **options):
        export_page(model, idx_to_char, tmp_path / 'model.html', **options)
        chromium.set_window_size(*size)
        chromium.get('about:blank')
        chromium.get((tmp_path / 'model.html').as_uri() + f'#{language}')
        assert [entry['message'] for entry in chromium.get_log('browser')] == []
        return chromium
    return call


def distinct(**network):
    """A model whose weights are large enough that the text says something, biases too."""
    model, scale = build_model(ModelConfig(**network)), {'relu': 0.2, 'sigmoid': 2}.get(network.get('activation'), 0.6)
    params = model.book_params()
    model.load_book_params({name: np.random.normal(0, scale, value.shape).astype('float32') for name, value in params.items()})
    if network.get('impl') == 'gluon':      # its second bias of the candidate, for which the book has no place
        for name, array in model.parameters().items():
            if name.endswith('h2h_bias'):
                array[:] = nd.random.normal(scale=scale, shape=array.shape)
    return model


LOGITS = """const r = new Reading(network), rows = [];
for (const index of arguments[0]) { r.add(index, false); rows.push(Array.from(r.logits)); }
return rows;"""
WRITES = """const r = new Reading(network); r.read(arguments[0]);
for (let k = 0; k < arguments[1]; k++) r.write(0);
return r.text();"""


@pytest.mark.parametrize('name', NETWORKS)
def test_the_same_numbers_and_verses_as_in_mxnet(opened, lyrics, name):
    model = distinct(num_hiddens=24, vocab_size=lyrics.vocab_size, **NETWORKS[name])
    page = opened(model, lyrics.idx_to_char, dtype='float32')
    indices = lyrics.indices[:40].tolist()
    logits, _ = model([indices], model.begin_state(1))
    assert_allclose(page.execute_script(LOGITS, indices), logits.asnumpy(), atol=1e-4, rtol=0)
    written = page.execute_script(WRITES, '分开', 80)
    assert written == generate(model, lyrics.idx_to_char, '分开', 80)
    assert len(set(written)) > 3


def test_half_precision(opened, lyrics):
    """Every 16-bit number is read as NumPy reads it, and the page is near half as large."""
    model = distinct(cell='gru', num_hiddens=24, vocab_size=lyrics.vocab_size)
    page = opened(model, lyrics.idx_to_char)
    numbers = page.execute_script('return Array.from({length: 65536}, (_, i) => String(halfToNumber(i)));')
    assert_allclose([float(x.replace('Infinity', 'inf')) for x in numbers], np.arange(65536, dtype=np.uint16).view(np.float16))
    indices = lyrics.indices[:10].tolist()
    logits, _ = model([indices], model.begin_state(1))
    apart = np.abs(page.execute_script(LOGITS, indices) - logits.asnumpy()).max()
    assert 1e-5 < apart < 0.05
    sizes = [len(to_page(model, lyrics.idx_to_char, dtype=dtype)) for dtype in ('float16', 'float32')]
    assert model.config.num_hiddens * lyrics.vocab_size * 4 * 2 * 4 / 3 < sizes[1] - sizes[0]


def test_probabilities_rivals_and_draws(opened):
    model = distinct(cell='lstm', num_hiddens=8, vocab_size=6)
    page = opened(model, 'abcdef')
    p = page.execute_script('return softmax(Float64Array.from([1, 3, 2, 3]), 2);')
    p = [p[str(i)] for i in range(4)] if isinstance(p, dict) else p
    wanted = np.exp(np.array([1, 3, 2, 3]) / 2)
    assert_allclose(p, wanted / wanted.sum(), rtol=1e-12)
    assert page.execute_script('return largest([1, 3, 2, 3], 3);') == [1, 3, 2]
    assert page.execute_script('return [0, .1, .11, .69, .7, .999].map(r => draw([.1, .6, .3], r));') == [0, 1, 1, 1, 2, 2]
    told = page.execute_script("""const r = new Reading(network); const unknown = r.read('ab?ca!');
        return [unknown, r.surprise(), r.characters.map(c => c.p), r.characters.map(c => c.rivals.length)];""")
    assert told[0] == ['?', '!']
    assert told[2][0] is None
    assert_allclose(told[1]['bits'], -np.log2(told[2][1:]).mean(), rtol=1e-12)
    assert told[3] == [0, 5, 5, 5]
    assert page.execute_script("""const step = () => ({logits: [1, 1, 1]});
        const r = new Reading({vocabulary: [...'ab '], beginState() {}, step}); r.read('a ab b');
        return [r.positions(' '), r.endings(' ')];""") == [
            [None, None, 0, 1, None, 0], [1, 0, 0, 1, 0, None]]
    assert page.execute_script('return correlation([1, 2, 3, 5], [2, 4, 6, 11]);') == pytest.approx(np.corrcoef(
        [1, 2, 3, 5], [2, 4, 6, 11])[0, 1])
    assert page.execute_script('return correlation([1, 1, 1], [1, 2, 3]);') is None


def finished(page):
    """Wait until the page has written what it was asked to."""
    from selenium.webdriver.support.ui import WebDriverWait
    WebDriverWait(page, 60).until(lambda driver: driver.execute_script("return document.getElementById('stop').disabled"))


def by_id(page, name):
    return page.find_element('id', name)


@pytest.mark.parametrize('width', [pytest.param(1200, marks=pytest.mark.slow), 400])
def test_by_hand(opened, lyrics, width):
    """What a reader does: write, click a character, click a unit, type a text, change the language."""
    model = distinct(cell='gru', num_hiddens=24, num_layers=2, vocab_size=lyrics.vocab_size)
    page = opened(model, lyrics.idx_to_char, size=(width, 900), prefix='分开', title='<一个模型>', dtype='float32')
    finished(page)
    assert by_id(page, 'written').text.replace('·', ' ').strip() == generate(model, lyrics.idx_to_char, '分开', 100).strip()
    assert page.find_element('css selector', 'h1').text == '<一个模型>'
    assert page.execute_script('return document.documentElement.scrollWidth <= window.innerWidth')
    by_id(page, 'prefix').clear()
    by_id(page, 'prefix').send_keys('不Q分')
    by_id(page, 'length').clear()
    by_id(page, 'length').send_keys('30')
    by_id(page, 'write').click()
    finished(page)
    characters = page.find_elements('css selector', '#written .char')
    assert len(characters) == 32 and 'left out: Q' in by_id(page, 'write_note').text
    by_id(page, 'more').click()
    finished(page)
    assert len(page.find_elements('css selector', '#written .char')) == 62
    page.execute_script('arguments[0].click()', characters[5])
    rivals = [row.text.split() for row in page.find_elements('css selector', '#rivals tr')]
    assert len(rivals) == 5 and rivals[0][0] == (characters[5].text.strip('·') or '␣'), rivals
    shares = [float(row[1]) for row in rivals]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 100.1
    before = [c.value_of_css_property('background-color') for c in characters]
    page.execute_script("document.querySelectorAll('#units button')[3].click()")
    after = [c.value_of_css_property('background-color') for c in characters]
    assert len(set(before)) == 1 and len(set(after)) > 5
    assert re.fullmatch(r'unit 4, H: -?\d\.\d{3}', by_id(page, 'unit_about').text)
    by_id(page, 'typed').send_keys(lyrics.decode(lyrics.indices[:6]) + 'Q')
    assert re.search(r'5 characters after the first: \d+\.\d\d bits each', by_id(page, 'typed_about').text)
    assert 'left out: Q' in by_id(page, 'typed_note').text
    assert not by_id(page, 'redder').is_displayed()
    by_id(page, 'no_unit').click()
    assert by_id(page, 'redder').is_displayed()
    by_id(page, 'prefix').clear()
    by_id(page, 'write').click()
    assert 'the beginning is empty' in by_id(page, 'write_note').text
    by_id(page, 'language').click()
    said = page.find_element('tag name', 'body').text
    assert '让它写' in said and 'Let it write' not in said
    assert [entry['message'] for entry in page.get_log('browser')] == []


def test_the_page_asks_nothing_of_the_network(lyrics):
    page = to_page(distinct(cell='rnn', num_hiddens=4, vocab_size=lyrics.vocab_size), lyrics.idx_to_char)
    assert not re.findall(r'(?:src|href)=|https?:|url\(|import ', page.partition('<script type="application/json"')[0])
    assert '</script' not in to_page(distinct(cell='rnn', num_hiddens=4, vocab_size=2), ('</script>', 'b')).partition(
        'id="model">')[2].partition('</script>\n')[0]


@pytest.mark.parametrize('network, options, message', [
    ({'cell': 'clockwork', 'num_hiddens': 8}, {}, 'a page has networks of rnn, gru, lstm, got clockwork'),
    ({'bidirectional': True}, {}, 'this network is bidirectional'),
    ({}, {'dtype': 'float64'}, "dtype must be one of float16, float32, got 'float64'"),
    ({}, {'prefix': 'xa'}, "of the vocabulary, got 'x'"),
])
def test_what_is_refused(network, options, message):
    model = build_model(ModelConfig(**{'num_hiddens': 4, 'vocab_size': 3, **network}))
    with pytest.raises(ValueError, match=message):
        to_page(model, 'abc', **options)


def test_weights_that_do_not_fit(tmp_path):
    model = build_model(ModelConfig(num_hiddens=4, vocab_size=3))
    with pytest.raises(ValueError, match='the vocabulary must have 3 characters as the model, got 2'):
        export_page(model, 'ab', tmp_path / 'page.html')
    model.parameters()['W_hz'][0, 0] = 1e5
    with pytest.raises(ValueError, match='W_hz has a weight of 100000, which float16 does not hold: use dtype float32'):
        export_page(model, 'abc', tmp_path / 'page.html')
    assert not list(tmp_path.iterdir())
    export_page(model, 'abc', tmp_path / 'page.html', dtype='float32')
    model.parameters()['W_hz'][0, 0] = float('nan')
    with pytest.raises(ValueError, match='W_hz has a weight of nan, which float32 does not hold: train it again'):
        export_page(model, 'abc', tmp_path / 'page.html', dtype='float32')
    assert gluon_rnn.__version__ in (tmp_path / 'page.html').read_text(encoding='utf-8')
