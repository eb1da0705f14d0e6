"""Learn beside d2lzh: the book's networks on the book's lyrics, the same seeds, the original next to this project.

    python scripts/compare_d2lzh.py gru-consecutive --seeds 0       # some ten minutes on two cores; 1.818 here, 1.835 there

The networks are this project's own. Of speed nothing is said: the book's code through gluon_rnn.d2lzh is as fast as d2lzh's.

Prints the perplexity of each at the book's epochs and writes DIR/learning.json. Both start from the same MXNet seed; the
vocabulary is this project's for both, since d2lzh's own changes from process to process. A figure that DIR/learning.json holds
already is not computed again, so the command may be stopped and started. Everything takes some three hours.
"""
from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import random
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import _cli
import filelock
from _flags import add_out
from _progress import Progress

import gluon_rnn
from gluon_rnn.runs.checksum import verified, with_checksum
from gluon_rnn.runs.files import write_whole
from gluon_rnn.tables import printed


@dataclass(frozen=True)
class BookTraining:
    """One of the book's trainings: 256 hidden units, 35 steps, batch 32, learning rate 100, clipped to 0.01."""
    cell: str
    impl: str
    sampling: str
    num_epochs: int
    period: int
    activation: str = 'tanh'


NETWORKS = {
    'rnn-random': BookTraining('rnn', 'scratch', 'random', 250, 50),
    'rnn-consecutive': BookTraining('rnn', 'scratch', 'consecutive', 250, 50),
    'gru-consecutive': BookTraining('gru', 'scratch', 'consecutive', 160, 40),
    'lstm-consecutive': BookTraining('lstm', 'scratch', 'consecutive', 160, 40),
    'rnn-gluon-relu': BookTraining('rnn', 'gluon', 'consecutive', 250, 50, activation='relu'),
}
SIDES = ('gluon_rnn', 'd2lzh')


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__)
    p.add_argument('networks', nargs='*', metavar='NETWORK', help=f'{", ".join(NETWORKS)} (default: all)')
    p.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    p.add_argument('--sides', nargs='+', choices=SIDES, default=list(SIDES))
    p.add_argument('--num-epochs', type=_cli.count, help="(default: the book's)")
    p.add_argument('--corpus', default='jaychou')
    add_out(p, Path('runs/compare_d2lzh'), 'folder for the figures; what is there is kept, and only what is missing is computed')
    return p


def main() -> None:
    args = parser().parse_args()
    names = args.networks or list(NETWORKS)
    unknown = set(names) - NETWORKS.keys()
    if unknown:
        raise ValueError(f'network must be of {", ".join(NETWORKS)}, got {", ".join(sorted(unknown))}')
    gluon_rnn.load_corpus(args.corpus)      # is refused here, before anything is written
    args.out.mkdir(parents=True, exist_ok=True)
    if args.overwrite:
        for name in ('learning.json', 'settings.json'):
            (args.out / name).unlink(missing_ok=True)
    check_same(args.out, {'corpus': args.corpus, 'num_epochs': args.num_epochs})
    wanted = [f'{name}/{side}/{seed}' for seed in args.seeds for name in names for side in args.sides]
    missing = [one for one in wanted if one not in saved_figures(args.out)]
    with Progress(len(missing)) as progress:
        for done, one in enumerate(missing):
            progress.at(done, f'training {done + 1} of {len(missing)}: {one}')
            name, side, seed = one.split('/')
            learn = theirs if side == 'd2lzh' else ours
            save_figures(args.out, one, learn(NETWORKS[name], int(seed), args.corpus, args.num_epochs))
    print(table(names, saved_figures(args.out)))


def check_same(out: Path, settings: Dict[str, Any]) -> None:
    """Raise ValueError if the figures in the folder are of another text or number of epochs."""
    path = out / 'settings.json'
    try:
        saved = json.loads(path.read_bytes()) if path.exists() else settings
    except ValueError as error:
        raise ValueError(f'{path} is damaged ({error}): choose another --out') from None
    if saved != settings:
        raise ValueError(f'{out} holds figures of other settings ({json.dumps(saved)}): choose another --out')
    write_whole(path, json.dumps(settings))


