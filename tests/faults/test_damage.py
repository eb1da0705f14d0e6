"""Files that are read back, cut or changed at random places: refused in one line, or read right, never wrong silently."""
from __future__ import annotations

import collections
import json
import random
import shutil

import compare_d2lzh
import harness
import numpy as np
import pytest
import torch

import gluon_rnn
from gluon_rnn.book import results
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.folder import read_config, read_metrics
from gluon_rnn.torch_parity import model_file, modules

RUN_FILES = ('config.json', 'metrics.jsonl', 'checkpoint.npz')


def cut(data, rng):
    """The end is missing, as a copy broken off leaves it."""
    return data[:rng.randrange(len(data))]


def bit(data, rng):
    """One bit is the other."""
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]


def byte(data, rng):
    """One byte is any other; in a figure, a digit as often as not."""
    at = rng.randrange(len(data))
    other = rng.choice(b'0123456789') if data[at] in b'0123456789' and rng.random() < 0.7 else rng.randrange(256)
    return data[:at] + bytes([other]) + data[at + 1:]


def block(data, rng):
    """Zeros where a sector was."""
    at = rng.randrange(len(data))
    return data[:at] + bytes(len(data[at:at + 512])) + data[at + 512:]


def lost(data, rng):
    """A piece in the middle is missing."""
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randint(1, 200):]


def twice(data, rng):
    """A piece is there twice."""
    at = rng.randrange(len(data))
    return data[:at] + data[at:at + rng.randint(1, 200)] + data[at:]


DAMAGES = (cut, bit, byte, byte, block, lost, twice)


def damaged(data, rng):
    """The data with one damage, which has changed it, and the damage's name."""
    while True:
        damage = rng.choice(DAMAGES)
        other = damage(data, rng)
        if other != data:
            return other, damage.__name__


@pytest.fixture(scope='module')
def runs(trained, run_script, tmp_path_factory):
    """A run of 4 epochs, and the same one gone on with for another."""
    four = trained('--optimizer', 'adam', '--valid-fraction', 0.2)
    five = shutil.copytree(four, tmp_path_factory.mktemp('runs') / 'five')
    run_script('train', '--out', five, '--resume', '--num-epochs', 5)
    return four, five


def read(folder):
    """All that a run folder says."""
    saved = checkpoint.read(folder / 'checkpoint.npz')
    return (read_config(folder), read_metrics(folder), saved.config, saved.idx_to_char, saved.epoch, saved.optimizer,
            {name: (value.dtype, value.shape, value.tobytes()) for name, value in saved.arrays.items()})


@pytest.mark.slow
@pytest.mark.parametrize('name', RUN_FILES)
def test_a_run(runs, script, tmp_path, seed, count, tally, name):
    four, five = runs
    content, data = read(four), (four / name).read_bytes()
    rng, outcomes = random.Random(seed), collections.Counter()
    for i in range(count(60, 210)):
        other, kind = damaged(data, rng)
        folder = tmp_path / f'{i}'
        shutil.copytree(four, folder)
        (folder / name).write_bytes(other)
        try:
            found = read(folder)
        except ValueError as error:
            found, said = None, str(error)
            assert str(folder / name) in said and '\n' not in said, said
            outcomes['refused'] += 1
        else:       # as a cut behind the last figure, or another space in the JSON
            if name == 'metrics.jsonl':     # all of the lines, or only the first of them, as a run killed there would have
                assert found[1] == content[1][:len(found[1])], (kind, i)
                found = (found[0], content[1], *found[2:])
            assert found == content, (kind, i)
            outcomes['read right'] += 1
        if found is not None or i % count(6, 2) == 0:       # and so says the command
            ended = script('train', '--out', folder, '--resume', '--num-epochs', 5)
            if ended.status == 0:
                assert found is not None
                harness.assert_same_end(folder, five)
            else:
                assert ended.status == 2 and len(ended.err.splitlines()) == 1 and name in ended.err, ended.err
        shutil.rmtree(folder)
    assert outcomes['refused'] > outcomes['read right']
    tally(f'`{name}` cut, or a bit, a byte, a sector or a piece of it changed, at a random place', outcomes)


