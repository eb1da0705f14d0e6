"""Draw the curves of several runs into one picture: perplexity, dashed on held-out text.

    python scripts/plot.py runs/one runs/two        # seconds; writes runs/plot.png
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Dict, Sequence

import _cli
from _flags import add_out, make_room
from look import names

from gluon_rnn.plots import plot_perplexity, save_figure
from gluon_rnn.runs.folder import read_metrics
from gluon_rnn.training.config import EpochRecord

EXAMPLES = """examples
  python scripts/plot.py runs/lyrics-gru-numba-1 runs/lyrics-lstm-numba-1
  python scripts/plot.py runs/one runs/two --x seconds --out both.png
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('runs', nargs='+', type=Path, metavar='RUN', help='folders of runs of scripts/train.py')
    p.add_argument('--x', choices=['epoch', 'seconds'], default='epoch', help='what the curves are drawn over')
    add_out(p, Path('runs/plot.png'), 'the picture')
    return p


def main() -> None:
    args = parser().parse_args()
    records: Dict[str, Sequence[EpochRecord]] = {name: read_metrics(run) for name, run in zip(names(args.runs), args.runs)}
    for run, own in zip(args.runs, records.values()):
        if not own:
            raise ValueError(f'{run} has no epoch to draw: give the folder of a run of scripts/train.py')
    make_room([args.out], args.overwrite)
    save_figure(plot_perplexity(records, x=args.x), args.out)
    print(args.out)


if __name__ == '__main__':
    _cli.run(main)
