"""scripts/classify_digits.py: its run's folder, going on, its table, and naming digits."""
from __future__ import annotations

import functools
import json
import shlex
import shutil
import sys

import classify_digits
import numpy as np
import pytest
from harness import assert_same_task
from PIL import Image

from gluon_rnn.corpora.images import ImageBatches, Images, as_text, load_images, read_image
from gluon_rnn.models.classifier import confusion_table
from gluon_rnn.plots import plot_confusion
from gluon_rnn.runs import checkpoint, digits
from gluon_rnn.runs.digits import DigitsFolder

SMALL = ('--cell', 'gru', '--impl', 'gluon', '--num-layers', 2, '--dropout', 0.2, '--num-hiddens', 4, '--num-epochs', 3,
         '--ctx', 'cpu')


@functools.cache
def few(name='digits'):
    """A hundred images to learn from and the first forty test images."""
    train, test = load_images(name)
    return Images(train.X[:100], train.y[:100]), Images(test.X[:40], test.y[:40])


def hurry(patched):
    """Few images, and few of those misread in the picture, of which each is axes of its own."""
    for module in (digits, classify_digits):
        patched.setattr(module, 'load_images', few)
    patched.setattr(classify_digits, 'plot_confusion', functools.partial(plot_confusion, most=1))


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    hurry(monkeypatch)


@pytest.fixture(scope='module')
def finished(tmp_path_factory, run_script):
    """The folder of an uninterrupted run."""
    run = tmp_path_factory.mktemp('digits') / 'whole'
    with pytest.MonkeyPatch.context() as patched:
        hurry(patched)
        run_script('classify_digits', *SMALL, '--out', run)
    return run


@pytest.fixture
def whole(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / 'whole')


def interrupt(monkeypatch, epoch, step):
    """Press Ctrl-C before this step of that epoch."""
    batches = ImageBatches.batches

    def until(self, number):
        for i, batch in enumerate(batches(self, number), 1):
            if (number, i) == (epoch, step):
                raise KeyboardInterrupt
            yield batch
    monkeypatch.setattr(ImageBatches, 'batches', until)


def test_leaves_a_run(whole):
    assert {path.name for path in whole.iterdir()} == {*DigitsFolder.files, '.lock'}
    lines = [json.loads(line) for line in (whole / 'metrics.jsonl').read_text().splitlines()]
    assert [line['epoch'] for line in lines] == [1, 2, 3]
    assert all({'loss', 'accuracy', 'seconds', 'digest'} <= line.keys() and 'bits_per_char' not in line for line in lines)
    assert json.loads((whole / 'config.json').read_text())['images_sha256']
    with np.load(whole / 'checkpoint.npz', allow_pickle=False) as arrays:
        assert len(arrays.files) > 5 and not any(array.dtype.hasobject for array in arrays.values())


@pytest.mark.parametrize('epoch, step', [(1, 2), (2, 3), (3, 1)])
def test_ctrl_c_loses_nothing(script, tmp_path, monkeypatch, whole, epoch, step):
    run = tmp_path / 'parts'
    with monkeypatch.context() as patched:
        interrupt(patched, epoch, step)
        ended = script('classify_digits', *SMALL, '--out', run)
    assert ended.status == 130 and ended.err.count('\n') == 1, ended.err
    assert 'go on with: ' in ended.err, ended.err
    said, command = ended.err.strip().split('go on with: ')
    assert f'stopped; {epoch - 1} epochs are saved in {run}' in said
    assert (run / 'checkpoint.npz').exists() == (epoch > 1)
    python, _, *flags = shlex.split(command)
    assert python == sys.executable and script('classify_digits', *flags).status == 0
    assert_same_task(run, whole)


def test_killed_between_its_metrics_and_its_checkpoint(script, tmp_path, whole):
    run = tmp_path / 'parts'
    assert script('classify_digits', *SMALL, '--num-epochs', 1, '--out', run).status == 0
    shutil.copy(run / 'checkpoint.npz', tmp_path)
    assert script('classify_digits', '--out', run, '--resume', '--num-epochs', 2).status == 0
    shutil.copy(tmp_path / 'checkpoint.npz', run)
    ended = script('classify_digits', '--out', run, '--resume', '--num-epochs', 3)
    assert ended.status == 0 and f'going on after epoch 1 of {run}' in ended.out
    assert_same_task(run, whole)