@pytest.mark.slow
def test_an_exported_model(tmp_path, seed, count, tally):
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(vocab_size=30, num_hiddens=6))
    model_file.export(model, [chr(0x4e00 + i) for i in range(30)], tmp_path / 'model.pt')
    data = (tmp_path / 'model.pt').read_bytes()

    def content():
        twin, vocabulary = modules.load_model(tmp_path / 'model.pt')
        return twin.settings, vocabulary, {name: value.numpy().tobytes() for name, value in twin.state_dict().items()}

    whole, rng, outcomes = content(), random.Random(seed), collections.Counter()
    for i in range(count(100, 400)):
        other, kind = damaged(data, rng)
        (tmp_path / 'model.pt').write_bytes(other)
        try:
            found = content()
        except ValueError as error:
            assert str(tmp_path / 'model.pt') in str(error) and '\n' not in str(error)
            outcomes['refused'] += 1
        else:
            assert found == whole, (kind, i)
            outcomes['read right'] += 1
    assert outcomes['refused'] > 10
    tally('an exported PyTorch file, the same', outcomes)


@pytest.mark.slow
def test_layers_json(runs, tmp_path, seed, count, tally):
    """What the report of a reproduction reads back beside the runs."""
    target = tmp_path / '6.9' / 'layers-2'
    shutil.copytree(runs[0], target)
    results.write_layers(target)
    path = target / 'layers.json'
    data, whole = path.read_bytes(), results.read_layers(path)
    assert set(whole) == {'untrained', 'trained'} and all(len(norms) == 1 for norms in whole.values())
    check(path, data, lambda: results.read_layers(path), whole, random.Random(seed), count, tally)


@pytest.mark.slow
def test_learning_json(tmp_path, seed, count, tally):
    """What compare_d2lzh.py reads back, to compute no figure twice."""
    for number in range(3):
        compare_d2lzh.save_figures(tmp_path, f'gru-consecutive/d2lzh/{number}', {40: 151.25 + number, 160: 1.75})
    path = tmp_path / 'learning.json'
    data, whole = path.read_bytes(), compare_d2lzh.saved_figures(tmp_path)
    assert whole['gru-consecutive/d2lzh/1'] == {'40': 152.25, '160': 1.75}
    check(path, data, lambda: compare_d2lzh.saved_figures(tmp_path), whole, random.Random(seed), count, tally)


def check(path, data, reader, whole, rng, count, tally):
    outcomes = collections.Counter()
    for i in range(count(100, 400)):
        other, kind = damaged(data, rng)
        path.write_bytes(other)
        try:
            found = reader()
        except ValueError as error:
            assert str(path) in str(error) and '\n' not in str(error), error
            outcomes['refused'] += 1
        else:
            assert found == whole, (kind, i)
            outcomes['read right'] += 1
    assert outcomes['refused'] > outcomes['read right']
    tally(f'`{path.name}`, the same', outcomes)


def test_digests_are_where_a_reader_sees_them(trained):
    config = json.loads((trained() / 'config.json').read_text(encoding='utf-8'))
    lines = [json.loads(line) for line in (trained() / 'metrics.jsonl').read_text().splitlines()]
    assert all(len(written['digest']) == 16 for written in (config, *lines))
    assert [line['epoch'] for line in lines] == [1, 2, 3, 4]


def test_a_changed_digit_is_refused(script, refused, trained_in, tmp_path):
    trained_in(tmp_path / 'run', '--num-epochs', 2)
    for name, before in (('config.json', '"lr": '), ('metrics.jsonl', '"perplexity": ')):
        path = tmp_path / 'run' / name
        text = path.read_text(encoding='utf-8')
        at = text.rindex(before) + len(before)
        path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1:], encoding='utf-8')
        refused(f'{path} is damaged', 'train', '--out', tmp_path / 'run', '--resume', '--num-epochs', 3)
        path.write_text(text, encoding='utf-8')
    assert script('train', '--out', tmp_path / 'run', '--resume', '--num-epochs', 3).status == 0


