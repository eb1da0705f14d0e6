"""Read images of handwritten digits row by row and classify them: a sequence to one answer.

    python scripts/classify_digits.py --num-epochs 20       # a minute; 97.5 % of 360 test images
    python scripts/classify_digits.py --data mnist          # 97.4 % of 10,000 after 2 epochs

A network of two layers of 128 hidden units reads an image from its top row to its bottom row; its last state is the
answer.

The small digits take about a minute on two cores, MNIST some minutes.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import math
from pathlib import Path

import _cli
import numpy as np
from _flags import add_out, add_seed, check_free
from tqdm import tqdm

import gluon_rnn
from gluon_rnn.cells.build import CELLS, IMPLS
from gluon_rnn.cells.default import default_impl
from gluon_rnn.corpora.images import DATA, NUM_CLASSES, ImageBatches, load_images
from gluon_rnn.models.base import redraw_uniform
from gluon_rnn.models.classifier import ClassifierConfig, build_classifier, classify, confusion_matrix
from gluon_rnn.models.language_model import redraw_weights
from gluon_rnn.plots import plot_confusion, save_figure
from gluon_rnn.runs.files import write_whole
from gluon_rnn.runtime import parse_ctx
from gluon_rnn.training.config import TrainConfig
from gluon_rnn.training.trainer import Trainer

EXAMPLES = """examples
  python scripts/classify_digits.py                                         scikit-learn's small digits, a minute
  python scripts/classify_digits.py --data mnist                            97 % after 2 epochs
  python scripts/classify_digits.py --data mnist --bidirectional            98 % and more
  python scripts/classify_digits.py --cell gru --impl scratch --num-layers 1
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('--data', choices=DATA, default='digits', help="digits: scikit-learn's, 8 x 8; mnist: 28 x 28, its files in "
                   'a folder mnist of the data folder')
    p.add_argument('--cell', choices=CELLS, default='lstm', help='the recurrent network')
    p.add_argument('--impl', choices=IMPLS, help='how it is implemented (default: numba on a CPU; on a GPU gluon where it has '
                   'the equations, else hybrid)')
    p.add_argument('--num-hiddens', type=int, default=128, help='hidden units of a layer, in each direction')
    p.add_argument('--num-layers', type=int, default=2)
    p.add_argument('--dropout', type=float, default=0, help='part of the hidden states between layers set to zero in training')
    p.add_argument('--bidirectional', action='store_true', help='a second direction, from the bottom row up')
    p.add_argument('--num-epochs', type=int, help='(default: 2 for mnist, 30 for digits)')
    p.add_argument('--batch-size', type=int, help='(default: 64 for mnist, 32 for digits)')
    p.add_argument('--lr', type=float, default=0.003, help='learning rate')
    p.add_argument('--optimizer', default='adam', help='the name of any MXNet optimizer')
    p.add_argument('--clipping-theta', type=float, default=1, help='largest global norm of the gradients, 0: no clipping')
    p.add_argument('--sigma', type=float, help='standard deviation of the new weights; the book has 0.01 (default: as PyTorch '
                   'draws them, uniform within one over the root of the hidden units)')
    p.add_argument('--ctx', default='auto', help="where to train: auto (a GPU if there is one), cpu, gpu, 'gpu(1)'")
    add_seed(p)
    add_out(p, None, 'folder for metrics.jsonl and digits.png (default: runs/DATA-CELL)')
    return p


def main() -> None:
    args = parser().parse_args()
    mnist = args.data == 'mnist'
    ctx = parse_ctx(args.ctx)
    config = TrainConfig(sampling='random', num_epochs=args.num_epochs if args.num_epochs is not None else 2 if mnist else 30,
                         batch_size=args.batch_size if args.batch_size is not None else 64 if mnist else 32, lr=args.lr,
                         optimizer=args.optimizer, clipping_theta=args.clipping_theta, seed=args.seed)
    train, test = load_images(args.data)
    description = ClassifierConfig(cell=args.cell, num_hiddens=args.num_hiddens, num_layers=args.num_layers,
                                   dropout=args.dropout, bidirectional=args.bidirectional, num_inputs=train.X.shape[2],
                                   num_classes=NUM_CLASSES)
    description = dataclasses.replace(description, impl=args.impl or default_impl(description, ctx))
    source = ImageBatches(train, config.batch_size, seed=config.seed, ctx=ctx)
    name = ('bidirectional ' if args.bidirectional else '') + f'{args.cell} ({description.impl})'
    out = args.out or Path('runs') / f'{args.data}-{"bi-" * args.bidirectional}{args.cell}'
    check_free([out / 'metrics.jsonl', out / 'digits.png'], args.overwrite)
    out.mkdir(parents=True, exist_ok=True)
    gluon_rnn.seed(args.seed)
    model = build_classifier(description, ctx)
    if args.sigma is None:
        redraw_uniform(model)
    else:
        redraw_weights(model, args.sigma)
    print(f'{args.data}: {len(train):,} images to learn from, {len(test):,} to test on, {train.X.shape[1]} x {train.X.shape[2]}; '
          f'{name}, {args.num_layers} x {args.num_hiddens} hidden units')
    lines = []
    with tqdm(total=len(source), unit=' steps', leave=False, disable=None) as bar:
        def on_step(step: int, steps: int) -> None:
            bar.update(step - bar.n)

        for record in Trainer(model, config).epochs_on(source, on_step=on_step):
            answers = classify(model, test.X)
            loss, accuracy = math.log(record.perplexity), float(np.mean(answers == test.y))
            bar.clear()
            print(f'epoch {record.epoch}, loss {loss:.4f}, accuracy {accuracy:.4f}, time {record.seconds:.2f} sec')
            bar.reset()
            metrics = {'epoch': record.epoch, 'loss': loss, 'accuracy': accuracy, 'seconds': record.seconds}
            lines.append(json.dumps(metrics) + '\n')
            write_whole(out / 'metrics.jsonl', ''.join(lines))
    matrix = confusion_matrix(test.y, answers, NUM_CLASSES)
    save_figure(plot_confusion(matrix, test, answers, title=f'{args.data}, {name}'), out / 'digits.png')
    print(confusion_table(matrix))
    print(f'{out / "digits.png"}: the same, and the misread digits')


def confusion_table(matrix: np.ndarray) -> str:
    """The confusion matrix as text; zeros are dots."""
    wide = max(len(str(matrix.max())), 2) + 1
    lines = ['shown ↓  answered →' + ''.join(f'{k:{wide}}' for k in range(len(matrix)))]
    lines += [f'{k:>19}' + ''.join(f'{value or "·":>{wide}}' for value in row) for k, row in enumerate(matrix)]
    return '\n'.join(lines)


if __name__ == '__main__':
    _cli.run(main)
