"""Several trainings of run folders, in this process or side by side in processes of their own."""
from __future__ import annotations

import collections
import contextlib
import functools
import multiprocessing.connection
import pickle
import signal
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import _cli

from gluon_rnn import runtime
from gluon_rnn.book.tasks import Task
from gluon_rnn.runs.folder import RunFolder
from gluon_rnn.runs.run import Run
from gluon_rnn.runs.settings import RunSettings
from gluon_rnn.training.config import EpochRecord


def train_all(tasks: List[Task], jobs: int, hear: Callable[[Task, Dict[str, Any]], None]) -> None:
    """Train all of them, `jobs` at a time; hear(task, message) is told of epochs, printings and failures.

    Several at a time are processes of their own. One whose process dies, as one does that the system kills for its memory, is
    begun again once, and goes on from its last checkpoint.
    """
    if min(jobs, len(tasks)) < 2:
        for task in tasks:
            hear(task, {'begin': True})
            train(task.folder, task.settings, functools.partial(hear, task))
        return
    left, begun = list(tasks), collections.Counter[str]()
    running: Dict[Any, Tuple[Task, Any]] = {}       # by what they tell through
    try:
        while left or running:
            while left and len(running) < jobs:
                task = left.pop(0)
                begun[task.name] += 1
                try:
                    process, messages = start(task, max(1, runtime.usable_cpus() // jobs))
                except OSError as error:        # no more processes, or no memory for one
                    hear(task, {'error': in_one_line(error)})
                    continue
                running[messages] = task, process
            ready: List[Any] = multiprocessing.connection.wait(list(running)) if running else []
            for messages in ready:
                task, process = running[messages]
                try:
                    hear(task, messages.recv())
                except (EOFError, OSError, pickle.UnpicklingError):     # it has ended, or died in the middle of a message
                    del running[messages]
                    process.join()
                    messages.close()
                    died = f'its process has ended with status {process.exitcode}'
                    if process.exitcode and begun[task.name] == 1:
                        hear(task, {'again': died})
                        left.append(task)
                    elif process.exitcode:
                        hear(task, {'error': died})
    finally:
        for _, process in running.values():
            process.terminate()     # it saves its last whole epoch
        for _, process in running.values():
            process.join()


def start(task: Task, threads: int) -> Tuple[Any, Any]:
    """A process of its own that trains a task, begun anew (a fork would hang with MXNet's threads), and what it tells."""
    context = multiprocessing.get_context('spawn')
    messages, sender = context.Pipe(duplex=False)
    process = context.Process(target=train_here, args=(task.folder, task.settings, sender), daemon=True)
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])    # Ctrl-C is for this process, which ends that one
    try:
        with runtime.child_variables(threads):
            process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        sender.close()
    return process, messages


def train_here(folder: Path, settings: RunSettings, sender: Any) -> None:
    """The work of a process that `start` has begun."""
    _cli.stop_on_sigterm()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):       # the process that started it says what there is to say
        train(folder, settings, sender.send)


def train(folder: Path, settings: RunSettings, tell: Callable[[Dict[str, Any]], None]) -> None:
    """One training, from where its folder stands to its end; tell() hears of its epochs, its printings and its failure."""
    def on_epoch(record: EpochRecord) -> None:
        tell({'epoch': record.epoch, 'perplexity': record.perplexity})

    try:
        with RunFolder(folder) as run_folder:
            Run(run_folder, settings, resume=True).go(on_epoch=on_epoch, on_print=lambda text: tell({'print': text}),
                                                      on_step=_cli.raise_if_stopped)
    except BrokenPipeError:
        raise
    except Exception as error:      # whatever it is, the other trainings go on
        tell({'error': in_one_line(error)})


def in_one_line(error: Exception) -> str:
    """An error in one line; one that is no expected one is shown with its traceback on standard error."""
    if _cli.expected(error):
        return _cli.one_line(error)
    traceback.print_exception(type(error), error, error.__traceback__)
    return f'{type(error).__name__}: {_cli.one_line(error)}'
