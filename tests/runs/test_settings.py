"""The schema of a run: it names what the models and the trainer take, and finds what is damaged."""
import dataclasses

import pytest

from gluon_rnn import ModelConfig, TrainConfig
from gluon_rnn.book.sections import SECTIONS
from gluon_rnn.runs.run import Training, pick
from gluon_rnn.runs.settings import RunSettings, damage


def test_has_the_fields_of_model_and_trainer():
    names = {field.name for config in (ModelConfig, TrainConfig) for field in dataclasses.fields(config)} - {'vocab_size'}
    assert names <= RunSettings().as_dict().keys()
    assert pick(TrainConfig, RunSettings().as_dict()) == TrainConfig()


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunSettings().lr = 1


def test_sections_are_of_the_schema():
    for section in SECTIONS.values():
        for variant in section.variants:
            settings = section.settings_of(variant)
            assert RunSettings(**settings).as_dict() == settings and damage(settings) == ''


@pytest.mark.parametrize('name, value', [('lr', 'high'), ('lr', True), ('num_hiddens', 2.5), ('num_hiddens', None), ('period', 0),
                                         ('prefix', '分开'), ('bidirectional', 1), ('corpus', 3), ('corpus_sha256', 4)])
def test_damage_is_named(name, value):
    assert damage({**RunSettings().as_dict(), name: value}) == f'{name} is {value!r}'


def test_settings_of_older_versions_are_whole():
    older = RunSettings().as_dict()
    assert damage({name: older[name] for name in older if name not in ('residual', 'sigma')}) == ''
    assert damage({**older, 'lr': 1, 'periods': '1 2 4', 'reset_after': True}) == ''


def test_training_leaves_the_given_settings_as_they_are(lyrics):
    given = {**RunSettings(num_hiddens=4).as_dict(), 'max_chars': 2000}
    before = dict(given)
    training = Training(given)
    assert given == before and training.settings['prefix']
