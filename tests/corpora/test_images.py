"""Images: idx files, whole and broken, and the batches made of them."""
import gzip
import os
import struct

import numpy as np
import pytest

from gluon_rnn import runtime
from gluon_rnn.corpora.images import ImageBatches, Images, load_images, read_idx


def idx(array, *, magic=None):
    array = np.asarray(array, dtype=np.uint8)
    magic = magic or bytes([0, 0, 8, array.ndim])
    return magic + struct.pack(f'>{array.ndim}I', *array.shape) + array.tobytes()


@pytest.mark.parametrize('name', ['x', 'x.gz'])
def test_read_idx(tmp_path, name):
    wanted = np.arange(24).reshape(2, 3, 4)
    (tmp_path / name).write_bytes(gzip.compress(idx(wanted)) if name.endswith('gz') else idx(wanted))
    np.testing.assert_array_equal(read_idx(tmp_path / name, num_axes=3), wanted)


WHOLE = idx(np.zeros((2, 3, 4)))


@pytest.mark.parametrize('content, message', [
    (WHOLE[:-5], 'is cut short or too long: its header promises 2 x 3 x 4 bytes, 19 are there'),
    (WHOLE[:9], 'is cut short or too long'),
    (WHOLE[:3], 'must hold bytes on 3 axes and begin with 00000803, it begins with 000008:'),
    (b'', 'begins with nothing'),
    (b'PNG' + WHOLE, 'begins with 504e4700'),
    (WHOLE + b'\0', 'promises 2 x 3 x 4 bytes, 25 are there'),
    (WHOLE[:4] + b'\xff' * 12, 'promises 4294967295 x 4294967295 x 4294967295 bytes, 0 are there'),
    (idx(np.zeros((2, 3))), 'begins with 00000802'),
    (idx(np.zeros((2, 3, 4)), magic=bytes([0, 0, 13, 3])), 'begins with 00000d03'),
])
def test_broken_idx(tmp_path, content, message):
    (tmp_path / 'x').write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(tmp_path / 'x', num_axes=3)


@pytest.mark.parametrize('break_it', [lambda data: data[:-9], lambda data: b'no gzip' + data,
                                      lambda data: data[:60] + b'\xff\xff\xff\xff' + data[64:]])
def test_broken_gzip(tmp_path, break_it):
    noise = np.random.default_rng(0).integers(0, 256, (20, 3, 4))
    (tmp_path / 'x.gz').write_bytes(break_it(gzip.compress(idx(noise))))
    with pytest.raises(ValueError, match=r'x\.gz is cut short or damaged .*download it again'):
        read_idx(tmp_path / 'x.gz', num_axes=3)


def write_mnist(folder, number=5, labels=None):
    (folder / 'mnist').mkdir()
    for part in ('train', 't10k'):
        (folder / 'mnist' / f'{part}-images-idx3-ubyte').write_bytes(idx(np.full((number, 28, 28), 51)))
        y = np.arange(number) if labels is None else labels
        (folder / 'mnist' / f'{part}-labels-idx1-ubyte.gz').write_bytes(gzip.compress(idx(y)))


def test_mnist_is_found_in_a_data_folder(tmp_path, monkeypatch):
    write_mnist(tmp_path)
    monkeypatch.setattr(runtime, 'data_folders', lambda: [tmp_path / 'empty', tmp_path])
    train, test = load_images('mnist')
    assert train.X.shape == test.X.shape == (5, 28, 28) and train.X.dtype == np.float32
    np.testing.assert_allclose(train.X, 0.2, rtol=1e-6)
    np.testing.assert_array_equal(test.y, [0, 1, 2, 3, 4])


@pytest.mark.parametrize('labels, message', [([1, 2, 3], '5 images and .* 3 labels'), ([1, 2, 3, 4, 10], 'from 0 to 9, got 10')])
def test_labels_that_do_not_fit(tmp_path, monkeypatch, labels, message):
    write_mnist(tmp_path, labels=labels)
    monkeypatch.setattr(runtime, 'data_folders', lambda: [tmp_path])
    with pytest.raises(ValueError, match=message):
        load_images('mnist')


def test_missing_and_unknown_data(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, 'data_folders', lambda: [tmp_path])
    with pytest.raises(ValueError, match=r'train-images-idx3-ubyte\.gz is in none of .*set GLUON_RNN_DATA'):
        load_images('mnist')
    with pytest.raises(ValueError, match="data must be one of digits, mnist, got 'cifar'"):
        load_images('cifar')


def test_digits_are_embedded():
    train, test = load_images('digits')
    assert train.X.shape == (1437, 8, 8) and test.X.shape == (360, 8, 8)
    assert train.X.min() == 0 and train.X.max() == 1
    assert set(train.y) == set(test.y) == set(range(10))
    both = {image.tobytes() for image in train.X} & {image.tobytes() for image in test.X}
    assert not both         # nothing is tested that was learnt


def test_batches_hold_images_with_their_labels_once_an_epoch():
    number = np.arange(10)
    source = ImageBatches(Images(number[:, None, None] * np.ones((1, 2, 3), np.float32), number), 3, seed=4)
    first, again, second = (list(source.batches(epoch)) for epoch in (1, 1, 2))
    assert len(source) == len(first) == 3 and first[0][0].shape == (3, 2, 3)
    order = np.concatenate([y.asnumpy() for _, y in first])
    assert len(set(order)) == 9
    np.testing.assert_array_equal(np.concatenate([X.asnumpy() for X, _ in first])[:, 1, 2], order)
    np.testing.assert_array_equal(np.concatenate([y.asnumpy() for _, y in again]), order)
    assert (np.concatenate([y.asnumpy() for _, y in second]) != order).any()


@pytest.mark.parametrize('batch_size', [0, 11])
def test_batch_size_that_does_not_fit(batch_size):
    with pytest.raises(ValueError, match=f'batch_size must be from 1 to 10, the number of images, got {batch_size}'):
        ImageBatches(Images(np.zeros((10, 2, 2)), np.zeros(10)), batch_size)


def test_the_real_mnist():
    if not any((folder / 'mnist').is_dir() for folder in runtime.data_folders()):
        pytest.fail('MNIST is not here') if os.environ.get('CI') else pytest.skip('MNIST is not here')
    test = load_images('mnist')[1]
    assert test.X.shape == (10000, 28, 28) and np.bincount(test.y)[:3].tolist() == [980, 1135, 1032]
