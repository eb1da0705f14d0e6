"""Hold this project beside PyTorch: the same numbers, the same learning, the speed side by side.

    python scripts/compare_torch.py parity      # a minute on two cores; 210 of 210 equal

  parity   every network and its twin with the same weights on the same batches; exit status 1 where two are not equal
  curves   both learning, in the book's way and in that of the PyTorch ports; ten minutes on two cores
  speed    seconds, characters a second and memory, with d2lzh, each in a process of its own; ten minutes, too
  all      all three, and one HTML page of them
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping

import _cli
from _flags import add_out, add_quick, add_seed, check_free
from _runs import given_settings
from tqdm import tqdm

import gluon_rnn
from gluon_rnn.benchmark.cases import measure_epochs, plot_bars, settings_around, to_list
from gluon_rnn.benchmark.implementations import Setting, epoch_cases
from gluon_rnn.cells.build import CELLS, IMPLS
from gluon_rnn.corpora.corpus import CORPORA
from gluon_rnn.plots import save_figure
from gluon_rnn.runs.files import write_whole
from gluon_rnn.runs.run import prefixes

EXAMPLES = """examples
  python scripts/compare_torch.py parity --only 'LSTM |' --num-hiddens 256 --num-steps 35 --batch-size 32 --vocab-size 1027
  python scripts/compare_torch.py curves --cell lstm --num-epochs 40 --out runs/curves
  python scripts/compare_torch.py speed --grid --out runs/speed
  python scripts/compare_torch.py all --quick --out runs/torch
