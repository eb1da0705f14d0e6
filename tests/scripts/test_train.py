"""scripts/train.py and scripts/generate.py: what they print, leave, refuse, and how they go on."""
from __future__ import annotations

import json
import re
import shutil
import signal
import sys

import _cli
import numpy as np
import pytest
from harness import after_epoch, press

import gluon_rnn
from gluon_rnn.runs import checkpoint
from gluon_rnn.training.loss import evaluate

DETERMINED = ('epoch', 'perplexity', 'grad_norm', 'valid_perplexity')     # what does not depend on the clock


def metrics(folder):
    lines = (folder / 'metrics.jsonl').read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if name in DETERMINED} for line in lines]


def assert_same_end(one, other):
    """The same metrics and the same weights, bit for bit."""
    assert metrics(one) == metrics(other)
    ours, theirs = (checkpoint.read(folder / 'checkpoint.npz') for folder in (one, other))
    assert (ours.epoch, ours.optimizer) == (theirs.epoch, theirs.optimizer)
    assert ours.arrays.keys() == theirs.arrays.keys()
    for name, value in ours.arrays.items():
        np.testing.assert_array_equal(value, theirs.arrays[name], err_msg=name)


def verses(folder):
    return [line for line in (folder / 'samples.txt').read_text().splitlines() if line.startswith(' - ')]


def test_prints_as_the_book_does_and_leaves_a_run(script, small, tmp_path):
    ended = script('train', *small, '--out', tmp_path / 'run', '--valid-fraction', 0.2)
    assert (ended.status, ended.err) == (0, '')
    lines = ended.out.splitlines()[5:]      # the first five are the header's
    assert [bool(re.match(r'epoch \d+, perplexity \d+\.\d{6}, time \d+\.\d\d sec, held-out perplexity \d', line))
            for line in lines] == [True, False, False] * 2 + [False, False]
    assert lines[1].startswith(' - 分开') and len(lines[1]) == len(' - 分开') + 5
    assert {path.name for path in (tmp_path / 'run').iterdir()} == {'config.json', 'metrics.jsonl', 'samples.txt', 'curve.png',
                                                                   'checkpoint.npz', 'best.npz', '.lock'}
    assert (tmp_path / 'run' / 'samples.txt').read_text().splitlines() == lines[:-2]
    assert [line['epoch'] for line in metrics(tmp_path / 'run')] == [1, 2, 3, 4]
    assert (tmp_path / 'run' / 'curve.png').read_bytes().startswith(b'\x89PNG')


def test_who_asks_for_no_implementation_gets_a_fast_one_and_a_run_goes_on_in_its_own(script, small, trained, trained_in, tmp_path,
                                                                                     monkeypatch):
    monkeypatch.chdir(tmp_path)
    unasked = small[:-2]
    assert small[-2:] == ('--impl', 'gluon')
    for flags, impl in (((), 'numba'), (('--cell', 'clockwork'), 'hybrid'), (('--ctx', 'cpu(0),cpu(1)'), 'hybrid')):
        assert script('train', *unasked, '--num-epochs', 1, *flags).status == 0
        run, = (tmp_path / 'runs').iterdir()
        assert run.name.endswith(f'-{impl}-1') and json.loads((run / 'config.json').read_text())['impl'] == impl
        shutil.rmtree(run)
    parts = trained_in(tmp_path / 'parts', '--num-epochs', 2)
    assert script('train', '--out', 'parts', '--resume', '--num-epochs', 4).status == 0
    assert json.loads((parts / 'config.json').read_text())['impl'] == 'gluon'
    assert_same_end(trained(), parts)


def test_a_run_on_the_kernels_goes_on_where_there_are_none(script, small, trained, tmp_path, monkeypatch):
    run = tmp_path / 'run'
    assert script('train', *small, '--impl', 'numba', '--num-epochs', 2, '--out', run).status == 0
    with monkeypatch.context() as without:
        without.setitem(sys.modules, 'numba', None)
        assert script('train', '--out', run, '--resume', '--num-epochs', 3).status == 0
        assert script('generate', run, '--prefix', '分开').status == 0
    assert json.loads((run / 'config.json').read_text())['impl'] == 'hybrid'
    assert script('train', '--out', run, '--resume', '--num-epochs', 4).status == 0
    here, there = ([line['perplexity'] for line in metrics(folder)] for folder in (run, trained('--impl', 'scratch')))
    np.testing.assert_allclose(here, there, rtol=1e-4)


