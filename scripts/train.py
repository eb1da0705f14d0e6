"""Train a character-level language model and write verses with it, as chapter 6 of the book does.

The defaults are the book's: 256 hidden units, 35 steps, batches of 32, SGD with learning rate 100, gradients clipped
to 0.01. Each --pred-period epochs it prints perplexity, time and verses. A run's folder holds config.json, metrics.jsonl,
samples.txt, curve.png and checkpoint.npz, from which --resume goes on.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping

import _cli
from tqdm import tqdm

from gluon_rnn.cells.build import ALL_CELLS, IMPLS
from gluon_rnn.corpora.corpus import CORPORA
from gluon_rnn.corpora.reading import member_of
from gluon_rnn.corpora.tokens import TOKENS
from gluon_rnn.runs.folder import RunFolder, read_config
from gluon_rnn.runs.run import Run, Training, choose_impl, going_on
from gluon_rnn.runs.settings import COUNTS, MAY_CHANGE, RunSettings, damage
from gluon_rnn.runtime import launched_job
from gluon_rnn.training.config import SAMPLINGS, EpochRecord
from gluon_rnn.training.kvstore import KINDS, TOGETHER, Store
from gluon_rnn.training.schedule import SCHEDULES

EXAMPLES = """examples
  python scripts/train.py                                          a GRU on the embedded lyrics
  python scripts/train.py --corpus jaychou --cell rnn --sampling random      section 6.4
  python scripts/train.py --corpus jaychou --cell rnn --impl gluon --activation relu      section 6.5
  python scripts/train.py --corpus my.txt --cell lstm --num-layers 2 --valid-fraction 0.1 --out runs/mine
  python scripts/train.py --out runs/mine --resume --num-epochs 300
  python scripts/train.py --ctx 'gpu(0),gpu(1)' --impl hybrid --batch-size 64      two GPUs share each batch
  python scripts/launch.py -n 4 -s 2 -- python scripts/train.py --kvstore dist_sync --out runs/mine      four processes do
