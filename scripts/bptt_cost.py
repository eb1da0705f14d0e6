"""Time and memory of back-propagation through time and of real-time recurrent learning, against the theory.

    python scripts/bptt_cost.py      # half a minute on two cores, 300 MB; RTRL's memory grows as h^2.80, theory h^3

Measures one gradient of one sequence as the sequence and the hidden layer grow, fits the exponents and draws them against the
theory: cost.png and cost.json.
"""
from __future__ import annotations

import json
import os
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any, Dict

import _cli
import numpy as np
from _flags import add_out, make_room
from tqdm import tqdm

from gluon_rnn import bptt
from gluon_rnn.plots import new_figure, save_figure
from gluon_rnn.runs.files import write_whole

VOCAB_SIZE = 26
NAMES = {'bptt': 'BPTT', 'rtrl': 'RTRL'}
COLOURS = {'bptt': '#2a6fbb', 'rtrl': '#d9652b'}
WHAT = {'seconds': 'time', 'bytes': 'memory'}
THEORY = {('bptt', 'seconds', 'T'): 1, ('bptt', 'seconds', 'h'): 2,  # exponents
          ('bptt', 'bytes', 'T'): 1, ('bptt', 'bytes', 'h'): 1,
          ('rtrl', 'seconds', 'T'): 1, ('rtrl', 'seconds', 'h'): 4,
          ('rtrl', 'bytes', 'T'): 0, ('rtrl', 'bytes', 'h'): 3}
LENGTHS, HIDDENS_FOR_LENGTHS = (64, 128, 256, 512, 1024), 32
# The hidden units to try, and T. The theory is about the largest term, so each curve is measured where that
# leads: BPTT's time where h^2 outweighs the calls, its memory where T h outweighs the h^2 of the gradient.
HIDDENS = {('bptt', 'seconds'): ((128, 256, 512, 1024, 2048), 64),
           ('bptt', 'bytes'): ((32, 64, 128, 256, 512), 2048),
           ('rtrl', 'seconds'): ((16, 32, 64, 128, 256), 6),
           ('rtrl', 'bytes'): ((16, 32, 64, 128, 256), 6)}
FIT_LAST = 3  # an exponent is fitted to the three largest sizes


