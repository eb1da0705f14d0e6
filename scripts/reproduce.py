"""Reproduce the book: train what a section of chapter 6 trains, print as it prints, and set its figures beside the published.

    python scripts/reproduce.py --all --quick --jobs 2      # six minutes on two cores; each network at the book's first printing

Each training leaves a run folder DIR/SECTION/VARIANT, and all of them together DIR/report.html and DIR/report.md. The command may
be stopped at any time: started again, it goes on where it stopped, and what is finished is not run again.

Everything in full takes 40 minutes with --jobs 2; docs/book.md says more.
"""
from __future__ import annotations

import argparse
import contextlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List

import _cli
from _flags import add_out, add_quick, add_seed
from _runs import given_settings
from _trainings import in_one_line, train_all
from tqdm import tqdm

from gluon_rnn.book import report
from gluon_rnn.book.results import read_results, summary, write_layers
from gluon_rnn.book.sections import FALLBACK, SECTIONS, Section, sampling_shown
from gluon_rnn.book.tasks import Task, how_it_stands, tasks_of
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.runs.files import write_whole
from gluon_rnn.runs.settings import RunSettings

EXAMPLES = f"""examples
  python scripts/reproduce.py 6.4 --out runs/book                    the network by hand, both samplings
  python scripts/reproduce.py --all --quick --jobs 2 --out runs/quick      everything, shortened, in minutes
  python scripts/reproduce.py --all --jobs 2 --out runs/book         everything as the book has it
  python scripts/reproduce.py 6.4 --impl scratch --out runs/read     the networks by hand as they are read

sections
{chr(10).join(f'  {section.name:14}{section.title[0]}' for section in SECTIONS.values())}
"""
def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('sections', nargs='*', metavar='SECTION', help=', '.join(SECTIONS))
    p.add_argument('--all', action='store_true', help='all sections')
    add_out(p, Path('runs/book'), 'folder for the runs and the report; what is there is kept and resumed')
    add_quick(p, "six for --all: trains to the book's first printing, deep networks with fewer hidden units; the report marks it")
    p.add_argument('--jobs', type=_cli.count, default=1, help='trainings at a time; they share the CPUs')
    p.add_argument('--impl', choices=[impl for impl in IMPLS if impl != 'gluon'], help='how the networks by hand are run, '
                   'all with the same numbers; the report names it (default: numba on a CPU, where Numba is there, else hybrid)')
    p.add_argument('--corpus', help="a text to use in place of the book's")
    p.add_argument('--num-epochs', type=_cli.count, help="epochs of every training; the report marks it (default: the book's)")
    p.add_argument('--num-hiddens', type=_cli.count, help="hidden units of every layer; the report marks it (default: "
                   "the book's)")
    add_seed(p)
    p.add_argument('--ctx', default='auto', help="where to train: auto (a GPU if there is one), cpu, gpu, 'gpu(1)'")
    return p


def main() -> None:
    args = parser().parse_args()
    sections = chosen(args)
    tasks, missing = tasks_of(sections, args.out, given_settings(args, RunSettings), shortened=args.quick)
    for name, reason in missing.items():
        tqdm.write(f'{name} is not here, {FALLBACK} takes its place ({reason})')
    if args.overwrite:
        for task in tasks:
            if (task.folder / 'config.json').exists():
                shutil.rmtree(task.folder)
    done = {task.name: task.epochs_done() for task in tasks}
    args.out.mkdir(parents=True, exist_ok=True)
    _cli.stop_on_sigterm()
    if any(section.name == '6.3' for section in sections):
        show_sampling(args.out)
    waiting = [task for task in tasks if done[task.name] < task.settings.num_epochs]
    failed: Dict[str, str] = {}
    try:
        with tqdm(total=sum(task.settings.num_epochs for task in tasks), initial=sum(done.values()), unit='epoch',
                  disable=None, smoothing=0.1) as bar:
            train_all(waiting, args.jobs, Listener(bar, failed, name_each=min(args.jobs, len(waiting)) > 1))
    except KeyboardInterrupt:
        with contextlib.suppress(ValueError, OSError):      # that it was stopped is what there is to say
            sum_up(args.out, tasks, failed)
        raise KeyboardInterrupt(f'stopped; what is done is saved in {args.out}: the same command goes on') from None
    sum_up(args.out, tasks, failed)
    if failed:
        raise ValueError('; '.join(f'{name}: {error}' for name, error in failed.items()))