@pytest.mark.parametrize('flags', [
    ('--cell', 'rnn', '--impl', 'scratch', '--activation', 'sigmoid', '--sampling', 'random'),
    ('--cell', 'rnn', '--impl', 'gluon', '--activation', 'relu', '--lr', 1),
    ('--cell', 'lstm', '--num-layers', 2, '--dropout', 0.3, '--optimizer', 'adam'),
    ('--cell', 'gru', '--bidirectional', '--backward-hiddens', 3, '--reset-after', '--sampling', 'random'),
    ('--cell', 'lstm', '--impl', 'gluon', '--num-layers', 2, '--dropout', 0.3, '--optimizer', 'nadam'),
], ids=lambda flags: '-'.join(map(str, flags[1:4:2])))
def test_a_run_in_two_parts_ends_as_one_in_one(script, small, tmp_path, flags):
    script('train', *small, *flags, '--num-epochs', 3, '--out', tmp_path / 'whole')
    first = script('train', *small, *flags, '--num-epochs', 1, '--out', tmp_path / 'parts')
    assert first.status == 0, first.err
    assert script('train', '--out', tmp_path / 'parts', '--resume', '--num-epochs', 3).status == 0
    assert_same_end(tmp_path / 'whole', tmp_path / 'parts')


def test_what_came_after_the_last_checkpoint_is_forgotten_and_done_again(script, trained, trained_in, tmp_path):
    torn = trained_in(tmp_path / 'torn', '--num-epochs', 2)
    for name in ('metrics.jsonl', 'samples.txt'):      # as a kill leaves it just before the checkpoint of epoch 4
        shutil.copy(trained() / name, torn / name)
    (torn / '.checkpoint.npz.part').write_bytes(b'half a checkpoint')
    with open(torn / 'metrics.jsonl', 'a') as file:
        file.write('{"epoch": 5, "digest": "1f')      # a line broken off
    script('train', '--out', torn, '--resume', '--num-epochs', 4)
    assert_same_end(trained(), torn)
    assert verses(trained()) == verses(torn)


def test_ctrl_c_saves_and_says_how_to_go_on(script, small, trained, tmp_path, monkeypatch):
    after_epoch(monkeypatch, 3, press)
    ended = script('train', *small, '--out', tmp_path / 'stopped')
    assert ended.status == 130
    assert f'3 epochs are saved in {tmp_path / "stopped"}, go on with: ' in ended.err
    assert f'scripts/train.py --out {tmp_path / "stopped"} --resume' in ended.err      # also where demo.py was stopped
    monkeypatch.undo()
    script('train', '--out', tmp_path / 'stopped', '--resume')
    assert_same_end(trained(), tmp_path / 'stopped')


@pytest.mark.parametrize('name', ['samples.txt', 'checkpoint.npz'])
def test_ctrl_c_while_a_file_is_written(script, small, trained, tmp_path, monkeypatch, name):
    from gluon_rnn.runs import files
    replace, pressed = files.os.replace, []

    def interrupted(part, path):
        if path.name == name and path.exists() and not pressed:
            pressed.append(path)
            raise KeyboardInterrupt
        replace(part, path)
    monkeypatch.setattr(files.os, 'replace', interrupted)
    assert script('train', *small, '--checkpoint-period', 2, '--out', tmp_path / 'stopped').status == 130
    assert pressed
    monkeypatch.undo()
    assert script('train', '--out', tmp_path / 'stopped', '--resume').status == 0
    assert_same_end(trained(), tmp_path / 'stopped')
    assert verses(trained()) == verses(tmp_path / 'stopped')


def test_what_is_changed_on_resuming_is_kept(script, trained_in, tmp_path):
    trained_in(tmp_path / 'run', '--num-epochs', 1)
    script('train', '--out', tmp_path / 'run', '--resume', '--num-epochs', 2, '--lr', 50)
    assert 'has its 2 epochs already' in script('train', '--out', tmp_path / 'run', '--resume').out
    assert json.loads((tmp_path / 'run' / 'config.json').read_text())['lr'] == 50


