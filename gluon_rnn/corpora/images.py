"""Images of handwritten digits: MNIST from its idx files, and the small digits of scikit-learn."""
from __future__ import annotations

import gzip
import math
import random
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Tuple

import numpy as np
from mxnet import nd

from .. import runtime

DATA = ('digits', 'mnist')
NUM_CLASSES = 10
_TEST_DIGITS = 360      # of scikit-learn's 1797, a fifth
MAX_BYTES = 1 << 30     # of a file, unpacked; what is longer is refused
_BYTES = 8              # the idx format's code for unsigned bytes


@dataclass(frozen=True)
class Images:
    """X: (number, rows, columns), float32 from 0 (paper) to 1 (ink); y: (number,), the digit that each shows."""
    X: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


def load_images(name: str) -> Tuple[Images, Images]:
    """Images to train on and images to test on: 'mnist' (60,000 and 10,000 of 28 × 28) or 'digits' (1,437 and 360 of 8 × 8).

    MNIST's four files are looked for in a folder `mnist` of each of `runtime.data_folders()`, gzipped or not.
    Raises ValueError if the name is unknown or a file is missing, cut short, or not what its name says.
    """
    if name == 'digits':
        return _digits()
    if name == 'mnist':
        return _mnist('train'), _mnist('t10k')
    raise ValueError(f'data must be one of {", ".join(DATA)}, got {name!r}')


def _digits() -> Tuple[Images, Images]:
    from sklearn.datasets import load_digits
    data = load_digits()
    X, y = (data.images / 16).astype(np.float32), data.target.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(y))        # the file goes writer by writer; the cut should not
    train, test = order[_TEST_DIGITS:], order[:_TEST_DIGITS]
    return Images(X[train], y[train]), Images(X[test], y[test])


def _mnist(part: str) -> Images:
    images, labels = _find(f'{part}-images-idx3-ubyte'), _find(f'{part}-labels-idx1-ubyte')
    X, y = read_idx(images, num_axes=3), read_idx(labels, num_axes=1)
    if len(X) != len(y) or not len(y):
        raise ValueError(f'{images} holds {len(X)} images and {labels} {len(y)} labels: they do not belong together')
    if y.max() >= NUM_CLASSES:
        raise ValueError(f'{labels} must hold digits from 0 to 9, got {y.max()}')
    return Images(X.astype(np.float32) / 255, y.astype(np.int64))


def _find(file: str) -> Path:
    folders = runtime.data_folders()
    for folder in folders:
        for path in (folder / 'mnist' / f'{file}.gz', folder / 'mnist' / file):
            if path.is_file():
                return path
    raise ValueError(f'mnist/{file}.gz is in none of {", ".join(map(str, folders))}: put MNIST\'s four files into a folder '
                     f'mnist and set GLUON_RNN_DATA to the one above it, or use the embedded digits')


