"""Reproduce the book: train what a section of chapter 6 trains, print as it prints, and set its figures beside the published.

Each training leaves a run folder DIR/SECTION/VARIANT, and all of them together DIR/report.html and DIR/report.md. The command may
be stopped at any time: started again, it goes on where it stopped, and what is finished is not run again.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import traceback
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import _cli
from tqdm import tqdm

from gluon_rnn import runtime
from gluon_rnn.book import report
from gluon_rnn.book.sections import SECTIONS, Section, Text, Variant, corpus_here, quick, sampling_shown
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.files import write_whole
from gluon_rnn.runs.folder import RunFolder, read_config
from gluon_rnn.runs.run import Run, impl_by_hand
from gluon_rnn.runs.settings import RunSettings
from gluon_rnn.training.config import EpochRecord, TrainConfig

EXAMPLES = f"""examples
  python scripts/reproduce.py 6.4 --out runs/book                    the network by hand, both samplings
  python scripts/reproduce.py --all --quick --jobs 2 --out runs/quick      everything, shortened, in minutes
  python scripts/reproduce.py 6.7 --impl scratch --out runs/page     the equations as they stand on the page, slowly

sections
{chr(10).join(f'  {section.name:14}{section.title[0]}' for section in SECTIONS.values())}
"""
# What may differ between the run in a folder and the one that is wanted, and still be the same run.
_INDIFFERENT = ('ctx', 'checkpoint_period', 'prefixes', 'corpus_sha256')


@dataclass(frozen=True)
class Task:
    """One training to be done: a variant of a section, with all its settings."""
    section: Section
    variant: Variant
    settings: RunSettings
    folder: Path

    @property
    def name(self) -> str:
        return f'{self.section.name}/{self.variant.name}'

    def epochs_done(self) -> int:
        """How many epochs its folder holds. Raises ValueError where it holds a run of other settings, or a damaged one."""
        if not (self.folder / 'config.json').exists():
            return 0
        saved = read_config(self.folder)
        for name, wanted in asdict(self.settings).items():
            if name not in _INDIFFERENT and getattr(saved, name) != wanted:
                raise ValueError(f'{self.folder} holds a run with {name} {getattr(saved, name)!r}, this one has {wanted!r}: '
                                 f'choose another --out')
        path = self.folder / 'checkpoint.npz'
        return checkpoint.read_epoch(path) if path.exists() else 0


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('sections', nargs='*', metavar='SECTION', help=', '.join(SECTIONS))
    p.add_argument('--all', action='store_true', help='all sections')
    p.add_argument('--out', type=Path, default=Path('runs/book'), metavar='DIR', help='where the runs and the report are kept')
    p.add_argument('--quick', action='store_true', help="train only to the book's first printing, deep networks with "
                   'fewer hidden units; the report marks it')
    p.add_argument('--jobs', type=int, default=1, help='trainings at a time; they share the CPUs')
    p.add_argument('--impl', choices=[impl for impl in IMPLS if impl != 'gluon'], help='how the networks by hand are run, '
                   'all with the same numbers; the report names it (default: numba on a CPU, where Numba is there, else hybrid)')
    p.add_argument('--corpus', help="a text to use in place of the book's")
    p.add_argument('--num-epochs', type=int, help="epochs of every training; the report marks it (default: the book's)")
    p.add_argument('--num-hiddens', type=int, help="hidden units of every layer; the report marks it (default: the book's)")
    p.add_argument('--seed', type=int, default=0, help='one seed gives one result')
    p.add_argument('--ctx', default='auto', help="where to train: auto (a GPU if there is one), cpu, gpu, 'gpu(1)'")
    p.add_argument('--worker', action='store_true', help=argparse.SUPPRESS)      # trains what standard input names, see `Worker`
    return p


def main() -> None:
    args = parser().parse_args()
    if args.worker:
        work()
        return
    sections = chosen(args)
    for flag, value in (('jobs', args.jobs), ('num-epochs', args.num_epochs), ('num-hiddens', args.num_hiddens)):
        if value is not None and value < 1:
            raise ValueError(f'--{flag} must be 1 or more, got {value}')
    TrainConfig(seed=args.seed)     # says so where it is no seed
    tasks = tasks_of(sections, args)
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
            train_all(waiting, bar, args.jobs, failed)
    except KeyboardInterrupt:
        stopped = KeyboardInterrupt(f'stopped; what is done is saved in {args.out}: the same command goes on')
        with contextlib.suppress(ValueError, OSError):      # that it was stopped is what there is to say
            sum_up(args.out, tasks, failed)
        raise stopped from None
    sum_up(args.out, tasks, failed)
    if failed:
        raise ValueError('; '.join(f'{name}: {error}' for name, error in failed.items()))


def sum_up(out: Path, tasks: List[Task], failed: Dict[str, str]) -> None:
    """Measure what is to be measured of finished runs, print a line for each run, and write the report.

    Trainings that have not come to their end are listed in both. What goes wrong with one run is added to `failed`.
    """
    epochs: Dict[str, int] = {}
    for task in tasks:
        try:
            epochs[task.name] = task.epochs_done()
            if task.section.by_layer and epochs[task.name] == task.settings.num_epochs:
                report.write_layers(task.folder)
        except Exception as error:
            failed.setdefault(task.name, in_one_line(error))
    unfinished = {task.name: how_it_stands(epochs.get(task.name, 0), task.settings.num_epochs, failed.get(task.name, ''))
                  for task in tasks if task.name in failed or epochs[task.name] < task.settings.num_epochs}
    results = report.read_results(out)
    lines = [report.summary(results), *(f'{name:24} {words[0]}' for name, words in unfinished.items())]
    tqdm.write(heading('All of it', 'perplexity, published and ours') + '\n'.join(filter(None, lines)) + '\n')
    notes = [(f'{name}: {words[0]}', f'{name}：{words[1]}') for name, words in unfinished.items()]
    if results or notes or (out / '6.3').exists():
        for path in report.write_report(out, results, unfinished=notes):
            tqdm.write(f'wrote {path}')


def how_it_stands(epoch: int, num_epochs: int, error: str) -> Text:
    """What is to be said of a training that has not come to its end."""
    if error:
        return f'failed, {epoch} of {num_epochs} epochs saved: {error}', f'失败，已存 {epoch} / {num_epochs} 个周期：{error}'
    if epoch:
        return f'stopped, {epoch} of {num_epochs} epochs saved', f'中断，已存 {epoch} / {num_epochs} 个周期'
    return 'not trained yet', '尚未训练'


def chosen(args: argparse.Namespace) -> List[Section]:
    """The sections asked for, in the book's order."""
    unknown = [name for name in args.sections if name not in SECTIONS]
    if unknown:
        raise ValueError(f'unknown section {unknown[0]!r}: choose from {", ".join(SECTIONS)}')
    if bool(args.sections) == args.all:
        raise ValueError(f'give sections ({", ".join(SECTIONS)}) or --all')
    return [section for name, section in SECTIONS.items() if args.all or name in args.sections]