"""
BOOK = RunSettings()


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    text = p.add_argument_group('text')
    text.add_argument('--corpus', default=BOOK.corpus, help=f'{", ".join(CORPORA)}, or a UTF-8 text file, a zip of one, '
                      'or ZIP:MEMBER')
    text.add_argument('--max-chars', type=int, help='characters to keep from the start, 0: all (default: 10000 of the '
                      "book's two texts, as the book does, all of any other)")
    text.add_argument('--tokens', choices=TOKENS, default=BOOK.tokens, help='what is predicted; words of a Chinese text need '
                      'rjieba')
    text.add_argument('--min-count', type=int, default=BOOK.min_count, help='words seen less often become <unk>')
    text.add_argument('--keep-lines', action='store_true', help='line breaks are kept, as characters or as a word <eos>, instead '
                      'of becoming spaces as in the book')
    text.add_argument('--valid-fraction', type=float, default=BOOK.valid_fraction, help='hold out this part at the end of '
                      'the text and report its perplexity, too')
    text.add_argument('--valid-text', help='a held-out text of its own file, in place of --valid-fraction')
    net = p.add_argument_group('network')
    net.add_argument('--cell', choices=ALL_CELLS, default=BOOK.cell, help='the recurrent network: sections 6.4, 6.7 and 6.8, '
                     'or a Clockwork RNN')
    net.add_argument('--impl', choices=IMPLS, help='scratch: by hand, to be read; hybrid: the same as a graph; '
                     'gluon: the gluon.rnn layer; numba: the numbers of scratch, fast, on a CPU (default: numba on one CPU; '
                     'gluon on a GPU, where it has the equations; else hybrid)')
    net.add_argument('--num-hiddens', type=int, default=BOOK.num_hiddens, help='hidden units of a layer, in each direction')
    net.add_argument('--num-layers', type=int, default=BOOK.num_layers, help='layers, section 6.9')
    net.add_argument('--embed-size', type=int, default=BOOK.embed_size, help='columns of an embedding that the network reads, as '
                     'words need it; 0: one-hot vectors, as in the book')
    net.add_argument('--dropout', type=float, default=BOOK.dropout, help='part of the hidden states between layers '
                     'set to zero in training')
    net.add_argument('--bidirectional', action='store_true', help='a second direction from the end of each batch, section 6.10; '
                     'it reads the answer, so perplexity near 1 means nothing and its verses are poor')
    net.add_argument('--backward-hiddens', type=int, help='hidden units of the second direction (default: as the first)')
    net.add_argument('--activation', choices=['tanh', 'relu', 'sigmoid'], default=BOOK.activation, help='of the rnn')
    net.add_argument('--reset-after', action=argparse.BooleanOptionalAction, default=None, help='of the gru: reset the product '
                     "with W_hh, as Gluon, cuDNN and PyTorch do, instead of the state, as the book does (default: the book's "
                     'form by hand, the other in Gluon)')
    net.add_argument('--periods', type=int, nargs='+', help='of the clockwork: one for each group of hidden units '
                     '(default: 1 2 4 8)')
    how = p.add_argument_group('training')
    how.add_argument('--sampling', choices=SAMPLINGS, default=BOOK.sampling, help='mini-batches, section 6.3')
    how.add_argument('--num-steps', type=int, default=BOOK.num_steps, help='characters in an example')
    how.add_argument('--batch-size', type=int, default=BOOK.batch_size, help='examples in a batch')
    how.add_argument('--num-epochs', type=int, help='(default: 250 for the rnn, 160 for the others)')
    how.add_argument('--lr', type=float, help='learning rate (default: 100 for sgd, 0.01 for other optimizers)')
    how.add_argument('--lr-schedule', choices=SCHEDULES, default=BOOK.lr_schedule, help='step: times --lr-decay at each epoch '
                     'after the first --lr-decay-after; cosine: falls to --lr-decay times lr; plateau: times --lr-decay where '
                     'held-out text gets no better in --lr-decay-after epochs')
    how.add_argument('--warmup', type=int, default=BOOK.warmup, help='updates in which the learning rate rises to its '
                     'full height')
    how.add_argument('--lr-decay', type=float, help='(default: 0.97 for step, 0 for cosine, 0.5 for plateau)')
    how.add_argument('--lr-decay-after', type=int, help='epochs (default: 10 for step, 1 for plateau)')
    how.add_argument('--optimizer', default=BOOK.optimizer, help='the name of any MXNet optimizer')
    how.add_argument('--clipping-theta', type=float, default=BOOK.clipping_theta, help='largest global norm of '
                     'the gradients, 0: no clipping')
    how.add_argument('--ctx', default=BOOK.ctx, help="where to train: auto (a GPU if there is one), cpu, gpu, 'gpu(1)', or "
                     "several that share each batch: 'gpu(0),gpu(1)'")
    how.add_argument('--kvstore', choices=KINDS, help='what adds up the gradients of several contexts (local: on the CPU, '
                     'device: where they are), and of the workers that scripts/launch.py starts (dist_sync, dist_device_sync) '
                     '(default: dist_sync for such a worker, else device)')
    how.add_argument('--seed', type=int, default=BOOK.seed, help='one seed gives one result')
    show = p.add_argument_group('verses')
    show.add_argument('--pred-period', '--period', dest='period', type=int, help='epochs from one printing to the next '
                      '(default: 50 for the rnn, 40 for the others)')
    show.add_argument('--prefixes', '--prefix', dest='prefix', action='extend', nargs='+', help='what verses start with '
                      '(default: 分开 and 不分开, or the first characters of a text that does not have them)')
    show.add_argument('--pred-len', '--length', dest='length', type=int, default=BOOK.length, help='characters, or words, to add '
                      'to each prefix')
    out = p.add_argument_group('the run')
    out.add_argument('--out', type=Path, help='its folder (default: a new one in runs/)')
    out.add_argument('--resume', action='store_true', help='go on with the run in --out')
    out.add_argument('--overwrite', action='store_true', help='replace the run in --out')
    out.add_argument('--checkpoint-period', type=int, default=BOOK.checkpoint_period, help='epochs from one checkpoint '
                     'to the next')
    return p


def main() -> None:
    args = parser().parse_args()
    if args.resume and not args.out:
        raise ValueError('--resume needs --out, the folder of the run to go on with')
    if args.resume and args.overwrite:
        raise ValueError('--resume and --overwrite exclude each other')
    settings = settings_of(args)
    kvstore = args.kvstore or ('dist_sync' if launched_job() else None)
    together = kvstore in TOGETHER
    _cli.stop_on_sigterm(at_once=not together)
    with Store(kvstore) if kvstore else contextlib.nullcontext() as store:
        if together:
            _cli.end_at_once()
        if store and store.rank:
            settings = json.loads(store.broadcast(None))
            Training(settings, store=store).follow(stop=_cli.asked_to_stop)
        else:
            lead(args, settings, store)


def lead(args: argparse.Namespace, settings: Dict[str, Any], store: Store | None) -> None:
    """What the one process does, or of several the one that writes."""
    if not args.resume:
        settings['impl'] = choose_impl(settings, store)
    out = args.out or new_folder(settings)
    if args.resume and not out.is_dir():
        raise ValueError(f'{out} does not exist: there is no run to go on with')
    with RunFolder(out) as folder:
        if args.resume and folder.holds_run():
            settings = going_on(merge(read_config(out), settings), folder)
        elif args.resume and not set(explicit()) - {'out', 'resume', 'kvstore', 'ctx'}:
            raise ValueError(f'{out} holds no run to go on with: give all its flags again, with or without --resume, to start it')
        elif args.resume:
            tqdm.write(f'{out} holds no run yet: starting one')
        if store:
            store.broadcast(json.dumps(settings).encode())
        train(Run(folder, settings, resume=args.resume, overwrite=args.overwrite, store=store))


def settings_of(args: argparse.Namespace) -> Dict[str, Any]:
    """The flags, with the defaults that depend on other flags filled in."""
    settings = {name: value for name, value in vars(args).items() if name not in ('out', 'resume', 'overwrite', 'kvstore')}
    rnn = args.cell == 'rnn'
    for name, default in (('num_epochs', 250 if rnn else 160), ('period', 50 if rnn else 40),
                          ('lr', 1e2 if args.optimizer == 'sgd' else 1e-2)):
        if settings[name] is None:
            settings[name] = default
    for name in COUNTS:
        if settings[name] < 1:
            raise ValueError(f'--{name.replace("_", "-")} must be 1 or more, got {settings[name]}')
    if args.dropout and args.num_layers == 1:
        raise ValueError('--dropout acts between layers: add --num-layers 2 or more')
    for name in ('corpus', 'valid_text'):       # a resumed run may start from another folder
        if settings[name] not in (None, *CORPORA) and member_of(settings[name])[0].exists():
            path, member = member_of(settings[name])
            settings[name] = f'{path.resolve()}{":" * bool(member)}{member or ""}'
    return settings


def merge(saved: Dict[str, Any], given: Dict[str, Any]) -> Dict[str, Any]:
    """The saved run's settings, with what may change taken from the flags that were given."""
    defaults = settings_of(parser().parse_args([]))     # for what an older version did not know
    saved = {**defaults, **{name: value for name, value in saved.items() if name in given or name == 'corpus_sha256'}}
    if wrong := damage(saved):
        raise ValueError(f'config.json is damaged ({wrong}): start a new run')
    for name in explicit():
        if name not in given or given[name] == saved[name]:
            continue
        if name not in MAY_CHANGE:
            raise ValueError(f'--{name.replace("_", "-")} is {saved[name]!r} in the run to go on with, got {given[name]!r}: '
                             f'leave it out, or start a new run')
        saved[name] = given[name]
    return saved


