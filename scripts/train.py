"""Train a language model, of characters as in chapter 6 of the book or of words, and write verses with it.

    python scripts/train.py --corpus jaychou        # a minute on two cores; perplexity 1.82 after 160 epochs

The defaults are the book's: 256 hidden units, 35 steps, batches of 32, SGD with learning rate 100, gradients clipped
to 0.01. Each --pred-period epochs it prints perplexity, time and verses. A run's folder holds config.json, metrics.jsonl,
samples.txt, curve.png and checkpoint.npz, from which --resume goes on; with held-out text best.npz, too, the best epoch's model.
"""
from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any, Dict

import _cli
from _flags import add_settings
from _progress import Progress
from _runs import add_run, check_resume, given_settings, kept, resume_command

from gluon_rnn.cells.build import ALL_CELLS, IMPLS
from gluon_rnn.corpora.corpus import CORPORA
from gluon_rnn.corpora.tokens import TOKENS
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.fine_tune import network_settings
from gluon_rnn.runs.folder import RunFolder, read_config
from gluon_rnn.runs.header import header
from gluon_rnn.runs.run import Run, TrainingJob, choose_impl, going_on
from gluon_rnn.runs.settings import RunSettings
from gluon_rnn.runtime import launched_job
from gluon_rnn.training.config import SAMPLINGS, EpochRecord
from gluon_rnn.training.early_stopping import best_epoch
from gluon_rnn.training.kvstore import DISTRIBUTED, KINDS, Store
from gluon_rnn.training.schedule import SCHEDULES

EXAMPLES = """examples
  python scripts/train.py                                          a GRU on the embedded lyrics
  python scripts/train.py --corpus jaychou --cell rnn --sampling random      section 6.4
  python scripts/train.py --corpus jaychou --cell rnn --impl gluon --activation relu      section 6.5
  python scripts/train.py --corpus my.txt --cell lstm --num-layers 2 --valid-fraction 0.1 --out runs/mine
  python scripts/train.py --out runs/mine --resume --num-epochs 300
  python scripts/train.py --corpus other.txt --init-from runs/mine --lr 10 --out runs/other      fine-tuning
  python scripts/train.py --ctx 'gpu(0),gpu(1)' --impl hybrid --batch-size 64      two GPUs share each batch
  python scripts/launch.py -n 4 -s 2 -- python scripts/train.py --kvstore dist_sync --out runs/mine      four processes do
"""
CHOICES = {'cell': ALL_CELLS, 'impl': IMPLS, 'activation': ('tanh', 'relu', 'sigmoid'), 'sampling': SAMPLINGS,
           'lr_schedule': SCHEDULES, 'tokens': TOKENS}


def parser() -> argparse.ArgumentParser:
    """A parser of all settings and of what else a run is told; flags that are not given are not in what it returns."""
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES, argument_default=argparse.SUPPRESS)
    groups = add_settings(p, CHOICES, corpora=', '.join(CORPORA))
    groups['training'].add_argument('--kvstore', choices=KINDS, help='what adds up the gradients of several contexts (local: on '
                                    'the CPU, device: where they are), and of the workers that scripts/launch.py starts '
                                    '(dist_sync, dist_device_sync) (default: dist_sync for such a worker, else device)')
    add_run(groups['the run'], None, 'its folder (default: a new one in runs/)')
    return p


def main() -> None:
    args = parser().parse_args()
    if args.resume and not args.out:
        raise ValueError('--resume needs --out, the folder of the run to go on with')
    given = all_given(args)
    settings = RunSettings(**given)
    kvstore = getattr(args, 'kvstore', 'dist_sync' if launched_job() else None)
    distributed = kvstore in DISTRIBUTED
    _cli.stop_on_sigterm(at_once=not distributed)
    with Store(kvstore) if kvstore else contextlib.nullcontext() as store:
        if distributed:
            _cli.end_at_once()
        if store and store.rank:
            settings = RunSettings(**json.loads(store.broadcast(None)))
            TrainingJob(settings, store=store).follow(stop=_cli.asked_to_stop)
        else:
            lead(args, given, settings, store)


