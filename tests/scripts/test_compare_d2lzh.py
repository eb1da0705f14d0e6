"""scripts/compare_d2lzh.py: both sides learn the same, and a figure is kept with what it is of."""
from __future__ import annotations

import json
import re
import time

import _progress
import compare_d2lzh
import pytest


@pytest.mark.slow
def test_both_sides_learn_the_same_from_one_seed():
    network = compare_d2lzh.NETWORKS['gru-consecutive']
    ours, theirs = (learn(network, 3, 'lyrics', 1) for learn in (compare_d2lzh.ours, compare_d2lzh.theirs))
    assert ours[1] == pytest.approx(theirs[1], rel=1e-4)


def test_it_is_never_silent_for_long(script, tmp_path, monkeypatch):
    monkeypatch.setattr(_progress, 'SILENCE', 0.2)
    for side in ('ours', 'theirs'):
        monkeypatch.setattr(compare_d2lzh, side, lambda *_: time.sleep(0.7) or {250: 1.5})
    ended = script('compare_d2lzh', 'rnn-random', '--seeds', 0, '--out', tmp_path)
    assert re.search(r'training 1 of 2: rnn-random/gluon_rnn/0, \d+ s so far\n', ended.err)
    assert re.search(r'training 2 of 2: rnn-random/d2lzh/0, \d+ s so far, \d+ s left\n', ended.err)


def test_figures_of_other_settings_are_not_mixed_in(script, refused, tmp_path):
    compare_d2lzh.save_figures(tmp_path, 'rnn-random/gluon_rnn/0', {50: 9.5, 250: 1.5})
    (tmp_path / 'settings.json').write_text(json.dumps({'corpus': 'jaychou', 'num_epochs': None}))
    flags = ('rnn-random', '--sides', 'gluon_rnn', '--seeds', 0, '--out', tmp_path)
    ended = script('compare_d2lzh', *flags)
    assert ended.out.replace('|', '').split()[-5:] == ['rnn-random', 'gluon_rnn', '250', '1.500', '1.500']    # not computed again
    refused('holds figures of other settings', 'compare_d2lzh', *flags, '--num-epochs', 5)
    (tmp_path / 'settings.json').write_text('{"corpus": ')
    refused('settings.json is damaged', 'compare_d2lzh', *flags)
    refused('network must be of', 'compare_d2lzh', 'cnn', '--out', tmp_path / 'new')