@dataclass
class Listener:
    """Shows what trainings tell. failed: gets the names of those that failed, with the reason; name_each: in front of verses."""
    bar: Any
    failed: Dict[str, str]
    name_each: bool
    last: Dict[str, int] = field(default_factory=dict)      # the furthest epoch heard of, of each

    def __call__(self, task: Task, message: Dict[str, Any]) -> None:
        if 'begin' in message:
            tqdm.write(heading(task.name, f'{task.section.title[0]}, {task.variant.title[0]}'))
        if 'epoch' in message:
            before = self.last.get(task.name, 0)
            self.bar.set_postfix_str(f'{task.name} {message["perplexity"]:.2f}', refresh=False)
            self.bar.update(int(message['epoch'] > before))       # begun again, it comes by the same epochs
            self.last[task.name] = max(message['epoch'], before)
        if 'print' in message:
            tqdm.write((f'{task.name}  ' if self.name_each else '') + message['print'])
        if 'again' in message:
            tqdm.write(f'{task.name}: {message["again"]}; it goes on from its last checkpoint')
        if 'error' in message:
            self.failed[task.name] = message['error']
            tqdm.write(f'{task.name}: {message["error"]}')


def sum_up(out: Path, tasks: List[Task], failed: Dict[str, str]) -> None:
    """Measure what is to be measured of finished runs, print a line for each run, and write the report.

    Trainings that have not come to their end are listed in both. What goes wrong with one is added to `failed`.
    """
    epochs: Dict[str, int] = {}
    for task in tasks:
        try:
            epochs[task.name] = task.epochs_done()
            if task.section.by_layer and epochs[task.name] == task.settings.num_epochs:
                write_layers(task.folder)
        except Exception as error:
            failed.setdefault(task.name, in_one_line(error))
    unfinished = {task.name: how_it_stands(epochs.get(task.name, 0), task.settings.num_epochs, failed.get(task.name, ''))
                  for task in tasks if task.name in failed or epochs[task.name] < task.settings.num_epochs}
    results = read_results(out)
    lines = [summary([result for result in results if result.name not in unfinished]),
             *(f'{name:24} {words[0]}' for name, words in unfinished.items())]
    tqdm.write(heading('Summary', 'perplexity, published and ours') + '\n'.join(filter(None, lines)) + '\n')
    notes = [(f'{name}: {words[0]}', f'{name}：{words[1]}') for name, words in unfinished.items()]
    if results or notes or (out / '6.3').exists():
        for path in report.write_report(out, results, unfinished=notes):
            tqdm.write(f'wrote {path}')


def chosen(args: argparse.Namespace) -> List[Section]:
    """The sections asked for, in the book's order."""
    unknown = [name for name in args.sections if name not in SECTIONS]
    if unknown:
        raise ValueError(f'unknown section {unknown[0]!r}: choose from {", ".join(SECTIONS)}')
    if bool(args.sections) == args.all:
        raise ValueError(f'give sections ({", ".join(SECTIONS)}) or --all')
    return [section for name, section in SECTIONS.items() if args.all or name in args.sections]


def show_sampling(out: Path) -> None:
    text = sampling_shown()
    tqdm.write(heading(SECTIONS['6.3'].name, SECTIONS['6.3'].title[0]) + text)
    (out / '6.3').mkdir(exist_ok=True)
    write_whole(out / '6.3' / 'batches.txt', text)


def heading(name: str, title: str) -> str:
    return f'\n{name}  {title}\n{"-" * (len(name) + len(title) + 2)}\n'


if __name__ == '__main__':
    _cli.run(main)