def read_idx(path: Path, *, num_axes: int) -> np.ndarray:
    """The array of unsigned bytes in an idx file, gzipped or not.

    Raises ValueError if the file is no idx file, has another number of axes, or is cut short or too long.
    """
    try:
        with gzip.open(path) if path.suffix == '.gz' else path.open('rb') as file:
            data = file.read(MAX_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f'{path} is cut short or damaged ({error}): download it again') from None
    magic, start = bytes([0, 0, _BYTES, num_axes]), 4 + 4 * num_axes
    if data[:4] != magic:
        raise ValueError(f'{path} must hold bytes on {num_axes} axes and begin with {magic.hex()}, it begins with '
                         f'{data[:4].hex() or "nothing"}: download it again')
    shape = [int.from_bytes(data[i:i + 4], 'big') for i in range(4, start, 4)]
    if len(data) != start + math.prod(shape):
        raise ValueError(f'{path} is cut short or too long: its header promises {" x ".join(map(str, shape))} bytes, '
                         f'{max(0, len(data) - start)} are there: download it again')
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_image(path: Path, size: int) -> np.ndarray:
    """A picture of one digit, dark on light or light on dark, as the network reads it: (size, size), 0 paper, 1 ink.

    A picture of exactly that size is taken as it is. In another, the digit is cut out and put where those data sets have it:
    of 28 x 28, as MNIST, into 20 x 20 with the centre of its ink in the middle; of others over the whole height.
    Raises ValueError if the file is no picture or nothing is drawn on it.
    """
    from PIL import Image, UnidentifiedImageError
    try:
        with Image.open(path) as opened:
            flat = Image.new('RGBA', opened.size, 'white')      # what is transparent is paper
            flat.alpha_composite(opened.convert('RGBA'))
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, EOFError, ValueError) as error:
        raise ValueError(f'{path} is not a picture that can be read ({str(error)[:100]}): give a PNG or a JPEG') from None
    grey = np.asarray(flat.convert('L'), dtype=np.float32) / 255
    paper = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    ink = np.clip((grey - paper if paper < 0.5 else paper - grey), 0, 1)
    if ink.max() < 0.1:
        raise ValueError(f'{path} is blank: give a picture of one digit')
    if ink.shape == (size, size):
        return ink
    ink = np.where(ink < 0.2 * ink.max(), 0, ink / ink.max())
    rows, columns = (np.nonzero(ink.any(axis=axis))[0] for axis in (1, 0))
    digit = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    box = size * 20 // 28 if size == 28 else size
    scale = box / max(digit.shape)
    height, width = (max(1, round(n * scale)) for n in digit.shape)
    digit = np.asarray(Image.fromarray(np.uint8(digit * 255)).resize((width, height), Image.Resampling.BOX), np.float32) / 255
    return _centred(digit, size)


def _centred(digit: np.ndarray, size: int) -> np.ndarray:
    """A digit on (size, size) of paper, the centre of its ink as near the middle as it fits."""
    placed = np.zeros((size, size), dtype=np.float32)
    at = []
    for axis, n in enumerate(digit.shape):
        centre = float((digit.sum(axis=1 - axis) * (np.arange(n) + 0.5)).sum() / digit.sum())
        at.append(min(max(round(size / 2 - centre), 0), size - n))
    placed[at[0]:at[0] + digit.shape[0], at[1]:at[1] + digit.shape[1]] = digit
    return placed


def as_text(image: np.ndarray) -> str:
    """An image in characters, two for each point."""
    shades = ' .:-=+*#%@'
    chosen = np.minimum((image * len(shades)).astype(int), len(shades) - 1)
    return '\n'.join(''.join(2 * shades[k] for k in row).rstrip() for row in chosen)


class ImageBatches:
    """Batches of images in random order, a source for `Trainer.epochs_on`.

    Images that do not fill a last batch are left out of an epoch, others in each.
    Raises ValueError if the images do not fill one batch.
    """

    def __init__(self, images: Images, batch_size: int, *, seed: int | None = 0, ctx: Any = None):
        if not 1 <= batch_size <= len(images):
            raise ValueError(f'batch_size must be from 1 to {len(images)}, the number of images, got {batch_size}')
        self.images, self.batch_size, self.seed, self.ctx = images, batch_size, seed, ctx

    def __len__(self) -> int:
        return len(self.images) // self.batch_size

    def batches(self, epoch: int) -> Iterator[Tuple[nd.NDArray, nd.NDArray]]:
        """X (batch_size, rows, columns) and y (batch_size,); the order depends on the seed and the epoch alone."""
        order = list(range(len(self.images)))
        random.Random(None if self.seed is None else f'{self.seed} {epoch}').shuffle(order)
        for i in range(len(self)):
            chosen = order[i * self.batch_size:(i + 1) * self.batch_size]
            yield (nd.array(self.images.X[chosen], ctx=self.ctx),
                   nd.array(self.images.y[chosen], ctx=self.ctx, dtype='float32'))
