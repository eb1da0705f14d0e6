"""scripts/train.py --init-from, --tensorboard, and what metrics.jsonl holds."""
import json
import math
import shutil

import pytest
from harness import after_epoch, assert_same_end, press

from gluon_rnn.runs import checkpoint

OTHER = '分开 XYZ 再分开 ' * 40


@pytest.fixture
def old(trained_in, tmp_path):
    (tmp_path / 'other.txt').write_text(OTHER)
    return trained_in(tmp_path / 'old', '--cell', 'lstm', '--num-layers', 2, '--valid-fraction', 0.2)


def begun(tmp_path, small, old, out='new'):
    pairs = [pair for pair in zip(small[::2], small[1::2]) if pair[0] not in ('--corpus', '--max-chars', '--num-hiddens')]
    kept = [flag for pair in pairs for flag in pair]
    return ('train', *kept, '--corpus', tmp_path / 'other.txt', '--init-from', old, '--out', tmp_path / out)


def test_a_run_begins_with_another(script, refused, small, tmp_path, old):
    ended = script(*begun(tmp_path, small, old))
    assert ended.status == 0, ended.err
    before, after = (checkpoint.read(run / 'checkpoint.npz') for run in (old, tmp_path / 'new'))
    best = checkpoint.read(old / 'best.npz')
    known = len(before.idx_to_char)
    added = sorted(set(OTHER) - set(before.idx_to_char))
    assert after.idx_to_char == (*before.idx_to_char, *added)
    assert (f'begins with: {old}, epoch {best.epoch}, all weights of its {known} characters; {len(added)} of this text are new'
            in ended.out)
    assert (after.config.cell, after.config.num_layers, after.config.num_hiddens) == ('lstm', 2, 8)
    scratch = script('train', *small, '--cell', 'lstm', '--num-layers', 2, '--corpus', tmp_path / 'other.txt', '--max-chars', 0,
                     '--num-epochs', 1, '--out', tmp_path / 'anew')
    assert scratch.status == 0
    refused('--num-hiddens is 8 in the run to begin with, got 9', *begun(tmp_path, small, old, 'not'), '--num-hiddens', 9)
    refused('is neither a run', *begun(tmp_path, small, tmp_path / 'nowhere', 'not'))


@pytest.mark.parametrize('epoch', [0, 1])
def test_it_goes_on_bit_for_bit_even_without_the_run_it_began_with(script, small, tmp_path, old, monkeypatch, epoch):
    script(*begun(tmp_path, small, old))
    with monkeypatch.context() as stopped:
        after_epoch(stopped, epoch, press)
        assert script(*begun(tmp_path, small, old, 'parts')).status == 130
    shutil.rmtree(old)
    assert script('train', '--out', tmp_path / 'parts', '--resume').status == 0
    assert_same_end(tmp_path / 'new', tmp_path / 'parts')


def test_figures_in_nats_and_bits(script, small, tmp_path, old):
    lines = [json.loads(line) for line in (old / 'metrics.jsonl').read_text().splitlines()]
    for line in lines:
        for before in ('', 'valid_'):
            assert line[f'{before}loss'] == math.log(line[f'{before}perplexity'])
            assert line[f'{before}bits_per_char'] == pytest.approx(line[f'{before}loss'] / math.log(2))
    assert script('train', '--out', old, '--resume', '--num-epochs', 5).status == 0


def test_tensorboard_follows_a_run_that_is_gone_on_with(script, small, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    script('train', *small, '--tensorboard', '--out', tmp_path / 'run')
    script('train', '--out', tmp_path / 'run', '--resume', '--num-epochs', 6)
    read = EventAccumulator(str(tmp_path / 'run')).Reload()
    wanted = [json.loads(line)['perplexity'] for line in (tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()]
    assert [e.step for e in read.Scalars('perplexity/train')] == [1, 2, 3, 4, 5, 6]
    assert [e.value for e in read.Scalars('perplexity/train')] == pytest.approx(wanted)
