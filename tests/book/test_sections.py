"""The book's sections as data: complete, and with the book's own numbers."""
import dataclasses
import re

import pytest

from gluon_rnn import ModelConfig, TrainConfig, runtime
from gluon_rnn.book import sections
from gluon_rnn.book.sections import COMMON, SECTIONS, SOURCES
from gluon_rnn.corpora.corpus import unigram_perplexity
from gluon_rnn.runs.settings import pick

VARIANTS = [(section, variant) for section in SECTIONS.values() for variant in section.variants]


def name(value):
    return getattr(value, 'name', None)


def test_every_section_that_has_code_is_here():
    assert list(SECTIONS) == ['6.3', '6.4', '6.5', '6.7', '6.8', '6.9', '6.10', 'time-machine']


def test_the_books_common_settings():
    """Section 6.4.7, and what it leaves as it is for all that follow."""
    expected = {'corpus': 'jaychou', 'num_hiddens': 256, 'num_steps': 35, 'batch_size': 32, 'lr': 100, 'clipping_theta': 0.01,
                'optimizer': 'sgd', 'pred_len': 50, 'activation': 'tanh', 'num_layers': 1}
    assert {key: getattr(COMMON, key) for key in expected} == expected
    fields = {field.name for config in (ModelConfig, TrainConfig) for field in dataclasses.fields(config)}
    assert fields - {'vocab_size'} <= vars(COMMON).keys()


@pytest.mark.parametrize(('section', 'variant', 'settings'), [
    ('6.4', 'random', {'cell': 'rnn', 'sampling': 'random', 'num_epochs': 250, 'pred_period': 50}),
    ('6.4', 'consecutive', {'cell': 'rnn', 'sampling': 'consecutive', 'num_epochs': 250, 'pred_period': 50}),
    ('6.5', 'gluon', {'cell': 'rnn', 'impl': 'gluon', 'activation': 'relu', 'num_epochs': 250, 'pred_period': 50}),
    ('6.7', 'scratch', {'cell': 'gru', 'impl': 'scratch', 'num_epochs': 160, 'pred_period': 40}),
    ('6.7', 'gluon', {'cell': 'gru', 'impl': 'gluon', 'num_epochs': 160, 'pred_period': 40}),
    ('6.8', 'scratch', {'cell': 'lstm', 'impl': 'scratch', 'num_epochs': 160, 'pred_period': 40}),
    ('6.8', 'gluon', {'cell': 'lstm', 'impl': 'gluon', 'num_epochs': 160, 'pred_period': 40}),
    ('6.9', 'scratch-2', {'num_layers': 2, 'impl': 'scratch', 'lr': 0.01}),
    ('6.9', 'gluon-2', {'num_layers': 2, 'impl': 'gluon', 'lr': 0.01}),
    ('6.9', 'layers-6', {'num_layers': 6, 'lr': 0.01, 'residual': False}),
    ('6.9', 'layers-6-residual', {'num_layers': 6, 'lr': 0.01, 'residual': True}),
    ('6.10', 'scratch', {'bidirectional': True, 'num_layers': 1, 'num_hiddens': 128}),
    ('6.10', 'layers-2', {'bidirectional': True, 'num_layers': 2}),
    ('6.10', 'both-forward', {'both_forward': True, 'activation': 'sigmoid', 'clipping_theta': 0.1}),
    ('time-machine', 'scratch', {'corpus': 'time_machine_letters', 'cell': 'gru', 'lr': 1, 'num_epochs': 500}),
    ('time-machine', 'gluon', {'impl': 'gluon', 'batch_size': 32, 'num_steps': 35, 'clipping_theta': 1}),
])
def test_the_books_settings_of_a_section(section, variant, settings):
    section = SECTIONS[section]
    actual = section.settings_of(section.variant(variant))
    assert {key: getattr(actual, key) for key in settings} == settings


@pytest.mark.parametrize(('section', 'variant'), VARIANTS, ids=name)
def test_every_variant_can_be_trained_and_printed(section, variant):
    for settings in (section.settings_of(variant), sections.quick(section.settings_of(variant))):
        pick(ModelConfig, settings, vocab_size=9)
        pick(TrainConfig, settings)
        assert settings.num_epochs % settings.pred_period == 0
    for published in variant.published:
        assert published.source in SOURCES
        assert all(float(figure) >= 1 and epoch > 0 for epoch, figure in published.figures.items())
        assert list(published.figures) == sorted(published.figures)


def test_the_quick_way_still_reaches_a_published_figure():
    for section, variant in VARIANTS:
        first = min((epoch for published in variant.published for epoch in published.figures), default=0)
        if section.name != 'time-machine':       # where only the last epoch is published
            assert sections.quick(section.settings_of(variant)).num_epochs >= first


def test_every_text_is_in_two_languages():
    texts = [*SOURCES.values()]
    for section, variant in VARIANTS:
        texts += [section.title, section.about, variant.title, *(published.differs for published in variant.published)]
        for text in (variant.remark, variant.learned, variant.not_learned):
            assert bool(text[0]) == bool(text[1])
            assert set(re.findall('{[^}]*}', text[0])) >= set(re.findall('{[^}]*}', text[1]))
            texts += [text] * bool(text[0])
    for english, chinese in texts:
        assert english.isascii()
        assert chinese and (not chinese.isascii() or chinese == english)


def test_names_are_fit_for_folders_and_no_two_the_same():
    names = [f'{section.name}/{variant.name}' for section, variant in VARIANTS]
    assert len(set(names)) == len(names)
    assert all(set(part) <= set('abcdefghijklmnopqrstuvwxyz0123456789.-') for name in names for part in name.split('/'))


def test_the_unigram_perplexity_of_the_books_lyrics_is_270(needs_corpus):
    """As docs/book.md says of the book's lyrics."""
    assert round(unigram_perplexity(needs_corpus('jaychou').indices)) == 270


def test_sampling_as_section_6_3_prints_it():
    shown = sections.sampling_shown()
    assert 'X: [[ 0  1  2  3  4  5]\n [15 16 17 18 19 20]]\nY: [[ 1  2  3  4  5  6]\n [16 17 18 19 20 21]]' in shown
    assert shown.count('X:') == shown.count('Y:') == 4


def test_where_the_books_text_is_missing_the_embedded_one_takes_its_place(monkeypatch, tmp_path):
    assert sections.corpus_here('lyrics') == ('lyrics', '')
    monkeypatch.setattr(runtime, 'data_folders', lambda: [tmp_path])

    def offline(*args, **kwargs):
        raise ValueError('cannot be fetched')

    monkeypatch.setattr('gluon_rnn.corpora.corpus.download', offline)
    assert sections.corpus_here('jaychou') == ('lyrics', 'cannot be fetched')