def test_what_is_changed_by_hand_on_purpose_is_taken(script, refused, trained_in, tmp_path):
    run = trained_in(tmp_path / 'run', '--num-epochs', 2)
    path = run / 'config.json'
    config = {**json.loads(path.read_text(encoding='utf-8')), 'lr': 50.0}
    path.write_text(json.dumps(config), encoding='utf-8')
    refused('where you have changed it, set "digest" to null', 'train', '--out', run, '--resume', '--num-epochs', 3)
    path.write_text(json.dumps({**config, 'digest': None}), encoding='utf-8')
    assert script('train', '--out', run, '--resume', '--num-epochs', 3).status == 0
    assert read_config(run).lr == 50.0


def test_figures_of_an_older_version_need_not_be_computed_again(refused, tmp_path):
    """They took hours, and have no digest."""
    path, figures = tmp_path / 'learning.json', {'rnn-random/gluon_rnn/0': {'250': 1.5}}
    path.write_text(json.dumps(figures))
    refused('it has no digest; where you made it, or an older version did, add "digest": null', 'compare_d2lzh', 'rnn-random',
            '--sides', 'gluon_rnn', '--seeds', 0, '--out', tmp_path)
    path.write_text(json.dumps({**figures, 'digest': None}))
    assert compare_d2lzh.saved_figures(tmp_path) == figures
    path.write_text('{"rnn-random/gluon_rnn/0": 1.5, "digest": null}')
    refused('it is of another format', 'compare_d2lzh', 'rnn-random', '--out', tmp_path)


def test_a_folder_of_an_older_version_has_no_digests_and_gets_them(script, trained_in, tmp_path):
    for name in ('old', 'new'):
        trained_in(tmp_path / name, '--num-epochs', 2)
    assert script('train', '--out', tmp_path / 'new', '--resume', '--num-epochs', 3).status == 0
    config = tmp_path / 'old' / 'config.json'
    old = {name: value for name, value in json.loads(config.read_text(encoding='utf-8')).items() if name != 'digest'}
    config.write_text(json.dumps({**old, 'format': 'gluon_rnn run 1'}), encoding='utf-8')
    metrics = tmp_path / 'old' / 'metrics.jsonl'
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    metrics.write_text(''.join(json.dumps({k: v for k, v in line.items() if k != 'digest'}) + '\n' for line in lines))
    assert script('train', '--out', tmp_path / 'old', '--resume', '--num-epochs', 3).status == 0
    harness.assert_same_end(tmp_path / 'old', tmp_path / 'new')
    assert config.read_text() == (tmp_path / 'new' / 'config.json').read_text()
    assert metrics.read_text().count('"digest"') == 3


def test_a_report_of_metrics_that_miss_their_end(runs, tmp_path):
    """A file cut between two lines is whole in itself; the checkpoint knows better."""
    shutil.copytree(runs[0], tmp_path / '6.7' / 'scratch')
    path = tmp_path / '6.7' / 'scratch' / 'metrics.jsonl'
    path.write_bytes(b''.join(path.read_bytes().splitlines(keepends=True)[:2]))
    with pytest.raises(ValueError, match='has 2 of the 4 epochs'):
        results.read_results(tmp_path)


def test_a_checkpoint_that_would_unpack_to_more_than_it_is(tmp_path):
    """Ours are not compressed; one that is may be a bomb."""
    np.savez_compressed(tmp_path / 'checkpoint.npz', description=np.zeros(10 ** 6, np.uint8))
    with pytest.raises(ValueError, match=r'is not a whole checkpoint .*compressed'):
        checkpoint.read(tmp_path / 'checkpoint.npz')


def test_torch_is_only_asked_for_weights(tmp_path):
    torch.save({'format': modules.FORMAT, 'settings': {}}, tmp_path / 'model.pt')
    with pytest.raises(ValueError, match=r'model\.pt'):
        modules.load_model(tmp_path / 'model.pt')
