"""Fill gaps in lyrics from both sides: the task that fits a bidirectional network.

    python scripts/fill_in.py train --corpus jaychou --max-chars 0      # some minutes on two cores; perplexity 296, one way 389
    python scripts/fill_in.py predict runs/fill-in "能不能给我一_歌的时间"

`train` masks characters of the text and teaches a bidirectional network to predict them, then a one-directional network of as
many parameters, and counts bigrams; the table says what the second direction is worth on text that none of them has read. The
run's folder holds config.json, metrics.jsonl, curve.png, checkpoint.npz, from which --resume goes on, best.npz, the epoch that
was best on the validation text, and table.json; in one-directional/ the same of the second network.
`predict` fills the gaps (_ or ␣) of texts with the best epoch, in seconds. A blank that it answers is shown as ␣.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator

import _cli
from _flags import add_settings
from _paste import to_paste
from _runs import add_run, check_resume, given_settings, kept, resume_command, train_task, trained

from gluon_rnn.cells.build import CELLS, IMPLS
from gluon_rnn.corpora.corpus import CORPORA
from gluon_rnn.models.bigrams import Counting
from gluon_rnn.models.fill_in import MASK, Filled, FillIn, Score, evaluate_gaps, fill, one_directional
from gluon_rnn.plots import SPACE
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.files import write_whole
from gluon_rnn.runs.fill_in import FillInFolder, FillInJob, FillInSettings, GapTexts
from gluon_rnn.runs.folder import read_settings
from gluon_rnn.runs.task import TaskRun, task_settings
from gluon_rnn.runtime import parse_ctx
from gluon_rnn.tables import printed
from gluon_rnn.training.config import SAMPLINGS, EpochRecord

EXAMPLES = """examples
  python scripts/fill_in.py train                                          on the embedded lyrics
  python scripts/fill_in.py train --corpus jaychou --max-chars 0 --out runs/fill-jaychou
  python scripts/fill_in.py train --out runs/fill-jaychou --resume --num-epochs 20
  python scripts/fill_in.py predict runs/fill-jaychou "能不能给我一_歌的时间"