@pytest.mark.parametrize(('said', 'name', 'value'), [("num_hiddens is '8'", 'num_hiddens', '8'), ('ctx is 5', 'ctx', 5),
                                                    ('pred_period must be 1 or more, got 0', 'period', 0),
                                                    ('seed is True', 'seed', True)])
def test_a_config_with_a_wrong_value(refused, trained_in, tmp_path, said, name, value):
    trained_in(tmp_path / 'run', '--num-epochs', 1)
    path = tmp_path / 'run' / 'config.json'
    by_hand = {'digest': '', 'format': 'gluon_rnn run 1', name: value}      # as docs/reliability.md says
    path.write_text(json.dumps({k: v for k, v in {**json.loads(path.read_text()), **by_hand}.items() if k != 'digest'}))
    refused(f'config.json is damaged ({said})', 'train', '--out', tmp_path / 'run', '--resume')


def test_held_out_text_too_short_leaves_the_old_run(refused, small, trained_in, tmp_path):
    trained_in(tmp_path / 'run')
    refused('raise --valid-fraction', 'train', *small, '--out', tmp_path / 'run', '--overwrite', '--valid-fraction', 0.01)
    assert len(metrics(tmp_path / 'run')) == 4


def test_held_out_text_of_its_own_file(script, refused, small, trained, tmp_path, monkeypatch):
    """Its characters are known, too; the text to train on is whole; a change of it is told."""
    (tmp_path / 'held-out.txt').write_text('分开 ' * 30 + '\N{SNOWMAN}')
    monkeypatch.chdir(tmp_path)
    ended = script('train', *small, '--out', tmp_path / 'run', '--valid-text', 'held-out.txt')
    assert ended.status == 0 and 'held-out perplexity' in ended.out
    saved = checkpoint.read(tmp_path / 'run' / 'checkpoint.npz')
    assert saved.idx_to_char[-1] == '\N{SNOWMAN}'
    assert metrics(tmp_path / 'run')[-1]['valid_perplexity'] == pytest.approx(evaluate(
        saved.model(), gluon_rnn.Corpus.from_text('分开 ' * 30 + '\N{SNOWMAN}', saved.idx_to_char).indices, 8, 8), rel=1e-6)
    assert metrics(tmp_path / 'run')[0]['perplexity'] == pytest.approx(metrics(trained())[0]['perplexity'], rel=0.05)
    (tmp_path / 'held-out.txt').write_text('分开' * 60)
    monkeypatch.chdir(tmp_path.parent)
    refused('has changed since', 'train', '--out', tmp_path / 'run', '--resume')
    refused('exclude each other', 'train', *small, '--valid-text', 'lyrics', '--valid-fraction', 0.1)
    refused('plateau needs held-out text', 'train', *small, '--lr-schedule', 'plateau')


def test_a_schedule_goes_on_where_it_was_stopped(script, small, tmp_path, monkeypatch):
    flags = ('--lr-schedule', 'cosine', '--warmup', 7)
    script('train', *small, *flags, '--out', tmp_path / 'whole')
    after_epoch(monkeypatch, 2, press)
    script('train', *small, *flags, '--out', tmp_path / 'stopped')
    monkeypatch.undo()
    assert script('train', '--out', tmp_path / 'stopped', '--resume').status == 0
    assert_same_end(tmp_path / 'whole', tmp_path / 'stopped')
    rates = [json.loads(line)['lr'] for line in (tmp_path / 'stopped' / 'metrics.jsonl').read_text().splitlines()]
    assert rates[0] == pytest.approx(100 * 6 / 7) and rates[-1] < 10


def test_a_loss_that_turns_nan_stops_and_keeps_the_last_good_model(refused, small, tmp_path, monkeypatch):
    def poison(trainer):
        trainer.model.parameters()['dense_bias'][:] = float('nan')
    after_epoch(monkeypatch, 2, poison)
    refused('no longer finite in epoch 3, step 1', 'train', *small, '--out', tmp_path / 'run')
    assert checkpoint.read(tmp_path / 'run' / 'checkpoint.npz').epoch == 2


