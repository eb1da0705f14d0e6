"""Runs with held-out text: the best epoch beside the last, patience, and who reads which."""
import json
import shutil

import numpy as np
import pytest
from harness import after_epoch, assert_same_end, press, result

from gluon_rnn.runs import checkpoint, folder

HELD_OUT = ('--valid-fraction', 0.2, '--num-epochs', 8, '--checkpoint-period', 3, '--optimizer', 'adamw', '--weight-decay', 0.1,
            '--lr', 0.01)      # so fast that an early epoch is the best


def held_out(run):
    return [line[3] for line in result(run)[0]]


def best_of(run):
    return int(np.argmin(held_out(run))) + 1


@pytest.fixture(scope='session')
def run(trained):
    """The folder of an uninterrupted run, to be read."""
    assert 1 < best_of(trained(*HELD_OUT)) < 8
    return trained(*HELD_OUT)


def test_the_best_epoch_is_kept_and_told(script, small, run, tmp_path):
    best = best_of(run)
    kept = checkpoint.read(run / 'best.npz')
    assert kept.epoch == best and all(name.startswith('params/') for name in kept.arrays)
    ended = script('train', *small, *HELD_OUT, '--num-epochs', best, '--out', tmp_path / 'shorter')
    assert f'best on held-out text: epoch {best}, perplexity ' in ended.out
    for name, value in checkpoint.read(tmp_path / 'shorter' / 'checkpoint.npz').arrays.items():
        if name in kept.arrays:
            np.testing.assert_array_equal(kept.arrays[name], value)


def test_who_reads_takes_the_best_where_there_is_one(script, refused, trained, run, tmp_path):
    out, best = run, best_of(run)
    written = {}
    for which, epoch in ((None, best), ('best', best), ('last', 8)):
        flags = ('--which', which) if which else ()
        ended = script('generate', out, '--prefix', '分开', *flags)
        assert (ended.status, ended.err) == (0, f'{out}: epoch {epoch}\n')
        written[which] = ended.out
        ended = script('export', out, '--format', 'html', '--out', tmp_path / 'page.html', '--overwrite', *flags)
        assert (ended.status, ended.err) == (0, f'{out}: epoch {epoch}\n')
        written[which] += (tmp_path / 'page.html').read_text()
    assert written[None] == written['best'] != written['last']
    assert f'{out}: epoch 8' in script('look', out, '--text', '分开 ', '--which', 'last', '--out', tmp_path / 'look').err
    ended = script('generate', trained(), '--prefix', '分开', '--which', 'last')
    assert (ended.status, ended.err) == (0, '')
    refused('has no best.npz, for it was trained without held-out text', 'generate', trained(), '--prefix', '分',
            '--which', 'best')
    refused('--which last needs the folder of a run', 'generate', out / 'best.npz', '--prefix', '分', '--which', 'last')
    refused('--which best needs the folder of a run', 'generate', tmp_path / 'exported.onnx', '--prefix', '分', '--which', 'best')


@pytest.mark.parametrize('epoch', [1, 3, 4, 7])     # before a checkpoint, at one, and after it; the best behind and ahead
def test_a_run_in_two_parts_keeps_the_same_best(script, small, run, tmp_path, monkeypatch, epoch):
    with monkeypatch.context() as pressed:
        after_epoch(pressed, epoch, press)
        assert script('train', *small, *HELD_OUT, '--out', tmp_path / 'parts').status == 130
    assert script('train', '--out', tmp_path / 'parts', '--resume').status == 0
    assert_same_end(run, tmp_path / 'parts')


@pytest.mark.parametrize('moment', ['before the checkpoint', 'after it'])
def test_a_kill_between_the_two_files_loses_neither(script, small, run, tmp_path, monkeypatch, moment):
    """The folder as it is at that moment, gone on with."""
    save = checkpoint.save

    def seen(path, state):
        if moment == 'after it':
            save(path, state)
        if path.name == 'checkpoint.npz' and state.epoch >= best_of(run) and not (tmp_path / 'killed').exists():
            assert list(path.parent.glob('.best*'))
            shutil.copytree(path.parent, tmp_path / 'killed')
        if moment != 'after it':
            save(path, state)
    monkeypatch.setattr(folder.checkpoint, 'save', seen)
    script('train', *small, *HELD_OUT, '--out', tmp_path / 'other')
    monkeypatch.undo()
    assert script('train', '--out', tmp_path / 'killed', '--resume').status == 0
    assert_same_end(run, tmp_path / 'killed')


def test_patience_ends_a_run_and_more_of_it_goes_on(script, refused, small, run, tmp_path):
    best, patient = best_of(run), tmp_path / 'patient'
    ended = script('train', *small, *HELD_OUT, '--patience', 1, '--out', patient)
    last = next(i for i in range(1, 8) if held_out(run)[i] >= min(held_out(run)[:i])) + 1
    assert ended.status == 0
    assert f'stopped after epoch {last}: none of the last 1 was better on held-out text' in ended.out
    assert held_out(patient) == held_out(run)[:last]
    assert (patient / 'samples.txt').read_text().count(f'epoch {last},') == 1
    assert 'raise --patience' in script('train', '--out', patient, '--resume').out
    assert script('train', '--out', patient, '--resume', '--patience', 100).status == 0
    assert held_out(patient) == held_out(run) and checkpoint.read(patient / 'best.npz').epoch == best
    refused('patience needs held-out text', 'train', *small, '--patience', 2)


def test_a_plateau_goes_on_where_it_was_stopped(script, small, tmp_path, monkeypatch):
    flags = (*small, *HELD_OUT, '--lr-schedule', 'plateau')
    script('train', *flags, '--out', tmp_path / 'whole')
    rates = [json.loads(line)['lr'] for line in (tmp_path / 'whole' / 'metrics.jsonl').read_text().splitlines()]
    assert rates[0] == 0.01 and rates[-1] < 0.01
    with monkeypatch.context() as pressed:
        after_epoch(pressed, 6, press)
        script('train', *flags, '--out', tmp_path / 'parts')
    script('train', '--out', tmp_path / 'parts', '--resume')
    assert_same_end(tmp_path / 'whole', tmp_path / 'parts')


def test_a_new_run_in_the_folder_of_an_old_one_takes_nothing_over(script, small, run, tmp_path):
    folder = shutil.copytree(run, tmp_path / 'run')
    assert script('train', *small, '--num-epochs', 1, '--out', folder, '--overwrite').status == 0
    assert not (folder / 'best.npz').exists()
