"""Read images of handwritten digits row by row and classify them: a sequence to one answer.

    python scripts/classify_digits.py --num-epochs 20       # a minute; 97 % of 360 test images
    python scripts/classify_digits.py --data mnist          # 98 % of 10,000 after 2 epochs
    python scripts/classify_digits.py predict runs/mnist-lstm mine.png

A network of two layers of 128 hidden units reads an image from its top row to its bottom row; its last state is the
answer. A run's folder holds config.json, metrics.jsonl, checkpoint.npz, from which --resume goes on, and digits.png; `predict`
names the digits that it is shown.

The small digits take about a minute on two cores, MNIST some minutes, `predict` seconds.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Tuple

import _cli
import numpy as np
from _flags import add_settings
from _runs import add_run, check_resume, given_settings, kept, resume_command, train_task, trained

from gluon_rnn.cells.build import CELLS, IMPLS
from gluon_rnn.corpora.images import DATA, NUM_CLASSES, Images, as_text, load_images, read_image
from gluon_rnn.models.classifier import Classifier, ClassifierConfig, class_probabilities, confusion_matrix, confusion_table
from gluon_rnn.plots import plot_confusion, save_figure
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.digits import DigitsFolder, DigitsJob, DigitsSettings
from gluon_rnn.runs.folder import read_settings
from gluon_rnn.runs.task import TaskRun, task_settings
from gluon_rnn.runtime import parse_ctx
from gluon_rnn.training.config import EpochRecord

EXAMPLES = """examples
  python scripts/classify_digits.py                                         scikit-learn's small digits, a minute
  python scripts/classify_digits.py --data mnist                            98 % after 2 epochs
  python scripts/classify_digits.py --data mnist --bidirectional            98 % and more
  python scripts/classify_digits.py --cell gru --impl scratch --num-layers 1
  python scripts/classify_digits.py --data mnist --resume --num-epochs 4    two more epochs
  python scripts/classify_digits.py predict runs/mnist-lstm 0 17 mine.png   two test images and one of yours
"""
CHOICES = {'data': DATA, 'cell': CELLS, 'impl': IMPLS}


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES, argument_default=argparse.SUPPRESS)
    add_settings(p, CHOICES, DigitsSettings)
    add_run(p.add_argument_group('the run'), None, 'its folder (default: runs/DATA-CELL)')
    commands = p.add_subparsers(dest='command', metavar='predict', parser_class=_cli.ArgumentParser)
    one = commands.add_parser('predict', description='Name the digits of images, with their probabilities.')
    one.add_argument('run', type=Path, help='the folder of a run, or its checkpoint.npz')
    one.add_argument('images', nargs='+', metavar='IMAGE', help="the number of one of the run's test images, from 0, or an image "
                     'file: one digit, dark on light or light on dark')
    one.add_argument('--top', type=_cli.count, default=3, help='digits to name for each image')
    one.add_argument('--ctx', default='auto', help="where to run: auto (a GPU if there is one), cpu, gpu, 'gpu(1)'")
    return p


def main() -> None:
    args = parser().parse_args()
    predict(args) if args.command == 'predict' else train(args)


def train(args: argparse.Namespace) -> None:
    given = given_settings(args, DigitsSettings)
    wanted = DigitsSettings(**given)
    out = args.out or Path('runs') / f'{wanted.data}-{"bi-" * wanted.bidirectional}{wanted.cell}'
    check_resume(args, out)
    _cli.stop_on_sigterm()
    with DigitsFolder(out) as folder:
        job = DigitsJob(task_settings(folder, given, resume=args.resume))
        run = TaskRun(folder, job, resume=args.resume, overwrite=args.overwrite)
        with kept(run, resume_command(out, __file__)):
            print(header(job))
            train_task(run, describe)
            show(job, out)


def header(job: DigitsJob) -> str:
    settings, shape = job.settings, job.train.X.shape
    return (f'{settings.data}: {len(job.train):,} images to learn from, {len(job.test):,} to test on, {shape[1]} x {shape[2]}; '
            f'{name_of(settings)}, {settings.num_layers} x {settings.num_hiddens} hidden units')


def name_of(settings: DigitsSettings) -> str:
    return f'{"bidirectional " * settings.bidirectional}{settings.cell} ({settings.impl})'


def describe(record: EpochRecord) -> str:
    return f'epoch {record.epoch}, loss {record.loss:.4f}, accuracy {record.accuracy:.4f}, time {record.seconds:.2f} sec'


def show(job: DigitsJob, out: Path) -> None:
    """Print the confusion matrix, and draw it beside the misread digits."""
    answers = job.answers()
    matrix = confusion_matrix(job.test.y, answers, NUM_CLASSES)
    title = f'{job.settings.data}, {name_of(job.settings)}'
    save_figure(plot_confusion(matrix, job.test, answers, title=title), out / 'digits.png')
    print(confusion_table(matrix))
    print(f'{out / "digits.png"}: the same, and the misread digits')


def predict(args: argparse.Namespace) -> None:
    saved = checkpoint.read(trained(args.run, 'classify_digits.py'), ClassifierConfig)
    model, test, size = saved.model(parse_ctx(args.ctx), Classifier), None, saved.config.num_inputs
    for name in args.images:
        if name.isdecimal() and test is None:
            run = args.run if args.run.is_dir() else args.run.parent
            test = load_images(read_settings(run, DigitsFolder).data)[1]
        said, X = test_image(test, int(name)) if test and name.isdecimal() else (name, read_image(Path(name), size))
        p = class_probabilities(model, X[None])[0]
        best = np.argsort(-p, kind='stable')[:args.top]
        print(f'{as_text(X)}\n{said}: ' + '   '.join(f'{saved.idx_to_char[k]} {p[k]:.1%}' for k in best))


def test_image(test: Images, number: int) -> Tuple[str, Any]:
    if number >= len(test):
        raise ValueError(f'there are {len(test):,} test images, from 0 to {len(test) - 1}, got {number}')
    return f'test image {number}, a {test.y[number]}', test.X[number]


if __name__ == '__main__':
    _cli.run(main)