def test_what_is_refused(script, refused, tmp_path, monkeypatch, whole, small):
    before = (whole / 'checkpoint.npz').read_bytes()
    refused('holds a run already', 'classify_digits', *SMALL, '--out', whole)
    refused('--cell is \'gru\' in the run to go on with', 'classify_digits', '--out', whole, '--resume', '--cell', 'lstm')
    refused('exclude each other', 'classify_digits', '--out', whole, '--resume', '--overwrite')
    refused('does not exist', 'classify_digits', '--out', tmp_path / 'none', '--resume')
    refused('holds a classifier', 'generate', whole)
    refused('config.json is damaged (it is of another format)', 'train', '--out', without_picture(whole, tmp_path), '--resume')
    train, test = few()
    with monkeypatch.context() as patched:
        patched.setattr(digits, 'load_images', lambda name: (Images(1 - train.X, train.y), test))
        refused('the images digits have changed', 'classify_digits', '--out', whole, '--resume', '--num-epochs', 4)
    assert (whole / 'checkpoint.npz').read_bytes() == before
    assert 'raise --num-epochs' in script('classify_digits', '--out', whole, '--resume').out
    assert script('classify_digits', *SMALL, '--num-epochs', 1, '--out', whole, '--overwrite').status == 0
    assert checkpoint.read(whole / 'checkpoint.npz', checkpoint.NetworkConfig).epoch == 1
    script('train', *small, '--num-epochs', 1, '--out', tmp_path / 'text')
    refused('holds no classifier', 'classify_digits', 'predict', tmp_path / 'text', 0)


def without_picture(run, folder):
    shutil.copytree(run, folder / 'bare')
    (folder / 'bare' / 'digits.png').unlink()
    return folder / 'bare'


def test_predict(script, refused, whole, tmp_path):
    test = few()[1]
    for name, scale in (('same.png', 1), ('large.png', 20)):
        grey = 255 - np.kron(np.uint8(test.X[3] * 255), np.ones((scale, scale), np.uint8))
        Image.fromarray(grey).save(tmp_path / name)
    ended = script('classify_digits', 'predict', whole, 3, tmp_path / 'same.png', '--top', 2)
    assert (ended.status, ended.err) == (0, '')
    first, second = [line for line in ended.out.splitlines() if '%  ' in line and ': ' in line]
    assert first.startswith(f'test image 3, a {test.y[3]}: ') and second.startswith(f'{tmp_path / "same.png"}: ')
    assert first.split(': ')[1] == second.split(': ')[1] and first.count('%') == 2
    assert ended.out.startswith(as_text(test.X[3]))
    assert np.corrcoef(read_image(tmp_path / 'large.png', 8).ravel(), test.X[3].ravel())[0, 1] > 0.8
    refused('there are 40 test images, from 0 to 39, got 40', 'classify_digits', 'predict', whole, 40)
    refused('No such file', 'classify_digits', 'predict', whole, tmp_path / 'none.png')
    (tmp_path / 'text.png').write_text('no picture')
    refused('is not a picture that can be read', 'classify_digits', 'predict', whole, tmp_path / 'text.png')
    Image.new('L', (50, 50), 200).save(tmp_path / 'empty.png')
    refused('empty.png is blank', 'classify_digits', 'predict', whole, tmp_path / 'empty.png')
    refused('holds no trained network', 'classify_digits', 'predict', tmp_path / 'none', 0)


@pytest.mark.parametrize('paper, ink', [(255, 0), (0, 255), (230, 60)])
def test_a_picture_is_placed_as_mnist_places_it(tmp_path, paper, ink):
    drawn = np.full((300, 200), paper, np.uint8)
    drawn[20:120, 30:50] = ink          # a stroke five times as high as wide, at the top left
    Image.fromarray(drawn).save(tmp_path / 'one.png')
    X = read_image(tmp_path / 'one.png', 28)
    rows, columns = (np.nonzero(X.any(axis=axis))[0] for axis in (1, 0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (4, 23, 12, 15)
    assert X.max() == 1 and X.sum() == 80


def test_the_confusion_matrix_is_a_table():
    table = confusion_table(np.array([[1200, 3, 0], [0, 0, 0], [1, 0, 40]]))
    lines = table.splitlines()
    assert len({len(line) for line in lines[1:]}) == 1
    assert [line.split() for line in lines[1:]] == [
        ['shown', '0', '1', '2', 'right'], lines[2].split(), ['0', '1200', '3', '.', '99.8%'], ['1', '.', '.', '.', '-'],
        ['2', '1', '.', '40', '97.6%'], lines[2].split(), ['right', '99.9%', '0.0%', '100.0%', '99.7%']]
    for k in range(3):      # each number stands under its class
        end = lines[1].index(str(k)) + 1
        assert all(line[end - 1] != ' ' and line[end:end + 1] in ' ' for line in (*lines[3:6], lines[7]))