def explicit() -> List[str]:
    """The names of the flags that were given on the command line."""
    bare = parser()
    for action in bare._actions:
        action.default = argparse.SUPPRESS
    return list(vars(bare.parse_args()))


def new_folder(settings: Mapping[str, Any]) -> Path:
    """A folder in runs/ that no run has taken yet."""
    name = f'{Path(settings["corpus"]).stem}-{settings["cell"]}-{settings["impl"]}'
    taken = {path.name for path in Path('runs').glob('*')}
    return Path('runs') / next(f'{name}-{i}' for i in range(1, len(taken) + 2) if f'{name}-{i}' not in taken)


def train(run: Run) -> None:
    """Train to the end, with a bar, and print as the book prints."""
    together = run.store is not None and run.store.together     # then all must stop at one step
    num_epochs = run.settings['num_epochs']
    if run.resumed:
        tqdm.write(f'going on after epoch {run.trainer.epoch} of {run.folder.folder}')
    if run.trainer.epoch >= num_epochs:
        tqdm.write(f'{run.folder.folder} has its {num_epochs} epochs already: raise --num-epochs to train on')
        return
    with tqdm(total=num_epochs, initial=run.trainer.epoch, unit='epoch', disable=None) as bar:
        def on_epoch(record: EpochRecord) -> None:
            bar.set_postfix_str(f'perplexity {record.perplexity:.2f}', refresh=False)
            bar.update()

        def on_step(step: int, steps: int) -> None:
            if not together:
                _cli.raise_if_stopped()
            bar.set_postfix_str(f'step {step} of {steps}', refresh=False)
            bar.update(0)

        try:
            run.go(on_epoch=on_epoch, on_print=tqdm.write, on_step=on_step,
                   stop=_cli.asked_to_stop if together else None)
        except KeyboardInterrupt:
            command = shlex.join([sys.executable, __file__, '--out', str(run.folder.folder), '--resume'])
            raise KeyboardInterrupt(f'stopped; {run.saved_epoch} epochs are saved in {run.folder.folder}, go on with: '
                                    f'{"the launcher and " * together}{command}') from None
    tqdm.write(f'saved in {run.folder.folder}')


if __name__ == '__main__':
    _cli.run(main)