"""
CHOICES = {'cell': CELLS, 'impl': IMPLS, 'sampling': SAMPLINGS}
OUT = Path('runs/fill-in')


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    commands = p.add_subparsers(dest='command', required=True, parser_class=_cli.ArgumentParser)
    t = commands.add_parser('train', description='Train, compare, and keep the bidirectional network.',
                            argument_default=argparse.SUPPRESS)
    add_settings(t, CHOICES, FillInSettings, corpora=', '.join(CORPORA))
    add_run(t.add_argument_group('the run'), OUT, 'its folder')
    a = commands.add_parser('predict', aliases=['ask'], description='Fill the gaps of texts.')
    a.add_argument('texts', nargs='+', metavar='[RUN] TEXT', help=f'the folder of a run, then texts in which _ or {SPACE} stands '
                   'for each unknown character')
    a.add_argument('--candidates', type=_cli.count, default=5, help='characters to name for each gap')
    a.add_argument('--out', type=Path, default=OUT, help='the folder of the run, where none stands before the texts')
    a.add_argument('--ctx', default='auto', help="where to run: auto (a GPU if there is one), cpu, gpu, 'gpu(1)'")
    return p


def main() -> None:
    args = parser().parse_args()
    train(args) if args.command == 'train' else predict(args)


def predict(args: argparse.Namespace) -> None:
    first, *others = args.texts
    if (others and not set(first) & {MASK, SPACE}) or os.path.exists(first):     # a text may be too long for a name
        run, texts = Path(first), others
    else:
        run, texts = args.out, args.texts
    saved = checkpoint.read(trained(run, 'fill_in.py train'))
    model = saved.model(parse_ctx(args.ctx), FillIn)
    texts = [text.replace(SPACE, MASK) for text in texts]
    for text, filled in zip(texts, fill(model, saved.idx_to_char, texts, num_candidates=args.candidates)):
        print(visible(text, filled))
        for candidates in filled.candidates:
            print('  ' + '  '.join(f'{SPACE if char == " " else char} {p:.1%}' for char, p in candidates))


def visible(text: str, filled: Filled) -> str:
    """The filled text, in which a blank that was answered can be seen."""
    return ''.join(SPACE if was == MASK and char == ' ' else char for was, char in zip(text, filled.text))


def train(args: argparse.Namespace) -> None:
    check_resume(args, args.out)
    given = given_settings(args, FillInSettings)
    _cli.stop_on_sigterm()
    with FillInFolder(args.out) as folder:
        settings = task_settings(folder, given, resume=args.resume)
        texts = GapTexts(settings)
        run = TaskRun(folder, FillInJob(settings, texts), resume=args.resume, overwrite=args.overwrite)
        print(f'{settings.corpus}: {len(texts.corpus):,} characters, {texts.corpus.vocab_size:,} different; 80 % to learn from, '
              f'10 % to choose the epoch on, 10 % to test on')
        rows = [learn(run, texts, args.out)]
        if settings.compare is not False:
            rows += [compare(run, texts, args), *counted(texts)]
    print(f'\n{sum(y.shape[0] for _, y in texts.test):,} gaps in text held out\n{printed(rows)}')
    write_whole(args.out / 'table.json', json.dumps(rows, ensure_ascii=False, indent=2) + '\n')
    print(to_paste(['python', 'scripts/fill_in.py', 'predict', str(args.out)]), '"…_…"')


def row(name: str, number: int, score: Score) -> Dict[str, Any]:
    """A row of the table: a way to fill gaps, the number of its parameters, its score on the test text."""
    return {'name': name, 'parameters': number, **dataclasses.asdict(score)}


def learn(run: TaskRun, texts: GapTexts, out: Path) -> Dict[str, Any]:
    """Train one network to its end. Returns how its best epoch does on the test text."""
    settings, number = run.settings, run.trainer.model.num_parameters()
    name = ('bidirectional' if settings.bidirectional else 'one-directional') + f' {settings.cell}'
    with kept(run, resume_command(out, __file__, 'train')):
        print(f'{name}, {settings.num_hiddens} hidden units, {number:,} parameters')
        train_task(run, describe)
        run.folder.draw()
        best = checkpoint.read(checkpoint.find_checkpoint(run.folder.folder)).model(texts.ctx, FillIn)
        sizes = f'{"2 x " * settings.bidirectional}{settings.num_hiddens}'
        return row(f'{name}, {sizes}', number, evaluate_gaps(best, texts.test))


def compare(run: TaskRun, texts: GapTexts, args: argparse.Namespace) -> Dict[str, Any]:
    """Train a network of one direction, in a folder inside that of the run."""
    single = one_directional(run.trainer.model.config)
    settings = dataclasses.replace(run.settings, bidirectional=False, num_hiddens=single.num_hiddens)
    with FillInFolder(args.out / FillInFolder.parts[0]) as folder:
        resume = args.resume and folder.holds_run()
        if resume:      # what may change has changed, too; the rest must be what it was
            settings = read_settings(folder.folder, FillInFolder).changed(dataclasses.asdict(settings))
        return learn(TaskRun(folder, FillInJob(settings, texts), resume=resume, overwrite=True), texts, args.out)


def counted(texts: GapTexts) -> Iterator[Dict[str, Any]]:
    """Score counting bigrams on the test text."""
    for name, right in (('bigrams on both sides', True), ('bigrams on the left', False)):
        counting = Counting.fitted(texts.train, texts.corpus.vocab_size, texts.valid, right=right)
        yield row(f'counting {name}, alpha {counting.alpha:g}', 0, evaluate_gaps(counting, texts.test))


def describe(record: EpochRecord) -> str:
    return (f'epoch {record.epoch}, perplexity {record.perplexity:.2f}, on the validation text {record.valid_perplexity:.2f}, '
            f'accuracy {record.accuracy:.4f}, time {record.seconds:.2f} sec')


if __name__ == '__main__':
    _cli.run(main)
