"""How growth is measured, fitted and drawn; that epochs are measured right is test_measuring's."""
import sys
from dataclasses import asdict

import pytest
from numpy.testing import assert_allclose

from gluon_rnn.benchmark import cases
from gluon_rnn.benchmark.cases import (
    REFERENCE,
    SIZES,
    Growth,
    measure_epochs,
    measure_generation,
    measure_growth,
    plot_growth,
    setting_for,
    settings_around,
)
from gluon_rnn.benchmark.implementations import Setting, own_cases
from gluon_rnn.benchmark.measuring import Measurement
from gluon_rnn.benchmark.workers import book, writing


@pytest.mark.parametrize('power', [0.5, 1, 2])
def test_the_exponent_of_a_power_is_the_power(power):
    sizes = (3, 10, 40, 100)
    assert_allclose(Growth('x', 'num_steps', sizes, tuple(7 * n ** power for n in sizes), (0,) * 4).exponent, power)
    few = Growth('x', 'num_steps', (3,), (1.0,), (0,))
    assert few.exponent is None and few.label == 'x'


@pytest.mark.parametrize('size', SIZES)
def test_every_size_makes_two_batches_and_changes_nothing_else(size):
    base = Setting()
    for value in SIZES[size]:
        setting = setting_for(base, size, value)
        assert getattr(setting, size) == value
        changed = {name for name, old in vars(base).items() if getattr(setting, name) != old}
        assert changed <= {size, 'num_chars'}
        if size != 'num_chars':
            assert setting.tokens == 2 * setting.num_steps * setting.batch_size


def test_epochs_are_told_setting_by_setting(monkeypatch):
    told, settings = [], [Setting('rnn'), Setting('lstm')]

    def measure(cases, setting, **_):
        told.append(setting)
        return [Measurement(REFERENCE, (4.0,)), Measurement('a', (2.0,))]
    monkeypatch.setattr(cases, 'measure', measure)
    found = measure_epochs([], settings, on_table=told.append)
    assert [setting for setting, _ in found] == settings == told[::2]
    assert told[1].startswith('rnn, 256 hidden') and ' 2.000 ' in told[1] and told[3].startswith('lstm')


def test_settings_around_another_change_one_size_at_a_time():
    small = Setting(num_hiddens=8, num_steps=5, batch_size=4, vocab_size=20, num_chars=200)
    for setting in settings_around(small)[1:]:
        assert sum(a != b for a, b in zip(asdict(setting).values(), asdict(small).values())) == 1
        assert setting.num_chars == small.num_chars
    book = Setting()
    assert len(settings_around(book)) == 9 and all(setting.tokens > 0 for setting in settings_around(book))


def test_growth_is_measured_a_batch_and_ends_where_a_case_fails(monkeypatch):
    """Also where it would work again: an exponent over a gap says nothing."""
    asked = []

    def measure(cases, setting, **_):
        asked.append((setting.num_steps, [case.options['impl'] for case in cases]))
        return [Measurement(case.name, error='no memory') if (case.options['impl'], setting.num_steps) in fails else
                Measurement(case.name, (6.0 * setting.num_steps,), memory=50, library_memory=20) for case in cases]
    fails = {('hybrid', 20), ('gluon', 10)}
    monkeypatch.setattr(cases, 'measure', measure)
    impls = ['scratch', 'hybrid', 'gluon']
    scratch, hybrid, gluon = measure_growth(own_cases(impls), Setting(), 'num_steps', (10, 20, 40))
    assert asked == [(10, ['scratch', 'hybrid', 'gluon']), (20, ['scratch', 'hybrid']), (40, ['scratch'])]
    assert scratch == Growth('gluon_rnn scratch', 'num_steps', (10, 20, 40), (30.0, 60.0, 120.0), (30,) * 3)
    assert hybrid == Growth('gluon_rnn hybrid', 'num_steps', (10,), (30.0,), (30,), 'num_steps 20: no memory')
    assert gluon == Growth('gluon_rnn gluon', 'num_steps', (), (), (), 'num_steps 10: no memory')
    assert measure_growth(own_cases(['gluon']), Setting(), 'num_steps', (10, 20)) == [gluon]
    assert asked[-1] == (10, ['gluon'])


def test_an_unknown_size_is_told():
    with pytest.raises(ValueError, match=r'size must be one of num_steps.*got .depth.'):
        measure_growth([], Setting(), 'depth', [1])


def test_the_picture_of_growth():
    failed = Growth('b', 'num_steps', (), (), (), 'num_steps 1: no memory')
    figure = plot_growth([failed, Growth('a', 'num_steps', (1, 2), (0.1, 0.2), (1 << 20, 2 << 20))])
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes] == [
        ('num_steps', 'seconds a batch'), ('num_steps', 'MiB above the libraries')]
    assert figure.get_suptitle() == 'Growth with num_steps'
    assert [len(axes.get_lines()) for axes in figure.axes] == [1, 1]      # nothing of the one that failed
    with pytest.raises(ValueError, match='nothing to draw'):
        plot_growth([failed])


@pytest.mark.parametrize('impl', ['d2lzh scratch', 'd2lzh gluon', 'scratch', 'hybrid', 'gluon'])
def test_a_writer_says_how_much_it_wrote(impl, monkeypatch):
    monkeypatch.setitem(sys.modules, 'book', book)      # as `run.py` finds it, beside the worker
    write = writing.prepare({**asdict(Setting('rnn', num_hiddens=4, vocab_size=9, num_chars=8)), 'impl': impl})
    assert write() == {'length': 7}


def test_who_writes_too_little_is_not_measured(monkeypatch):
    lengths = {'gluon_rnn hybrid': 11, 'gluon_rnn gluon': 0}

    def measure(cases, setting, **_):
        return [Measurement(case.name, (1.0,), answers=({'length': lengths.get(case.name, 12)},)) for case in cases[:-1]] + [
            Measurement(cases[-1].name, error='no ONNX')]
    monkeypatch.setattr(cases, 'measure', measure)
    measured = measure_generation('rnn', 12)
    assert [m.error for m in measured] == ['', '', '', 'wrote 11 characters instead of 12', 'wrote 0 characters instead of 12',
                                           '', 'no ONNX']


@pytest.mark.slow
def test_generation_is_measured_beside_d2lzh(crowded):
    measured = measure_generation('rnn', 12, rounds=1, threads=1)
    assert [m.name for m in measured] == ['d2lzh scratch', 'd2lzh gluon', 'gluon_rnn scratch', 'gluon_rnn hybrid',
                                          'gluon_rnn gluon', 'gluon_rnn numba', 'gluon_rnn ONNX Runtime']
    assert not any(m.error for m in measured), measured
    assert all(m.tokens == 12 and m.median > 0 for m in measured)