@pytest.mark.parametrize(('said', 'flags'), [
    ("--corpus 'nowhere.txt' is neither a file nor one of lyrics, jaychou, time_machine", ('--corpus', 'nowhere.txt')),
    ('must be from 0 to below 1', ('--valid-fraction', 1)),
    ('--max-chars must be 0', ('--max-chars', -1)),
    ('needs a text of at least', ('--batch-size', 300)),
    ("'Q' is not in the vocabulary", ('--prefix', '分Q')),
    ('a prefix is empty', ('--prefix', '')),
    ('--num-hiddens must be 1 or more, got 0', ('--num-hiddens', 0)),
    ('--num-layers must be 1 or more, got -1', ('--num-layers', -1)),
    ('--num-steps must be 1 or more, got 0', ('--num-steps', 0)),
    ('--num-epochs must be 1 or more, got 0', ('--num-epochs', 0)),
    ('--batch-size must be 1 or more, got -4', ('--batch-size', -4)),
    ('--pred-len must be 1 or more, got 0', ('--length', 0)),
    ('--pred-period must be 1 or more, got 0', ('--pred-period', 0)),
    ('--lr must be above 0, got 0.0', ('--lr', 0)),
    ('--lr must be above 0, got nan', ('--lr', 'nan')),
    ('--clipping-theta must be 0 (no clipping) or more', ('--clipping-theta', -1)),
    ('--seed must be from 0', ('--seed', -1)),
    ("--optimizer must be one of adadelta, ", ('--optimizer', 'sgdd')),
    ('--dropout acts between layers', ('--dropout', 0.5)),
    ('the held-out text has 4 characters', ('--valid-fraction', 0.01)),
    ('MXNet sees no GPUs: use --ctx cpu', ('--ctx', 'gpu')),
    ("--ctx must be 'auto', 'cpu', 'gpu'", ('--ctx', 'tpu')),
    ("--activation 'relu' needs cell rnn", ('--activation', 'relu')),
    ("gluon.rnn's GRU always resets after", ('--impl', 'gluon', '--no-reset-after')),
    ("argument --cell: invalid choice: 'cnn'", ('--cell', 'cnn')),
    ('unrecognized arguments: --epochs', ('--epochs', 3)),
])
def test_bad_flags(refused, small, tmp_path, said, flags):
    refused(said, 'train', *small, '--out', tmp_path / 'run', *flags)
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(('said', 'data'), [('is empty', b''), ('is not UTF-8 text (byte 3)', b'abc' + b'\xff\xfe')])
def test_bad_texts(refused, small, tmp_path, said, data):
    (tmp_path / 'text.txt').write_bytes(data)
    refused(said, 'train', *small, '--corpus', tmp_path / 'text.txt', '--out', tmp_path / 'run')


def test_a_folder_is_never_overwritten_unless_told(script, refused, small, trained_in, tmp_path):
    run = trained_in(tmp_path / 'run')
    before = (run / 'checkpoint.npz').read_bytes()
    refused('holds a run already', 'train', *small, '--out', run)
    refused('--seed is 0 in the run', 'train', '--out', run, '--resume', '--seed', 5)
    assert (run / 'checkpoint.npz').read_bytes() == before
    assert 'has its 4 epochs already' in script('train', '--out', run, '--resume').out
    script('train', *small, '--seed', 5, '--num-epochs', 1, '--out', run, '--overwrite')
    assert (run / 'checkpoint.npz').read_bytes() != before
    (run / 'thesis.tex').write_text('years of work')
    refused('holds files that are not a run (thesis.tex)', 'train', *small, '--out', run, '--overwrite')
    assert (run / 'thesis.tex').exists()


def test_two_runs_in_one_folder(refused, small, tmp_path):
    from gluon_rnn.runs.folder import RunFolder
    with RunFolder(tmp_path / 'run'):
        refused('another run is writing in', 'train', *small, '--out', tmp_path / 'run')


