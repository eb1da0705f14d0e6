"""Answer the exercises of chapter 6 by experiment: print the evidence, then the answer drawn from it, in English and Chinese.

    python scripts/exercise.py 6.4.2        # some minutes on two cores; the figures, and the answer with them in it

Each leaves DIR/NUMBER/answer.md, result.json and, where one tells more, picture.png. Where the book's
lyrics can neither be found nor fetched, the embedded ones take their place, and the output says so.
"""
from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, List

import _cli
from _flags import add_out, add_quick, add_seed
from tqdm import tqdm

from gluon_rnn.book import answers
from gluon_rnn.book.exercises import EXERCISES, Workbench
from gluon_rnn.book.exercises.frame import markdown_of, write

EXAMPLES = """examples
  python scripts/exercise.py list                     the exercises and their numbers
  python scripts/exercise.py 6.4.2                    one of them
  python scripts/exercise.py --all                    all that have no answer yet
  python scripts/exercise.py 6.4.2 6.4.5 --quick --out runs/look      what they do, in seconds, with figures that mean nothing
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('numbers', nargs='*', metavar='NUMBER', help='list, or exercises: 6.4.2 is the second of section 6.4')
    p.add_argument('--all', action='store_true', help='all exercises; those that have an answer in --out already are left')
    add_out(p, Path('runs/exercises'), 'folder for the answers')
    p.add_argument('--corpus', default='jaychou', help="a text to use in place of the book's")
    add_quick(p, 'half a minute an exercise')
    add_seed(p)
    return p


def main() -> None:
    args = parser().parse_args()
    if args.numbers == ['list'] and not args.all:
        print('\n'.join(f'{number:8}' + '\n        '.join(answers.question(number)) for number in EXERCISES))
        return
    numbers = chosen(args)
    _cli.stop_on_sigterm()
    with tqdm(bar_format='{desc}', disable=None, leave=False) as bar:
        def on_progress(text: str) -> None:
            _cli.raise_if_stopped()
            bar.set_description_str(text)

        bench = Workbench(args.corpus, quick=args.quick, seed=args.seed, on_step=_cli.raise_if_stopped, on_progress=on_progress)
        if bench.fallback:
            tqdm.write(f'{bench.wanted} is not here, {bench.corpus_name} takes its place: {bench.fallback}')
            tqdm.write(f'找不到 {bench.wanted}，以 {bench.corpus_name} 代替')
        for number in numbers:
            run_exercise(number, bench, args, bar)


def chosen(args: argparse.Namespace) -> List[str]:
    """The exercises asked for, without those that --all finds answered. Raises ValueError before anything is done."""
    unknown = [number for number in args.numbers if number not in EXERCISES]
    if unknown:
        raise ValueError(f'unknown exercise {unknown[0]!r}: choose from {", ".join(EXERCISES)}, or list')
    if bool(args.numbers) == args.all:
        raise ValueError('give the numbers of exercises, list, or --all')
    numbers = [number for number in EXERCISES if args.all or number in args.numbers]
    answered = [number for number in numbers if (args.out / number / 'result.json').exists() and not args.overwrite]
    if answered and not args.all:
        raise ValueError(f'{args.out / answered[0]} holds an answer: --overwrite replaces it, or choose another --out')
    for number in answered:
        tqdm.write(f'{args.out / number} holds an answer already')
    return [number for number in numbers if number not in answered]


def run_exercise(number: str, bench: Workbench, args: argparse.Namespace, bar: Any) -> None:
    """Run one exercise, print it and keep it."""
    start = time.perf_counter()
    bench.begin()
    outcome = EXERCISES[number](bench)
    seconds = time.perf_counter() - start
    bar.set_description_str('')
    tqdm.write('\n' + markdown_of(number, outcome, note=bench.note(), quick=bench.quick))
    settings = {'corpus': bench.corpus_name, 'fallback': bench.fallback, 'quick': bench.quick, 'seed': bench.seed,
                'seconds': seconds}
    paths = write(args.out / number, number, outcome, note=bench.note(), settings=settings)
    tqdm.write(f'{seconds:.0f} s; wrote {", ".join(map(str, paths))}')


if __name__ == '__main__':
    _cli.run(main)