def tasks_of(sections: List[Section], args: argparse.Namespace) -> List[Task]:
    """All trainings of the sections, as the flags want them."""
    tasks, found = [], {}
    if args.corpus and Path(args.corpus).exists():
        args.corpus = str(Path(args.corpus).resolve())      # a run may be gone on with from another folder
    for section in sections:
        for variant in section.variants:
            settings = replace(section.settings_of(variant), seed=args.seed, ctx=args.ctx)
            if args.quick:
                settings = quick(settings)
            if args.num_epochs is not None:
                period = min(settings.pred_period, max(1, args.num_epochs // 4))
                settings = replace(settings, num_epochs=args.num_epochs, pred_period=period)
            if args.num_hiddens is not None:
                settings = replace(settings, num_hiddens=args.num_hiddens)
            wanted = args.corpus or settings.corpus
            if wanted not in found:
                found[wanted] = (wanted, '') if args.corpus else corpus_here(wanted)
                if found[wanted][1]:
                    tqdm.write(f'{wanted} is not here, {found[wanted][0]} takes its place ({found[wanted][1]})')
            settings, folder = replace(settings, corpus=found[wanted][0]), args.out / section.name / variant.name
            if settings.impl != 'gluon':
                settings = replace(settings, impl=args.impl or impl_by_hand(settings, folder))
            tasks.append(Task(section, variant, settings, folder))
    return tasks


def show_sampling(out: Path) -> None:
    text = sampling_shown()
    tqdm.write(heading(SECTIONS['6.3'].name, SECTIONS['6.3'].title[0]) + text)
    (out / '6.3').mkdir(exist_ok=True)
    write_whole(out / '6.3' / 'batches.txt', text)


def heading(name: str, title: str) -> str:
    return f'\n{name}  {title}\n{"-" * (len(name) + len(title) + 2)}\n'


def train_all(tasks: List[Task], bar: Any, jobs: int, failed: Dict[str, str]) -> None:
    """Train all of them, `jobs` at a time. Adds to `failed` the names of those that failed, with the reason."""
    last: Dict[str, int] = {}       # the furthest epoch heard of, of each
    many = min(jobs, len(tasks)) > 1

    def hear(task: Task, message: Dict[str, Any]) -> None:
        if 'epoch' in message:
            bar.set_postfix_str(f'{task.name} {message["perplexity"]:.2f}', refresh=False)
            bar.update(int(message['epoch'] > last.get(task.name, 0)))       # begun again, it comes by the same epochs
            last[task.name] = max(message['epoch'], last.get(task.name, 0))
        if 'print' in message:
            tqdm.write((f'{task.name}  ' if many else '') + message['print'])
        if 'again' in message:
            tqdm.write(f'{task.name}: {message["again"]}; it goes on from its last checkpoint')
        if 'error' in message:
            failed[task.name] = message['error']
            tqdm.write(f'{task.name}: {message["error"]}')

    if not many:
        for task in tasks:
            tqdm.write(heading(task.name, f'{task.section.title[0]}, {task.variant.title[0]}'))
            train(task.folder, task.settings, lambda message, task=task: hear(task, message))      # type: ignore[misc]
        return
    with contextlib.ExitStack() as stack:
        share_out(tasks, [stack.enter_context(Worker(max(1, runtime.usable_cpus() // jobs)))
                          for _ in range(min(jobs, len(tasks)))], hear)


def train(folder: Path, settings: RunSettings, tell: Callable[[Dict[str, Any]], None]) -> None:
    """One training, from where its folder stands to its end; tell() hears of its epochs, its printings and its failure."""
    def on_epoch(record: EpochRecord) -> None:
        tell({'epoch': record.epoch, 'perplexity': record.perplexity})

    try:
        with RunFolder(folder) as run_folder:
            Run(run_folder, settings, resume=True).go(on_epoch=on_epoch, on_print=lambda text: tell({'print': text}),
                                                             on_step=_cli.raise_if_stopped)
    except Exception as error:      # whatever it is, the other trainings go on
        tell({'error': in_one_line(error)})


def in_one_line(error: Exception) -> str:
    """What went wrong; an error that is no expected one is shown with its traceback on standard error."""
    if _cli.expected(error):
        return _cli.one_line(error)
    traceback.print_exception(type(error), error, error.__traceback__)
    return f'{type(error).__name__}: {_cli.one_line(error)}'


class Worker:
    """Another process of this script, which trains what it is told line by line and tells of it, both in JSON.

    Where the process dies, as one does that the system kills for its memory, another takes its place.
    """

    def __init__(self, threads: int):
        self.threads, self.closed = threads, False
        self._start()

    def _start(self) -> None:
        # in a session of its own: Ctrl-C reaches this process alone, which then ends the worker once and lets it save
        self.process = subprocess.Popen([sys.executable, __file__, '--worker'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        encoding='utf-8', env=runtime.child_environment(self.threads),
                                        start_new_session=True)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.closed = True
        if exc[0]:
            self.process.terminate()
        else:
            self.process.stdin.close()      # type: ignore[union-attr]
        self.process.wait()
        if not exc[0]:      # else a thread may still be reading from it
            self.process.stdout.close()     # type: ignore[union-attr]

    def do(self, task: Task) -> Iterator[Dict[str, Any]]:
        """Start a task; yields its messages until it is done or has failed. A task whose process dies gets one more."""
        for kind in ('again', 'error'):
            stdin, stdout = self.process.stdin, self.process.stdout
            with contextlib.suppress(BrokenPipeError, ValueError):      # it has died, perhaps in the middle of a line
                print(json.dumps({'folder': str(task.folder), 'settings': asdict(task.settings)}), file=stdin, flush=True)
                for line in stdout:     # type: ignore[union-attr]
                    message = json.loads(line)
                    if 'done' in message:
                        return
                    yield message
            status = self._end()
            if self.closed:
                return
            self._start()
            yield {kind: f'its process has ended with status {status}'}

    def _end(self) -> int:
        """The status of a process from which nothing more is to be had."""
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):      # what it has not read is lost with it
                pipe.close()        # type: ignore[union-attr]
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def share_out(tasks: List[Task], workers: List[Worker], hear: Callable[[Task, Dict[str, Any]], None]) -> None:
    """Let each worker take the next task as soon as it is free."""
    left: queue.SimpleQueue[Task] = queue.SimpleQueue()
    heard: queue.SimpleQueue[Tuple[Task | None, Dict[str, Any]]] = queue.SimpleQueue()
    for task in tasks:
        left.put(task)

    def lead(worker: Worker) -> None:
        task = None
        try:
            while not worker.closed:
                task = left.get_nowait()
                for message in worker.do(task):
                    heard.put((task, message))
        except queue.Empty:
            pass
        except Exception as error:      # as where no new process can be started
            heard.put((task, {'error': in_one_line(error)}))
        finally:
            heard.put((None, {}))

    for worker in workers:
        threading.Thread(target=lead, args=(worker,), daemon=True).start()
    busy = len(workers)
    while busy:
        subject, message = heard.get()
        if subject:
            hear(subject, message)
        else:
            busy -= 1
    while not left.empty():
        hear(left.get(), {'error': 'no process was left to train it'})


def work() -> None:
    """Train what standard input asks for, until it ends. Whatever else is printed goes to standard error."""
    _cli.stop_on_sigterm()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), 'w', encoding='utf-8')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())       # what C++ prints would not be JSON

    def tell(message: Dict[str, Any]) -> None:
        print(json.dumps(message), file=answers, flush=True)

    quietly = contextlib.suppress(KeyboardInterrupt)        # the process that started it says what there is to say
    with contextlib.redirect_stdout(sys.stderr), quietly:
        for line in sys.stdin:
            asked = json.loads(line)
            train(Path(asked['folder']), RunSettings(**asked['settings']), tell)
            tell({'done': True})


if __name__ == '__main__':
    _cli.run(main)
