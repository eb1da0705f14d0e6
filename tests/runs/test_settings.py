"""The schema of a run: it names what the models and the trainer take, knows older names, and finds what is damaged."""
import dataclasses
import json

import pytest

from gluon_rnn import ModelConfig, TrainConfig
from gluon_rnn.runs.digits import DigitsSettings
from gluon_rnn.runs.fill_in import FillInSettings
from gluon_rnn.runs.settings import ALIASES, RunSettings, pick

PLAIN = dataclasses.asdict(RunSettings())


def test_has_the_fields_of_model_and_trainer():
    names = {field.name for config in (ModelConfig, TrainConfig) for field in dataclasses.fields(config)} - {'vocab_size'}
    assert names <= PLAIN.keys()
    assert pick(TrainConfig, RunSettings()) == TrainConfig()
    assert pick(ModelConfig, RunSettings(), vocab_size=9, impl='gluon') == ModelConfig(vocab_size=9, impl='gluon')


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunSettings().lr = 1


@pytest.mark.parametrize('given, expected', [
    ({'cell': 'rnn'}, (250, 50, 100)), ({'cell': 'lstm'}, (160, 40, 100)), ({'optimizer': 'adam'}, (160, 40, 0.01)),
    ({'cell': 'rnn', 'num_epochs': 3, 'pred_period': 2, 'lr': 7}, (3, 2, 7))], ids=str)
def test_defaults_that_depend_on_others(given, expected):
    settings = RunSettings(**given)
    assert (settings.num_epochs, settings.pred_period, settings.lr) == expected


@pytest.mark.parametrize('given, said', [({'pred_len': 0}, 'pred_len must be 1 or more, got 0'),
                                         ({'dropout': 0.1}, 'num_layers must be 2 or more, got 1')])
def test_what_no_other_room_checks(given, said):
    with pytest.raises(ValueError, match=said):
        RunSettings(**given)


def test_is_read_as_it_was_written():
    settings = RunSettings(cell='clockwork', periods=[1, 2], prefixes=['分开'], reset_after=True, corpus_sha256='5f')
    assert RunSettings.read(json.loads(json.dumps(dataclasses.asdict(settings)))) == settings


def test_reads_what_older_versions_wrote():
    """Their names; what they did not know is missing; what is known no more is left out."""
    older = {**{name: value for name, value in PLAIN.items() if name not in ('residual', 'sigma', *ALIASES.values())},
             'period': 7, 'prefix': ['分'], 'length': 9, 'forgotten': 1, 'lr': 1}
    expected = RunSettings(pred_period=7, prefixes=['分'], pred_len=9, lr=1)
    assert RunSettings.read(older) == expected
    assert RunSettings.read({**older, 'periods': '1 2 4'}).periods == '1 2 4'


@pytest.mark.parametrize('name, value', [('lr', 'high'), ('lr', True), ('num_hiddens', 2.5), ('num_hiddens', None),
                                         ('num_epochs', None),
                                         ('prefixes', '分开'), ('bidirectional', 1), ('corpus', 3), ('corpus_sha256', 4)])
def test_damage_is_named(name, value):
    with pytest.raises(ValueError, match=f'^{name} is {value!r}$'):
        RunSettings.read({**PLAIN, name: value})


def test_what_a_run_may_be_told_anew():
    run = RunSettings(seed=3)
    assert run.changed({'num_epochs': 500, 'seed': 3}) == RunSettings(seed=3, num_epochs=500)
    with pytest.raises(ValueError, match='seed is 3 in the run to go on with, got 4: leave it out'):
        run.changed({'seed': 4})


@pytest.mark.parametrize('kind', [RunSettings, DigitsSettings, FillInSettings])
def test_a_learning_rate_of_an_optimizer_that_takes_none(kind):
    kind(optimizer='adadelta')
    with pytest.raises(ValueError, match='lr does nothing under adadelta'):
        kind(optimizer='adadelta', lr=5)
    with pytest.raises(ValueError, match='lr does nothing under adadelta'):
        kind(optimizer='adadelta').changed({'lr': 0.5})
    if kind is RunSettings:
        with pytest.raises(ValueError, match='lr does nothing under adadelta'):
            kind(optimizer='adadelta', warmup=3)
