"""Generate a waveform from no input: a Clockwork RNN against an RNN and an LSTM of as many parameters.

    python scripts/waveform.py      # some minutes on two cores; after 200 epochs errors of 0.03, 0.97 and 0.48

The first task of Koutník et al., 2014. Prints the squared error as a part of the target's variance (1: silence would do as
well), and draws the waves.
"""
from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path
from typing import Dict, List

import _cli
from _flags import add_out, add_seed, check_free
from _progress import Progress

import gluon_rnn
from gluon_rnn.models.waveform import Generator, compare_networks, fit_wave, target_wave
from gluon_rnn.plots import plot_waves, save_figure

EXAMPLES = """examples
  python scripts/waveform.py
  python scripts/waveform.py --periods 1 4 16 64 --num-hiddens 40 --num-epochs 1000
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('--periods', type=int, nargs='+', default=[1, 2, 4, 8, 16, 32, 64, 128, 256],
                   help="the Clockwork RNN's, one for each group of hidden units")
    p.add_argument('--num-hiddens', type=int, default=45, help='hidden units of the Clockwork RNN, a multiple of its groups')
    p.add_argument('--num-samples', type=_cli.count, default=320, help='length of the wave')
    p.add_argument('--num-epochs', type=_cli.count, default=200)
    p.add_argument('--period', type=_cli.count, default=50, help='epochs from one printing to the next')
    add_seed(p)
    add_out(p, Path('runs/waveform'), 'folder for waveform.png')
    return p


def main() -> None:
    args = parser().parse_args()
    gluon_rnn.seed(args.seed)
    target = target_wave(args.num_samples)
    generators: Dict[str, Generator] = {}
    errors: Dict[str, List[float]] = {}
    _cli.stop_on_sigterm(at_once=False)
    networks = compare_networks(tuple(args.periods), args.num_hiddens)
    check_free([args.out / 'waveform.png'], args.overwrite)
    with Progress(0, 'building the networks') as progress, contextlib.suppress(KeyboardInterrupt):
        for cell, generator in networks:
            label = f'{cell}, {generator.config.num_hiddens} hidden units, {generator.num_parameters:,} parameters'
            progress.write(label)
            start, generators[label], errors[label] = time.perf_counter(), generator, []
            for fit in fit_wave(generator, target, args.num_epochs):
                errors[label].append(fit.error)
                progress.at(0, f'{cell}, epoch {fit.epoch} of {args.num_epochs}, error {fit.error:.4f}')
                if fit.epoch % args.period == 0 or fit.epoch == args.num_epochs:
                    progress.write(f'epoch {fit.epoch}, error {fit.error:.4f}, time {time.perf_counter() - start:.2f} sec')
                _cli.raise_if_stopped()
    waves = {label: generator(len(target)).asnumpy() for label, generator in generators.items()}
    args.out.mkdir(parents=True, exist_ok=True)
    save_figure(plot_waves(target, waves, errors), args.out / 'waveform.png')
    if _cli.asked_to_stop():
        raise KeyboardInterrupt(f'stopped; the waves as they were then are in {args.out / "waveform.png"}')
    print(args.out / 'waveform.png')


if __name__ == '__main__':
    _cli.run(main)
