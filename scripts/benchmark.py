"""How fast it is: epochs beside d2lzh, how time and memory grow with each size, how fast text is written.

  epochs       seconds an epoch and memory, beside d2lzh and, where it is installed, PyTorch
  growth       the same while steps, hidden units, batch, vocabulary or text grow, with the fitted exponents
  generation   characters a second, beside d2lzh's predict_rnn

    python scripts/benchmark.py epochs --cell gru       # some minutes on two cores; numba eleven times as fast as d2lzh scratch

Each case runs in a process of its own, all with the same number of threads, taking turns; figures are medians of the rounds.
`epochs` of all networks takes some ten minutes, `growth` some minutes for each size, `generation` a minute or two.
"""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, List

import _cli
from _flags import add_out, check_free

from gluon_rnn.benchmark.cases import (
    SIZES,
    measure_epochs,
    measure_generation,
    measure_growth,
    plot_bars,
    plot_growth,
    to_list,
)
from gluon_rnn.benchmark.implementations import Setting, epoch_cases, own_cases, peer_cases, torch_cases
from gluon_rnn.benchmark.measuring import speed_table
from gluon_rnn.cells.build import CELLS, IMPLS
from gluon_rnn.plots import save_figure
from gluon_rnn.runs.files import write_whole

EXAMPLES = """examples
  python scripts/benchmark.py epochs --out runs/benchmark
  python scripts/benchmark.py growth --size num_steps num_hiddens --impl hybrid --out runs/benchmark
  python scripts/benchmark.py generation --cell gru lstm
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    commands = p.add_subparsers(required=True, metavar='epochs|growth|generation', parser_class=_cli.ArgumentParser)
    epochs = commands.add_parser('epochs', help='seconds an epoch', description=epochs_command.__doc__)
    epochs.add_argument('--only', nargs='+', metavar='ROW', help='only the rows of these names')
    epochs.add_argument('--busy', action='store_true', help='beside other programs, one for each CPU')
    for name in ('num-hiddens', 'batch-size', 'vocab-size', 'num-chars'):
        epochs.add_argument(f'--{name}', type=_cli.count, default=getattr(Setting, name.replace('-', '_')),
                            help="(default: the book's)")
    growth = commands.add_parser('growth', help='how time and memory grow', description=growth_command.__doc__)
    growth.add_argument('--size', choices=list(SIZES), nargs='+', default=list(SIZES)[:-1], help='what grows')
    growth.add_argument('--values', type=_cli.count, nargs='+',
                        help='instead of the sizes measured by default; with one --size only')
    growth.add_argument('--impl', choices=IMPLS, nargs='+', default=['hybrid'], help='implementations')
    generation = commands.add_parser('generation', help='characters a second', description=generation_command.__doc__)
    generation.add_argument('--length', type=_cli.count, default=200, help='characters to write')
    for command, function, file in ((epochs, epochs_command, 'epochs.json'), (growth, growth_command, 'growth.json'),
                                    (generation, generation_command, 'generation.json')):
        command.set_defaults(function=function, file=file)
        command.add_argument('--cell', choices=CELLS, nargs='+', default=['gru'] if command is growth else list(CELLS))
        command.add_argument('--threads', type=_cli.count, help='of each process; all CPUs unless given')
        command.add_argument('--rounds', type=_cli.count, default=5, help='of each case')
        add_out(command, Path('runs/benchmark'), 'folder for the JSON and the pictures')
    return p


def epochs_command(args: argparse.Namespace) -> None:
    """Seconds an epoch at the book's setting: 1027 characters, 256 hidden units, 35 steps, batches of 32."""
    if not torch_cases():
        tell('PyTorch is not installed, its rows are left out: pip install -r requirements-dev.txt')
    if not peer_cases():
        tell('JAX is not there, its row is left out: make peers')
    cases = epoch_cases()
    if unknown := sorted(set(args.only or []) - {case.name for case in cases}):
        raise ValueError(f'--only must be of {", ".join(case.name for case in cases)}, got {unknown[0]}')
    cases = [case for case in cases if not args.only or case.name in args.only]
    sizes = {name: getattr(args, name) for name in ('num_hiddens', 'batch_size', 'vocab_size', 'num_chars')}
    found = measure_epochs(cases, [Setting(cell=cell, **sizes) for cell in args.cell], rounds=args.rounds, threads=args.threads,
                           busy=args.busy, on_progress=tell, on_table=print)
    save(args.out / args.file, to_list(found))
    save_figure(plot_bars(found), args.out / 'epochs.png')


def growth_command(args: argparse.Namespace) -> None:
    """Seconds a batch (of text: an epoch) and memory while one size grows and the rest stays as in the book."""
    found: List[Any] = []
    for cell in args.cell:
        for size in args.size:
            growths = measure_growth(own_cases(args.impl), Setting(cell=cell), size, args.values or SIZES[size],
                                     rounds=args.rounds, threads=args.threads, on_progress=tell)
            for growth in growths:
                print(f'{cell}, {growth.label}')
                for value, seconds, memory in zip(growth.sizes, growth.seconds, growth.memory):
                    print(f'  {value:>9}  {seconds:9.4f} s  {memory / 2 ** 20:7.0f} MiB')
                if growth.error:
                    print(f'  not measured from {growth.error}')
            if any(growth.sizes for growth in growths):
                args.out.mkdir(parents=True, exist_ok=True)
                save_figure(plot_growth(growths), args.out / f'growth-{cell}-{size}.png')
            found += [{'cell': cell, **growth.to_dict()} for growth in growths]
    save(args.out / args.file, found)


def generation_command(args: argparse.Namespace) -> None:
    """Characters a second, greedy, 256 hidden units."""
    found, columns = {}, ('lowest', 'highest', 'chars/s', 'times', 'first', 'MiB', 'libs')
    for cell in args.cell:
        measured = measure_generation(cell, args.length, rounds=args.rounds, threads=args.threads, on_progress=tell)
        print(f'{cell}, {args.length} characters\n{speed_table(measured, unit="text", columns=columns)}')
        found[cell] = [m.to_dict(measured[0]) for m in measured]
    save(args.out / args.file, found)


def tell(text: str) -> None:
    print(text, file=sys.stderr)


def save(path: Path, found: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(found, indent=2) + '\n')


def main() -> None:
    args = parser().parse_args()
    if getattr(args, 'values', None) and len(args.size) > 1:
        raise ValueError(f'--values needs one --size, got {" ".join(args.size)}')
    check_free([args.out / args.file], args.overwrite)
    args.function(args)


if __name__ == '__main__':
    _cli.run(main)