def lead(args: argparse.Namespace, given: Dict[str, Any], settings: RunSettings, store: Store | None) -> None:
    """Train and write: in the only process, or in that of rank 0 of several."""
    if not args.resume:
        settings = dataclasses.replace(settings, impl=choose_impl(settings, store))
    out = args.out or new_folder(settings)
    check_resume(args, out)
    with RunFolder(out) as folder:
        if args.resume and folder.holds_run():
            settings = going_on(read_config(out).changed(given), folder)
        elif args.resume and not given.keys() - {field.name for field in dataclasses.fields(RunSettings)
                                                 if field.metadata.get('may_change')}:
            raise ValueError(f'{out} holds no run to go on with: give all its flags again, with or without --resume, to start it')
        elif args.resume:
            print(f'{out} holds no run yet: starting one')
        if store:
            store.broadcast(json.dumps(dataclasses.asdict(settings)).encode())
        train(Run(folder, settings, resume=args.resume, overwrite=args.overwrite, store=store))


def all_given(args: argparse.Namespace) -> Dict[str, Any]:
    """The settings that were given as flags, and those of the network of the run to begin with."""
    given = given_settings(args, RunSettings)
    if 'init_from' in given:
        given['init_from'] = str(Path(given['init_from']).resolve())
        given = {**network_settings(checkpoint.read(checkpoint.find_checkpoint(Path(given['init_from'])))), **given}
    return given


def new_folder(settings: RunSettings) -> Path:
    """A folder in runs/ that no run has taken yet."""
    name = f'{Path(settings.corpus).stem}-{settings.cell}-{settings.impl}'
    taken = {path.name for path in Path('runs').glob('*')}
    return Path('runs') / next(f'{name}-{i}' for i in range(1, len(taken) + 2) if f'{name}-{i}' not in taken)


def train(run: Run) -> None:
    """Train to the end, with a bar, and print as the book prints."""
    distributed = run.store is not None and run.store.distributed     # then all must stop at one step
    num_epochs = run.settings.num_epochs
    if run.resumed:
        print(f'going on after epoch {run.trainer.epoch} of {run.folder.folder}')
    if run.trainer.done:
        print(early(run) or f'{run.folder.folder} has its {num_epochs} epochs already: raise --num-epochs to train on')
        return
    print(header(run))
    learned = ''
    with Progress(num_epochs, 'first step', done=run.trainer.epoch) as progress:
        def on_epoch(record: EpochRecord) -> None:
            nonlocal learned
            held_out = '' if record.valid_perplexity is None else f', held-out {record.valid_perplexity:.2f}'
            learned = f', perplexity {record.perplexity:.2f}{held_out}'

        def on_step(step: int, steps: int) -> None:
            if not distributed:
                _cli.raise_if_stopped()
            progress.step(run.trainer.epoch, step, steps, learned)

        with kept(run, command_to_go_on(run)):
            run.go(on_epoch=on_epoch, on_print=progress.write, on_step=on_step,
                   stop=_cli.asked_to_stop if distributed else None)
    if said := early(run):
        print(said)
    if best := best_epoch(run.trainer.held_out):
        print(f'best on held-out text: epoch {best}, perplexity {run.trainer.held_out[best]:f} (best.npz)')
    print(f'saved in {run.folder.folder}')


def early(run: Run) -> str:
    """The line on a training that stopped early, '' for any other."""
    if not run.trainer.done or run.trainer.epoch >= run.settings.num_epochs:
        return ''
    return (f'stopped after epoch {run.trainer.epoch}: none of the last {run.settings.patience} was better on held-out text '
            f'(raise --patience to train on)')


def command_to_go_on(run: Run) -> str:
    """The command that goes on with a stopped run, to be pasted."""
    job, command = launched_job(), resume_command(run.folder.folder, __file__)
    if run.store and run.store.kind not in ('device', 'dist_sync'):
        command += f' --kvstore {run.store.kind}'
    return f'{job.launcher if job else ""} {command}'.strip()


if __name__ == '__main__':
    _cli.run(main)