def measure(method, what, num_steps, num_hiddens):
    """The cost of one gradient of one sequence: seconds, or the peak of the bytes that the method allocates, without
    the parameters and the sequence.
    """
    indices = np.arange(num_steps + 1)[:, None] % VOCAB_SIZE
    X, Y = bptt.one_hot(indices[:-1], VOCAB_SIZE), indices[1:]
    params = bptt.init_params(VOCAB_SIZE, num_hiddens, VOCAB_SIZE, seed=0)
    gradient = getattr(bptt, method)
    if what == 'seconds':
        start = time.perf_counter()
        gradient(params, X, Y)
        return time.perf_counter() - start
    tracemalloc.start()
    try:
        gradient(params, X, Y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def sizes_of(method, what, axis, scale):
    """The (num_steps, num_hiddens) of one curve."""
    if axis == 'T':
        return [(max(1, round(T * scale)), HIDDENS_FOR_LENGTHS) for T in LENGTHS]
    hiddens, num_steps = HIDDENS[method, what]
    return [(num_steps, max(1, round(h * scale))) for h in hiddens]


def run_cost(args):
    curves = {key: sizes_of(*key, args.scale) for key in THEORY}
    record: Dict[str, Any] = {'flags': {'scale': args.scale, 'repeats': args.repeats}, 'python': sys.version.split()[0],
                              'numpy': np.__version__, 'cpus': os.cpu_count(), 'curves': []}
    with tqdm(total=len(curves), unit='curve', leave=False, disable=None) as bar:
        for (method, what, axis), sizes in curves.items():
            # round after round, not size after size: what else the machine does then falls on all sizes alike
            rounds = [[measure(method, what, *size) for size in sizes]
                      for _ in range(args.repeats if what == 'seconds' else 1)]
            values = [min(size) for size in zip(*rounds)]
            bar.update()
            steps, hiddens = map(list, zip(*sizes))
            record['curves'].append({'method': method, 'what': what, 'axis': axis,
                                     'num_steps': steps, 'num_hiddens': hiddens, 'values': values})
    for curve in record['curves']:
        x, y = axis_and_value(curve)
        curve['theory'] = THEORY[curve['method'], curve['what'], curve['axis']]
        slope, _ = np.polyfit(np.log(x[-FIT_LAST:]), np.log(y[-FIT_LAST:]), 1)
        curve['exponent'] = round(float(slope), 2) + 0.0  # never -0.0
        print(f'{NAMES[curve["method"]]}, {WHAT[curve["what"]]}: {curve["axis"]}^{curve["exponent"]:.2f}'
              f' (theory {curve["axis"]}^{curve["theory"]})')
    save_figure(draw_cost(record['curves']), args.out / 'cost.png')
    write_whole(args.out / 'cost.json', json.dumps(record, indent=1) + '\n')
    print(f'wrote {args.out / "cost.png"} and {args.out / "cost.json"}')


def axis_and_value(curve):
    """The curve as drawn: seconds (over h: seconds a step, so that methods may differ in T) or megabytes."""
    if curve['what'] == 'bytes':
        divisors = [1e6] * len(curve['values'])
    else:
        divisors = curve['num_steps'] if curve['axis'] == 'h' else [1] * len(curve['values'])
    x = curve['num_steps'] if curve['axis'] == 'T' else curve['num_hiddens']
    return x, [value / divisor for value, divisor in zip(curve['values'], divisors)]


def draw_cost(curves):
    figure, axes = new_figure(11, 8, nrows=2, ncols=2)
    for panel, (what, axis) in zip(axes.flat, [(what, axis) for what in WHAT for axis in 'Th']):
        ticks = set()
        for curve in curves:
            if (curve['what'], curve['axis']) != (what, axis):
                continue
            x, y = axis_and_value(curve)
            ticks.update(x)
            colour, theory = COLOURS[curve['method']], curve['theory']
            at = f'h = {curve["num_hiddens"][0]}' if axis == 'T' else f'T = {curve["num_steps"][0]}'
            line = [y[-1] * (size / x[-1]) ** theory for size in x]
            panel.plot(x, line, '--', lw=1.2, color=colour, alpha=0.7)
            panel.plot(x, y, 'o', ms=6, color=colour, label=f'{NAMES[curve["method"]]} at {at}: '
                       f'${axis}^{{{curve["exponent"]:.2f}}}$, theory ${axis}^{{{theory}}}$')
        seconds = 'seconds' if axis == 'T' else 'seconds a step'
        panel.set(xscale='log', yscale='log', ylabel='peak memory, MB' if what == 'bytes' else seconds,
                  xlabel='sequence length T' if axis == 'T' else 'hidden units h')
        panel.set(xticks=sorted(ticks), xticklabels=sorted(ticks))
        panel.minorticks_off()
        panel.margins(y=0.12)
        panel.grid(alpha=0.25)
        panel.legend(frameon=False, loc='lower left', bbox_to_anchor=(0, 1), fontsize=9)
    figure.suptitle('One gradient of one sequence: measured (points), theory through the last point (dashed)')
    return figure


def parser():
    p = _cli.ArgumentParser(description=__doc__)
    p.add_argument('--scale', type=float, default=1.0, help='multiplies the lengths T and the hidden units h '
                   'that are tried')
    p.add_argument('--repeats', type=_cli.count, default=5, help='timed runs; the fastest counts')
    add_out(p, Path('runs/bptt_cost'), 'folder for picture and data')
    return p


def main():
    args = parser().parse_args()
    if not 0.05 <= args.scale <= 2:
        raise ValueError(f'--scale must be from 0.05 to 2 (2 takes 2.3 GB), got {args.scale}')
    make_room([args.out / 'cost.png', args.out / 'cost.json'], args.overwrite)
    run_cost(args)


if __name__ == '__main__':
    _cli.run(main)
