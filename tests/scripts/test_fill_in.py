"""scripts/fill_in.py: its run's folder, going on in either network, and filling gaps."""
from __future__ import annotations

import json
import shlex
import shutil

import pytest
from harness import assert_same_model, assert_same_task

from gluon_rnn.models.fill_in import MaskedText
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.fill_in import FillInFolder

SMALL = ('--max-chars', 600, '--num-hiddens', 4, '--num-steps', 10, '--batch-size', 8, '--num-epochs', 3, '--impl', 'gluon',
         '--ctx', 'cpu')
INSIDE = 'one-directional'


@pytest.fixture(scope='module')
def finished(tmp_path_factory, run_script):
    """The folder of an uninterrupted run."""
    run = tmp_path_factory.mktemp('fill_in') / 'whole'
    run_script('fill_in', 'train', *SMALL, '--out', run)
    return run


@pytest.fixture
def whole(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / 'whole')


def interrupt(monkeypatch, nth):
    """Press Ctrl-C in the middle of the nth epoch of the networks that this process trains, one after the other."""
    batches, begun = MaskedText.batches, []

    def until(self, epoch):
        begun.extend([epoch] * (epoch > 0 and self.mask_rate == 0.2 and len(self.indices) > 300))
        for i, batch in enumerate(batches(self, epoch)):
            if len(begun) == nth and i == 2:
                raise KeyboardInterrupt
            yield batch
    monkeypatch.setattr(MaskedText, 'batches', until)


def assert_same_runs(one, other):
    for ours, theirs in ((one, other), (one / INSIDE, other / INSIDE)):
        assert_same_task(ours, theirs)
        assert_same_model(ours / 'best.npz', theirs / 'best.npz')
    assert (one / 'table.json').read_bytes() == (other / 'table.json').read_bytes()


def test_leaves_a_run(whole):
    assert {path.name for path in whole.iterdir()} == {*FillInFolder.files, INSIDE, '.lock'}
    assert {path.name for path in (whole / INSIDE).iterdir()} == {*FillInFolder.files, '.lock'} - {'table.json'}
    held_out = [json.loads(line)['valid_perplexity'] for line in (whole / 'metrics.jsonl').read_text().splitlines()]
    assert len(held_out) == 3
    assert checkpoint.read(whole / 'best.npz').epoch == 1 + held_out.index(min(held_out))


@pytest.mark.parametrize('nth, saved, inside', [(1, 0, ''), (3, 2, ''), (5, 1, INSIDE)])
def test_ctrl_c_loses_nothing(script, tmp_path, monkeypatch, whole, nth, saved, inside):
    run = tmp_path / 'parts'
    with monkeypatch.context() as patched:
        interrupt(patched, nth)
        ended = script('fill_in', 'train', *SMALL, '--out', run)
    assert ended.status == 130 and ended.err.count('\n') == 1
    assert f'stopped; {saved} epochs are saved in {run / inside}, go on with: ' in ended.err
    _, _, *flags = shlex.split(ended.err.strip().split('go on with: ')[1])
    assert script('fill_in', *flags).status == 0
    assert_same_runs(run, whole)


def test_killed_between_its_metrics_and_its_checkpoint(script, tmp_path, whole):
    run = tmp_path / 'parts'
    assert script('fill_in', 'train', *SMALL, '--num-epochs', 1, '--no-compare', '--out', run).status == 0
    shutil.copy(run / 'checkpoint.npz', tmp_path)
    assert script('fill_in', 'train', '--out', run, '--resume', '--num-epochs', 2).status == 0
    shutil.copy(tmp_path / 'checkpoint.npz', run)
    assert (run / INSIDE).exists() is False         # --no-compare is remembered
    assert script('fill_in', 'train', '--out', run, '--resume', '--num-epochs', 3, '--compare').status == 0
    assert_same_runs(run, whole)


def test_what_is_refused(script, refused, tmp_path, whole):
    refused('holds a run already', 'fill_in', 'train', *SMALL, '--out', whole)
    refused('--mask-rate is 0.2 in the run', 'fill_in', 'train', '--out', whole, '--resume', '--mask-rate', 0.3)
    refused('does not exist', 'fill_in', 'train', '--out', tmp_path / 'none', '--resume')
    refused('holds no trained network', 'fill_in', 'predict', '分_', '--out', tmp_path / 'none')
    refused('holds no trained network', 'fill_in', 'predict', tmp_path, '分_')
    assert script('fill_in', 'train', *SMALL, '--num-epochs', 1, '--no-compare', '--out', whole, '--overwrite').status == 0
    assert {path.name for path in (whole / INSIDE).iterdir()} <= {'.lock'}      # nothing of the run before


def test_predict_shows_blank_answers(script, whole):
    saved = checkpoint.read(whole / 'best.npz')
    assert ' ' in saved.idx_to_char
    for name in saved.arrays:       # a network that answers nothing but blanks
        saved.arrays[name] = saved.arrays[name] * 0
    saved.arrays['params/dense_bias'][saved.idx_to_char.index(' ')] = 5
    checkpoint.save(whole / 'best.npz', saved)
    answers = [script('fill_in', 'predict', *where, '--candidates', 1).out.splitlines() for where in (
        (whole, '想_有 ␣'), ('想_有 _', '--out', whole), (whole / 'best.npz', '想␣有 _'))]
    assert [[line.split()[0] for line in lines] for lines in answers] == [['想␣有', '␣', '␣']] * 3
    assert all(lines[0] == '想␣有 ␣' for lines in answers)
    assert script('fill_in', 'predict', '想_' * 200, '--out', whole).out.startswith('想␣想␣')


def test_a_network_of_before_is_asked_as_before(script, tmp_path, whole):
    """Its folder held the best epoch as checkpoint.npz, and no best.npz; the command was `ask`."""
    (tmp_path / 'old').mkdir()
    shutil.copy(whole / 'best.npz', tmp_path / 'old' / 'checkpoint.npz')
    assert script('fill_in', 'ask', tmp_path / 'old', '想_有').out == script('fill_in', 'predict', whole, '想_有').out