def saved_figures(out: Path) -> Dict[str, Dict[str, float]]:
    path = out / 'learning.json'
    if not path.exists():
        return {}
    try:
        figures = verified(path.read_bytes())
        if not all(isinstance(of_one, dict) and of_one for of_one in figures.values()):
            raise ValueError('it is of another format')
    except ValueError as error:
        raise ValueError(f'{path} is damaged ({error}): delete it, or choose another --out') from None
    return figures


def save_figures(out: Path, one: str, figures: Dict[int, float]) -> None:
    with filelock.FileLock(out / '.lock'):      # several commands may work on one folder
        content = {**saved_figures(out), one: {str(epoch): value for epoch, value in figures.items()}}
        write_whole(out / 'learning.json', json.dumps(with_checksum(content), indent=1) + '\n')


def ours(network: BookTraining, seed: int, corpus_name: str, num_epochs: int | None) -> Dict[int, float]:
    """Perplexity at the printed epochs, by this project's trainer."""
    corpus = gluon_rnn.load_corpus(corpus_name)
    gluon_rnn.seed(seed)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell=network.cell, impl=network.impl, activation=network.activation,
                                                        vocab_size=corpus.vocab_size))
    num_epochs = num_epochs or network.num_epochs
    config = gluon_rnn.TrainConfig(sampling=network.sampling, num_epochs=num_epochs, seed=seed)
    records = gluon_rnn.train(model, corpus.indices, config)
    return {epoch: record.perplexity for epoch, record in records.items() if epoch % network.period == 0 or epoch == num_epochs}


def theirs(network: BookTraining, seed: int, corpus_name: str, num_epochs: int | None) -> Dict[int, float]:
    """The same by d2lzh's own trainer, around the networks as the book writes them."""
    from gluon_rnn.benchmark.workers import book
    corpus = gluon_rnn.load_corpus(corpus_name)
    text: Any = (corpus.indices.tolist(), list(corpus.idx_to_char), corpus.char_to_idx)
    gluon_rnn.seed(seed)
    random.seed(seed)
    num_epochs = num_epochs or network.num_epochs
    rest: Any = (num_epochs, 35, 1e2, 1e-2, 32, min(network.period, num_epochs), 0, [])
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if network.impl == 'gluon':
            model = book.d2l.RNNModel(book.layers.RNN(256), corpus.vocab_size)
            book.d2l.train_and_predict_rnn_gluon(model, 256, corpus.vocab_size, book.ctx, *text, *rest)
        else:
            step, params, init = book.by_hand(network.cell, 256, corpus.vocab_size)
            book.d2l.train_and_predict_rnn(step, lambda: params, init, 256, corpus.vocab_size, book.ctx, *text,
                                           network.sampling == 'random', *rest)
    lines = [line.replace(',', '').split() for line in printed.getvalue().splitlines() if line.startswith('epoch')]
    return {int(words[1]): float(words[3]) for words in lines}


def table(names: List[str], figures: Dict[str, Dict[str, float]]) -> str:
    """A row a network and side: the perplexity at the last epoch for each seed, and the median."""
    rows = []
    for name, side in itertools.product(names, SIDES):
        own = [values for one, values in sorted(figures.items()) if one.startswith(f'{name}/{side}/')]
        if own:
            last = [list(values.values())[-1] for values in own]
            rows.append({'network': name, 'side': side, 'epoch': int([*own[0]][-1]), 'median': statistics.median(last),
                         'of each seed': ' '.join(f'{value:.3f}' for value in last)})
    return printed(rows) if rows else 'nothing is learned yet'


if __name__ == '__main__':
    _cli.run(main)
