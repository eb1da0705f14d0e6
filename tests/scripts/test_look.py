"""scripts/look.py: pictures of a run, in a font that has its characters."""
from __future__ import annotations

import re

import look
import matplotlib.font_manager
import numpy as np
import pytest

from gluon_rnn import plots

TRAIN = ('--max-chars', 600, '--num-hiddens', 6, '--num-steps', 5, '--batch-size', 4, '--num-epochs', 1, '--ctx', 'cpu')


@pytest.fixture(scope='module')
def runs(tmp_path_factory, run_script):
    """run(name, flags) -> the folder of a short training of that kind."""
    folder = tmp_path_factory.mktemp('runs')

    def run(name, *flags):
        if not (folder / name).exists():
            run_script('train', *TRAIN, *flags, '--out', folder / name)
        return folder / name
    return run


def is_png(path):
    return path.read_bytes().startswith(b'\x89PNG')


@pytest.mark.slow
def test_draws_every_run_and_all_of_them_together(script, runs, tmp_path):
    given = [runs('rnn', '--cell', 'rnn'), runs('gru', '--impl', 'hybrid'), runs('lstm', '--cell', 'lstm', '--impl', 'gluon')]
    ended = script('look', *given, '--text', '我和你 你和我', '--out', tmp_path, '--units', 4)
    assert (ended.status, ended.err) == (0, '')
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ['gates-gru.png', 'gates-lstm.png', 'gates-rnn.png', 'gradient.png', 'singular_values.png']
    assert all(map(is_png, tmp_path.iterdir()))
    assert re.findall(r'^(.*): gradient norm', ended.out, re.M) == ['rnn', 'gru', 'lstm', 'new rnn', 'new gru', 'new lstm']
    assert re.findall(r'^(\w+ W_h\w): singular values', ended.out, re.M) == [
        'rnn W_hh', 'gru W_hz', 'gru W_hr', 'gru W_hh', 'lstm W_hi', 'lstm W_hf', 'lstm W_hc', 'lstm W_ho']


def test_new_gated_networks_reach_further_than_a_new_plain_one(script, runs, tmp_path):
    ended = script('look', runs('rnn', '--cell', 'rnn'), '--text', '我和你 你和我', '--out', tmp_path)
    factor = {cell: float(value) for cell, value in re.findall(r'^new (\w+): .* ([\d.]+) a step$', ended.out, re.M)}
    assert factor['rnn'] < 0.1 < 0.4 < min(factor['gru'], factor['lstm'])


@pytest.mark.slow
def test_a_bidirectional_run_of_two_layers(script, runs, tmp_path):
    run = runs('both', '--bidirectional', '--num-layers', 2)
    ended = script('look', run, '--text', '我和你', '--out', tmp_path)
    assert ended.status == 0
    assert 'both: its second direction comes from the end' in ended.out
    assert 'both layer1.backward.W_hz: singular values' in ended.out
    assert is_png(tmp_path / 'gates-both.png') and is_png(tmp_path / 'gradient.png')


def test_a_clockwork_run(script, runs, tmp_path):
    run = runs('clockwork', '--cell', 'clockwork', '--periods', 1, 2, 3)
    ended = script('look', run, '--text', '我和你 你和我', '--out', tmp_path)
    assert (ended.status, ended.err) == (0, '')
    assert re.findall(r'^clockwork (W_h\d): singular values', ended.out, re.M) == ['W_h0', 'W_h1', 'W_h2']
    assert is_png(tmp_path / 'gates-clockwork.png') and is_png(tmp_path / 'gradient.png')


def test_a_long_text_goes_into_rows_of_equal_characters(runs):
    run = look.checkpoint.read(runs('rnn', '--cell', 'rnn') / 'checkpoint.npz')
    text = '我和你' * 30
    args = look.argparse.Namespace(text=text, units=4)
    figure = look.plot_gates('rnn', run, run.idx_to_char.encode(text), args)
    width, height = figure.get_size_inches()
    assert 6 < width < 15 and height < 15
    pictures = [axes for axes in figure.axes if axes.images and axes.get_title()]
    assert [axes.get_title().partition(', ')[2] for axes in pictures] == ['1 to 40', '41 to 80', '81 to 90']
    assert {axes.get_xlim() for axes in pictures} == {(-0.5, 39.5)}
    assert figure.get_suptitle() == 'rnn: a row is a hidden unit (4 of 6 that change most), a column a character'


def test_says_where_a_gradient_has_vanished(capsys):
    look.say_reach('long', np.array([0, 0, 1e-40, 1e-20, 1.0]))
    look.say_reach('none', np.zeros(4))
    look.say_reach('short', np.array([0.5]))
    assert capsys.readouterr().out.splitlines() == [
        'long: gradient norm 1 by the state one step before the loss; more than 3 steps before too small for float32, 1e-40 by '
        'that 3 steps before; 0.000 a step',
        'none: no gradient that float32 could hold reaches the state one step before the loss',
        'short: gradient norm 0.5 by the state one step before the loss']


def test_refuses_what_it_cannot_look_at(refused, runs, tmp_path):
    run = runs('rnn', '--cell', 'rnn')
    refused("'☃' is not in the vocabulary", 'look', run, '--text', '我你☃', '--out', tmp_path / 'out')
    refused('--text must have 3 characters or more, got 2', 'look', run, '--text', '我你', '--out', tmp_path / 'out')
    refused('--units must be 1 or more, got 0', 'look', run, '--text', '我和你', '--units', 0, '--out', tmp_path / 'out')
    refused('the same RUN is given twice', 'look', run, run, '--text', '我和你', '--out', tmp_path / 'out')
    refused('neither a run with a checkpoint nor a checkpoint', 'look', tmp_path, '--text', '我和你', '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_names_tell_runs_apart(tmp_path):
    paths = [tmp_path / 'a' / 'one', tmp_path / 'b' / 'one', tmp_path / '6.4' / 'random']
    for path in paths:
        path.mkdir(parents=True)
    assert look.names(paths[:1]) == ['one']
    assert look.names(paths[:2]) == ['a-one', 'b-one']
    assert look.names(paths[1:]) == ['b-one', '6.4-random']


@pytest.fixture
def no_font(monkeypatch):
    """A machine without a font for Chinese."""
    monkeypatch.setattr(plots, 'cjk_font', lambda: None)
    plots._drawable.cache_clear()
    yield
    plots._drawable.cache_clear()


def test_without_a_font_code_points_stand_in_and_nothing_warns(script, runs, tmp_path, no_font):
    assert plots.characters('我 a') == ['6211', '␣', 'a']
    ended = script('look', runs('rnn', '--cell', 'rnn'), '--text', '我和你', '--out', tmp_path)     # warnings are errors here
    assert (ended.status, ended.err) == (0, '')


def test_where_no_font_is_installed_the_packaged_one_is_taken(monkeypatch):
    pytest.importorskip('pylopdf_fonts_zh_cn')
    monkeypatch.setattr(plots, '_CJK_FONTS', ())
    name = plots.cjk_font.__wrapped__()
    assert name == 'Noto Sans SC'
    assert name in {font.name for font in matplotlib.font_manager.fontManager.ttflist}