"""
SIZES = {'num-hiddens': 'hidden units', 'num-steps': 'characters in an example', 'batch-size': 'examples in a batch',
         'vocab-size': 'characters'}


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    commands = p.add_subparsers(required=True, metavar='parity|curves|speed|all', parser_class=_cli.ArgumentParser)

    def add(name: str, text: str, function: Any, files: List[str], sizes: Mapping[str, int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=function.__doc__)
        command.set_defaults(function=function, files=files)
        add_out(command, Path('runs/torch'), 'folder for the JSON and the pictures')
        for flag, size in sizes.items():
            command.add_argument(f'--{flag}', type=_cli.count, default=size, help=SIZES[flag])
        return command

    parity = add('parity', 'the same numbers', run_parity, ['parity.json'],
                 {'num-hiddens': 32, 'num-steps': 10, 'batch-size': 4, 'vocab-size': 50})
    parity.add_argument('--only', default='', help="the networks whose row begins so, as 'LSTM |'")
    book = {'num-hiddens': 256, 'num-steps': 35, 'batch-size': 32}
    curves = add('curves', 'the same learning', run_curves, ['curves.json', 'curves.png'], book)
    speed = add('speed', 'seconds and memory', run_speed, ['speed.json', 'speed.png'], {**book, 'vocab-size': 1027})
    speed.add_argument('--cell', choices=CELLS, action='append', help='may be given several times (default: all)')
    everything = add('all', 'everything, and one page of it', run_all,
                     ['index.html', 'parity.json', 'curves.json', 'speed.json'], book)
    for command in (parity, everything):
        command.add_argument('--lockstep', type=_cli.count, default=20, help='steps of SGD that both make')
    for command in (curves, everything):
        command.add_argument('--cell', choices=CELLS, default='gru', help='the recurrent network')
        command.add_argument('--impl', choices=IMPLS, default='gluon', help='the implementation here that learns; PyTorch takes '
                             'the form that corresponds to it')
        command.add_argument('--corpus', default='jaychou', help=f'{", ".join(CORPORA)}, or a text file')
        command.add_argument('--num-epochs', type=_cli.count, default=160, help='epochs')
    for command, minutes in ((speed, 'a minute'), (everything, 'two minutes')):
        command.add_argument('--rounds', type=_cli.count, default=5, help='epochs of each, one after the other in turns')
        command.add_argument('--threads', type=_cli.count, help='of each process (default: all CPUs)')
        command.add_argument('--grid', action='store_true', help='the GRU at smaller and larger sizes, too')
        command.add_argument('--no-compile', action='store_true', help='leave torch.compile out, which compiles for a minute or '
                             'more')
        add_quick(command, minutes)
    for command in (parity, curves):
        add_seed(command)
    return p


def main() -> int:
    args = parser().parse_args()
    import gluon_rnn.torch_parity  # noqa: F401  (says how to install PyTorch where it is missing)
    check_free([args.out / name for name in args.files], args.overwrite)
    if vars(args).get('quick'):
        args.num_hiddens, args.num_steps, args.batch_size, args.vocab_size, args.rounds = 32, 5, 8, 100, min(args.rounds, 2)
    found = args.function(args)
    return int('passed' in found and not found['passed'])


def save(args: argparse.Namespace, name: str, content: Dict[str, Any]) -> None:
    """Write content as JSON to --out."""
    from gluon_rnn import runtime
    from gluon_rnn.torch_parity.page import versions
    content = {**content, 'versions': versions(), 'machine': runtime.machine()}
    args.out.mkdir(parents=True, exist_ok=True)
    write_whole(args.out / name, json.dumps(content, ensure_ascii=False, indent=1) + '\n')


def run_parity(args: argparse.Namespace) -> Dict[str, Any]:
    """Compare every network with its twins in PyTorch: logits, last states and gradients from the same weights, then weights
    after steps of SGD with clipping made in lockstep. Then what does not compute the same, and by how much."""
    from gluon_rnn.torch_parity import differences, parity
    size = parity.Size(**given_settings(args, parity.Size))
    every = parity.pairs(size)
    chosen = [pair for pair in every if pair.name.startswith(args.only)]
    if not chosen:
        raise ValueError(f'--only {args.only!r} begins no row: take the first words of one, such as {every[0].name!r}')
    width = max(len(pair.name) for pair in chosen)

    def write(name: str, figures: Mapping[str, float], second_bias: str = '', verdict: str = '') -> None:
        tqdm.write(f'{name:{width}}  {second_bias:11} ' + ''.join(f'{value:10.1e}' for value in figures.values())
                   + f'  {verdict}'.rstrip())

    tqdm.write(f'{size}\nlargest relative difference of     (tolerance '
               f'{", ".join(f"{name} {value:g}" for name, value in parity.TOLERANCES.items())})\n'
               f'{"network | here | PyTorch":{width}}  second bias ' + ''.join(f'{name:>10}' for name in parity.TOLERANCES))
    rows = []
    for pair in tqdm(chosen, unit='pair', disable=None, leave=False):
        rows.append(row := parity.compare_pair(pair, size))
        write(row.name, row.relative, row.second_bias, 'equal' if row.passed else 'NOT EQUAL')
    relative, absolute = ({name: max(found[name] for found in of_rows) for name in parity.TOLERANCES}
                          for of_rows in ([row.relative for row in rows], [row.absolute for row in rows]))
    write('largest of all', relative)
    write('the same, absolute', absolute)
    tqdm.write('\nwhat does not compute the same')
    apart = []
    for found in differences.all_differences(size):
        apart.append(found)
        tqdm.write(f'{found.name}\n    {found.quantity}: {found.size:.2g}' + '  DOES NOT DIFFER' * (not found.passed))
        tqdm.write(f'    {found.why}')
    result = {'size': dataclasses.asdict(size), 'rows': [row.to_dict() for row in rows], 'largest_relative': relative,
              'largest_absolute': absolute, 'differences': [found.to_dict() for found in apart],
              'passed': all(row.passed for row in rows) and all(found.passed for found in apart)}
    save(args, 'parity.json', result)
    tqdm.write(f'{sum(row.passed for row in rows)} of {len(rows)} equal')
    return result


def run_curves(args: argparse.Namespace) -> List[Any]:
    """Train both from the same first weights on the same batches with the same optimizer, and let both write verses."""
    from gluon_rnn.torch_parity import curves
    corpus = gluon_rnn.load_corpus(args.corpus)
    book, found = curves.CurveConfig(**given_settings(args, curves.CurveConfig)), []
    period = max(1, args.num_epochs // 8)
    for config in (book, curves.like_the_ports(book)):
        tqdm.write(f'{config}')
        with tqdm(total=args.num_epochs, unit='epoch', disable=None, leave=False) as bar:
            def on_epoch(epoch: int, here: float, there: float) -> None:
                bar.update()
                if epoch % period == 0 or epoch == args.num_epochs:
                    tqdm.write(f'epoch {epoch:4}  perplexity  MXNet {here:9.4f}  PyTorch {there:9.4f}')

            found.append(curves.learn(config, corpus, prefixes(None, corpus), on_epoch=on_epoch))
        tqdm.write(f'largest relative difference of perplexities in one epoch: {found[-1].apart:.1e}')
        for verse in found[-1].verses:
            tqdm.write(f' - MXNet   {verse["here"]}\n - PyTorch {verse["there"]}')
    save(args, 'curves.json', {'corpus': args.corpus, 'curves': [one.to_dict() for one in found]})
    save_figure(curves.plot_curves(found), args.out / 'curves.png')
    return found


def run_speed(args: argparse.Namespace) -> List[Any]:
    """Measure d2lzh, every implementation here, PyTorch by hand, compiled and as torch.nn layer: each in a process of its own
    with equal threads, taking turns epoch by epoch. Compiling is done before the first round and reported apart, as `first`."""
    base = Setting(num_hiddens=args.num_hiddens, num_steps=args.num_steps, batch_size=args.batch_size, vocab_size=args.vocab_size,
                   num_chars=1000 if args.quick else 10000)
    settings = [dataclasses.replace(base, cell=cell) for cell in args.cell or CELLS]
    if args.grid:
        settings += settings_around(base)[1:]
    with tqdm(total=len(settings), unit='setting', disable=None, leave=False) as bar:
        def on_table(text: str) -> None:
            tqdm.write(f'{text}\n')
            bar.update()

        measured = measure_epochs(epoch_cases(compiled=not args.no_compile), settings, rounds=args.rounds, threads=args.threads,
                                  on_progress=bar.set_postfix_str, on_table=on_table)
    save(args, 'speed.json', {'rounds': args.rounds, 'measured': to_list(measured)})
    save_figure(plot_bars(measured), args.out / 'speed.png')
    return measured


def run_all(args: argparse.Namespace) -> Dict[str, Any]:
    """parity, curves and speed, and OUT/index.html of all of them, which needs no network to be viewed."""
    from gluon_rnn.torch_parity import page
    if args.quick:
        args.num_epochs = min(args.num_epochs, 3)
    else:
        args.vocab_size = 1027
    parity = run_parity(argparse.Namespace(out=args.out, lockstep=args.lockstep, only=''))
    curves = run_curves(args)
    args.cell = ['gru'] if args.quick else None
    measured = run_speed(args)
    page.write_page(args.out, parity, curves, measured, command=shlex.join(['python', 'scripts/compare_torch.py', *sys.argv[1:]]),
                    shortened=args.quick)
    print(args.out / 'index.html')
    return parity


if __name__ == '__main__':
    _cli.run(main)