def test_resuming_what_cannot_be(refused, trained, trained_in, tmp_path):
    refused('--resume needs --out', 'train', '--resume')
    refused('does not exist', 'train', '--out', tmp_path / 'nowhere', '--resume')
    run = trained_in(tmp_path / 'run')
    good = (run / 'checkpoint.npz').read_bytes()
    (run / 'checkpoint.npz').write_bytes(good[:len(good) // 2])
    refused('is not a whole checkpoint', 'train', '--out', run, '--resume', '--num-epochs', 9)
    shutil.copy(trained('--num-hiddens', 9, '--num-epochs', 1) / 'checkpoint.npz', run)
    refused('is of another model than its config.json', 'train', '--out', run, '--resume', '--num-epochs', 9)
    (run / 'checkpoint.npz').write_bytes(good)
    (run / 'metrics.jsonl').write_text('{"epoch": 1, "perplexity": ')
    refused('metrics.jsonl has 0 of the 4 epochs', 'train', '--out', run, '--resume', '--num-epochs', 9)
    (run / 'metrics.jsonl').write_text('{"epoch": 1, "perplexity": \n')
    refused('metrics.jsonl is damaged', 'train', '--out', run, '--resume', '--num-epochs', 9)
    (run / 'config.json').write_text('{')
    refused('config.json is damaged', 'train', '--out', run, '--resume')


def test_a_text_that_changed_is_not_gone_on_with(script, refused, small, tmp_path):
    text = tmp_path / 'text.txt'
    text.write_text('从前有座山 山里有座庙 ' * 40, encoding='utf-8')
    run = tmp_path / 'run'
    assert script('train', *small, '--num-epochs', 1, '--corpus', text, '--out', run).status == 0
    assert '从前有座山' in (run / 'samples.txt').read_text()      # the text's own first characters, as it has no 分开
    text.write_text('从前有座山 山里没有庙 ' * 40, encoding='utf-8')
    refused('has changed since the run started', 'train', '--out', run, '--resume', '--num-epochs', 9)


def test_generate(script, refused, trained, tmp_path):
    run = trained()
    last = (run / 'samples.txt').read_text().splitlines()[-2:]
    ended = script('generate', run, '--prefix', '分开', '--prefix', '不分开', '--length', 5)
    assert [f' - {line}' for line in ended.out.splitlines()] == last
    drawn = [script('generate', run, '--prefix', '分', '--temperature', 2, '--seed', seed).out for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(script('generate', run / 'checkpoint.npz', '--prefix', '分', '--top-k', 3, '--length', 7).out) == 9
    refused('is neither a run with a checkpoint nor a checkpoint', 'generate', tmp_path / 'nowhere', '--prefix', '分')
    refused('is not a whole checkpoint', 'generate', run / 'config.json', '--prefix', '分')
    refused("'Q' is not in the vocabulary", 'generate', run, '--prefix', 'Q')
    refused("prefix 'Q': 'Q' is not", 'generate', run, '--prefix', 'Q')
    refused('--temperature must be 0 (greedy) or more', 'generate', run, '--prefix', '分', '--temperature', -1)
    refused('--top-k must be 1 or more', 'generate', run, '--prefix', '分', '--top-k', 0)
    refused('--pred-len must be 0 or more, got -1', 'generate', run, '--prefix', '分', '--length', -1)


def test_generation_does_not_depend_on_the_implementation(trained):
    saved = checkpoint.read(trained('--cell', 'lstm') / 'checkpoint.npz')
    twin = gluon_rnn.build_model(gluon_rnn.ModelConfig(**{**vars(saved.config), 'impl': 'gluon'}))
    gluon_rnn.copy_params(saved.model(), twin)
    written = [gluon_rnn.generate(model, saved.idx_to_char, '分开', 20) for model in (saved.model(), twin)]
    assert written[0] == written[1]


def test_ctrl_c_that_python_loses_is_asked_for_again(script, small, tmp_path, monkeypatch):
    """A KeyboardInterrupt raised in an object's __del__ is only reported, and the training would go on."""
    def lose(trainer):
        _cli.stop_on_sigterm(at_once=False)     # remembers the signal, and raises nothing
        signal.raise_signal(signal.SIGTERM)
    after_epoch(monkeypatch, 2, lose)
    ended = script('train', *small, '--out', tmp_path / 'run')
    assert ended.status == 130 and '2 epochs are saved' in ended.err
