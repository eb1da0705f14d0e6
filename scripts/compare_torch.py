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
from typing import Any, Callable, Dict, List

import _cli
from _flags import add_out, add_quick, add_seed, check_free
from tqdm import tqdm

import gluon_rnn
from gluon_rnn.benchmark.cases import measure_epochs, plot_bars, settings_around, to_list
from gluon_rnn.benchmark.implementations import Setting, epoch_cases
from gluon_rnn.cells.build import CELLS, IMPLS
from gluon_rnn.corpora.corpus import CORPORA
from gluon_rnn.corpora.sampling import check_sizes
from gluon_rnn.plots import save_figure
from gluon_rnn.runs.files import write_whole

EXAMPLES = """examples
  python scripts/compare_torch.py parity --only 'LSTM |' --num-hiddens 256 --num-steps 35 --batch-size 32 --vocab-size 1027
  python scripts/compare_torch.py curves --cell lstm --num-epochs 40 --out runs/curves
  python scripts/compare_torch.py speed --grid --out runs/speed
  python scripts/compare_torch.py all --quick --out runs/torch
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    commands = p.add_subparsers(required=True, metavar='parity|curves|speed|all', parser_class=_cli.ArgumentParser)
    parity = commands.add_parser('parity', help='the same numbers', description=parity_command.__doc__)
    add_parity(parity)
    curves = commands.add_parser('curves', help='the same learning', description=curves_command.__doc__)
    add_curves(curves)
    speed = commands.add_parser('speed', help='seconds and memory', description=speed_command.__doc__)
    add_speed(speed)
    both = commands.add_parser('all', help='everything, and one page of it', description=all_command.__doc__)
    for add in (add_parity, add_curves, add_speed):
        add(both, shared=True)
    add_sizes(both, 256, 35, 32)
    add_quick(both, 'two minutes')
    for command, function, files in ((parity, parity_command, ['parity.json']),
                                     (curves, curves_command, ['curves.json', 'curves.png']),
                                     (speed, speed_command, ['speed.json', 'speed.png']),
                                     (both, all_command, ['index.html', 'parity.json', 'curves.json', 'speed.json'])):
        command.set_defaults(function=function, files=files)
        add_out(command, Path('runs/torch'), 'folder for the JSON and the pictures')
    return p


def add_parity(p: argparse.ArgumentParser, *, shared: bool = False) -> None:
    if not shared:
        add_sizes(p, 32, 10, 4)
        p.add_argument('--vocab-size', type=int, default=50, help='characters')
        add_seed(p)
        p.add_argument('--only', default='', help="the networks whose row begins so, as 'LSTM |'")
    p.add_argument('--lockstep', type=int, default=20, help='steps of SGD that both make')


def add_curves(p: argparse.ArgumentParser, *, shared: bool = False) -> None:
    p.add_argument('--cell', choices=CELLS, default='gru', help='the recurrent network')
    p.add_argument('--impl', choices=IMPLS, default='gluon', help='the implementation here that learns; PyTorch takes the form '
                   'that corresponds to it')
    p.add_argument('--corpus', default='jaychou', help=f'{", ".join(CORPORA)}, or a text file')
    p.add_argument('--num-epochs', type=int, default=160, help='epochs')
    p.add_argument('--setting', choices=['book', 'ports', 'both'], default='both', help='book: as the flags say; ports: torch.nn '
                   'with its own first weights, Adam at 0.01, the state kept across epochs')
    p.add_argument('--optimizer', choices=['sgd', 'adam'], default='sgd', help="of the book's setting")
    p.add_argument('--lr', type=float, default=1e2, help="of the book's setting")
    p.add_argument('--sampling', choices=['consecutive', 'random'], default='consecutive', help='mini-batches')
    p.add_argument('--prefix', action='append', help='what verses start with (default: 分开 and 不分开, or what the text '
                   'starts with)')
    if not shared:
        add_sizes(p, 256, 35, 32)
        add_seed(p)


def add_speed(p: argparse.ArgumentParser, *, shared: bool = False) -> None:
    if not shared:
        p.add_argument('--cell', choices=CELLS, action='append', help='may be given several times (default: all)')
        add_sizes(p, 256, 35, 32)
        p.add_argument('--vocab-size', type=int, default=1027, help='characters')
        add_quick(p, 'a minute')
    p.add_argument('--rounds', type=int, default=5, help='epochs of each, one after the other in turns')
    p.add_argument('--threads', type=int, help='of each process (default: all CPUs)')
    p.add_argument('--grid', action='store_true', help='the GRU at smaller and larger sizes, too')
    p.add_argument('--no-compile', action='store_true', help='leave torch.compile out, which compiles for a minute or more')


def add_sizes(p: argparse.ArgumentParser, num_hiddens: int, num_steps: int, batch_size: int) -> None:
    p.add_argument('--num-hiddens', type=int, default=num_hiddens, help='hidden units')
    p.add_argument('--num-steps', type=int, default=num_steps, help='characters in an example')
    p.add_argument('--batch-size', type=int, default=batch_size, help='examples in a batch')


def main() -> int:
    args = parser().parse_args()
    import gluon_rnn.torch_parity  # noqa: F401  (says how to install PyTorch where it is missing)
    _cli.check_counts(args, 'num_hiddens', 'num_steps', 'batch_size', 'vocab_size', 'lockstep', 'num_epochs', 'rounds', 'threads')
    check_free([args.out / name for name in args.files], args.overwrite)
    args.out.mkdir(parents=True, exist_ok=True)
    return 0 if args.function(args) else 1


def save(args: argparse.Namespace, name: str, content: Dict[str, Any]) -> None:
    """Write content as JSON to --out."""
    from gluon_rnn import runtime
    from gluon_rnn.torch_parity.page import versions
    content = {**content, 'versions': versions(), 'machine': runtime.machine()}
    write_whole(args.out / name, json.dumps(content, ensure_ascii=False, indent=1) + '\n')


def parity_command(args: argparse.Namespace) -> bool:
    """Compare every network with its twins in PyTorch: logits, last states and gradients from the same weights, then weights
    after steps of SGD with clipping made in lockstep. Then what does not compute the same, and by how much."""
    return bool(run_parity(args)['passed'])


def run_parity(args: argparse.Namespace) -> Dict[str, Any]:
    from gluon_rnn.torch_parity import differences, parity
    fields = {field.name for field in dataclasses.fields(parity.Size)}
    size = parity.Size(**{name: value for name, value in vars(args).items() if name in fields})
    chosen = [pair for pair in parity.pairs() if pair.name.startswith(args.only)]
    if not chosen:
        raise ValueError(f'--only {args.only!r} begins no row: take the first words of one, such as {parity.pairs()[0].name!r}')
    width = max(len(pair.name) for pair in chosen)
    tqdm.write(f'{size}\nlargest relative difference of     (tolerance '
               f'{", ".join(f"{name} {value:g}" for name, value in parity.TOLERANCES.items())})\n'
               f'{"network | here | PyTorch":{width}}  second bias ' + ''.join(f'{name:>10}' for name in parity.TOLERANCES))
    rows = []
    for pair in tqdm(chosen, unit='pair', disable=None, leave=False):
        rows.append(row := parity.compare_pair(pair, size))
        figures = ''.join(f'{row.relative[name]:10.1e}' for name in parity.TOLERANCES)
        tqdm.write(f'{row.name:{width}}  {row.second_bias:11} {figures}  {"equal" if row.passed else "NOT EQUAL"}')
    worst = {name: max(row.relative[name] for row in rows) for name in parity.TOLERANCES}
    worst_absolute = {name: max(row.absolute[name] for row in rows) for name in parity.TOLERANCES}
    tqdm.write(f'{"largest of all":{width}}  {"":11} ' + ''.join(f'{value:10.1e}' for value in worst.values()))
    tqdm.write(f'{"the same, absolute":{width}}  {"":11} ' + ''.join(f'{value:10.1e}' for value in worst_absolute.values()))
    tqdm.write('\nwhat does not compute the same')
    apart = []
    for found in differences.all_differences(size):
        apart.append(found)
        tqdm.write(f'{found.name}\n    {found.quantity}: {found.size:.2g}' + '  DOES NOT DIFFER' * (not found.passed))
        tqdm.write(f'    {found.why}')
    result = {'size': dataclasses.asdict(size), 'rows': [row.to_dict() for row in rows], 'largest_relative': worst,
              'largest_absolute': worst_absolute, 'differences': [found.to_dict() for found in apart],
              'passed': all(row.passed for row in rows) and all(found.passed for found in apart)}
    save(args, 'parity.json', result)
    tqdm.write(f'{sum(row.passed for row in rows)} of {len(rows)} equal')
    return result


def curves_command(args: argparse.Namespace) -> bool:
    """Train both from the same first weights on the same batches with the same optimizer, and let both write verses."""
    run_curves(args)
    return True


def run_curves(args: argparse.Namespace) -> List[Any]:
    from gluon_rnn.torch_parity import curves
    corpus = gluon_rnn.load_corpus(args.corpus)
    prefixes = args.prefix or (['分开', '不分开'] if set('分开不') <= corpus.char_to_idx.keys() else
                               [corpus.decode(corpus.indices[:5])])
    fields = {field.name for field in dataclasses.fields(curves.CurveConfig)}
    book = curves.CurveConfig(**{name: value for name, value in vars(args).items() if name in fields})
    wanted = [config for config in (book, curves.like_the_ports(book)) if args.setting in (config.name, 'both')]
    check_sizes(len(corpus), args.batch_size, args.num_steps, args.sampling)
    found = []
    for config in wanted:
        tqdm.write(f'{config}')
        with tqdm(total=config.num_epochs, unit='epoch', disable=None, leave=False) as bar:
            found.append(curves.learn(config, corpus, prefixes, on_epoch=printer(bar, config.num_epochs)))
        tqdm.write(f'largest relative difference of perplexities in one epoch: {found[-1].apart:.1e}')
        for verse in found[-1].verses:
            tqdm.write(f' - MXNet   {verse["here"]}\n - PyTorch {verse["there"]}')
    save(args, 'curves.json', {'corpus': args.corpus, 'curves': [one.to_dict() for one in found]})
    save_figure(curves.plot_curves(found), args.out / 'curves.png')
    return found


def printer(bar: Any, num_epochs: int) -> Callable[[int, float, float], None]:
    """Prints ten or so epochs of all."""
    period = max(1, num_epochs // 8)

    def on_epoch(epoch: int, here: float, there: float) -> None:
        bar.update()
        if epoch % period == 0 or epoch == num_epochs:
            tqdm.write(f'epoch {epoch:4}  perplexity  MXNet {here:9.4f}  PyTorch {there:9.4f}')
    return on_epoch


def speed_command(args: argparse.Namespace) -> bool:
    """Measure d2lzh, every implementation here, PyTorch by hand, compiled and as torch.nn layer: each in a process of its own
    with equal threads, taking turns epoch by epoch. Compiling is done before the first round and reported apart, as `first`."""
    if args.quick:
        args.num_hiddens, args.num_steps, args.batch_size, args.vocab_size, args.rounds = 32, 5, 8, 100, 2
    run_speed(args, args.cell or list(CELLS))
    return True


def run_speed(args: argparse.Namespace, cells: List[str]) -> List[Any]:
    base = Setting(num_hiddens=args.num_hiddens, num_steps=args.num_steps, batch_size=args.batch_size, vocab_size=args.vocab_size,
                   num_chars=1000 if args.quick else 10000)
    settings = [dataclasses.replace(base, cell=cell) for cell in cells]
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


def all_command(args: argparse.Namespace) -> bool:
    """parity, curves and speed, and OUT/index.html of all of them, which needs no network to be viewed."""
    from gluon_rnn.torch_parity import page
    args.seed, args.vocab_size = 0, 1027
    if args.quick:
        args.num_hiddens, args.num_steps, args.batch_size, args.vocab_size = 32, 5, 8, 100
        args.num_epochs, args.rounds = min(args.num_epochs, 3), min(args.rounds, 2)
    sizes = argparse.Namespace(out=args.out, lockstep=args.lockstep, only='')
    parity = run_parity(sizes)
    found = run_curves(args)
    measured = run_speed(args, ['gru'] if args.quick else list(CELLS))
    page.write_page(args.out, parity, found, measured, command=shlex.join(['python', 'scripts/compare_torch.py', *sys.argv[1:]]),
               shortened=args.quick)
    print(args.out / 'index.html')
    return bool(parity['passed'])


if __name__ == '__main__':
    _cli.run(main)
