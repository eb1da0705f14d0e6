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
from typing import Any, Dict, List, Sequence, Tuple

import _cli
import numpy as np
from _flags import add_out, add_quick, make_room

from gluon_rnn import bptt
from gluon_rnn.plots import new_figure, save_figure
from gluon_rnn.runs.files import write_whole

VOCAB_SIZE = 26
NAMES = {'bptt': 'BPTT', 'rtrl': 'RTRL'}
COLOURS = {'bptt': '#2a6fbb', 'rtrl': '#d9652b'}
WHAT = {'seconds': 'time', 'bytes': 'memory'}
Sizes = Sequence[Tuple[int, int]]
LENGTHS = [(T, 32) for T in (64, 128, 256, 512, 1024)]
# method, seconds or bytes, and what grows -> the exponent of the theory, and the (num_steps, num_hiddens) to try. The theory is
# about the largest term, so each curve over h is measured where that leads: BPTT's time where h^2 outweighs the calls, its memory
# where T h outweighs the h^2 of the gradient.
CURVES: Dict[Tuple[str, str, str], Tuple[int, Sizes]] = {
    ('bptt', 'seconds', 'T'): (1, LENGTHS),
    ('bptt', 'seconds', 'h'): (2, [(64, h) for h in (128, 256, 512, 1024, 2048)]),
    ('bptt', 'bytes', 'T'): (1, LENGTHS),
    ('bptt', 'bytes', 'h'): (1, [(2048, h) for h in (32, 64, 128, 256, 512)]),
    ('rtrl', 'seconds', 'T'): (1, LENGTHS),
    ('rtrl', 'seconds', 'h'): (4, [(6, h) for h in (16, 32, 64, 128, 256)]),
    ('rtrl', 'bytes', 'T'): (0, LENGTHS),
    ('rtrl', 'bytes', 'h'): (3, [(6, h) for h in (16, 32, 64, 128, 256)])}
FIT_LAST = 3        # an exponent is fitted to the three largest sizes
REPEATS = 5         # timed runs; the fastest counts


def measure(method: str, what: str, num_steps: int, num_hiddens: int) -> float:
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


def measure_curve(method: str, what: str, axis: str, theory: int, sizes: Sizes, repeats: int) -> Dict[str, Any]:
    """Measure at each size, and fit the exponent."""
    # round after round, not size after size: what else the machine does then falls on all sizes alike
    rounds = [[measure(method, what, *size) for size in sizes] for _ in range(repeats if what == 'seconds' else 1)]
    values = [min(size) for size in zip(*rounds)]
    num_steps, num_hiddens = map(list, zip(*sizes))
    x = num_steps if axis == 'T' else num_hiddens
    slope, _ = np.polyfit(np.log(x[-FIT_LAST:]), np.log(values[-FIT_LAST:]), 1)
    exponent = round(float(slope), 2) + 0.0     # never -0.0
    print(f'{NAMES[method]}, {WHAT[what]}: {axis}^{exponent:.2f} (theory {axis}^{theory})', flush=True)
    return {'method': method, 'what': what, 'axis': axis, 'num_steps': num_steps, 'num_hiddens': num_hiddens, 'values': values,
            'theory': theory, 'exponent': exponent}


def draw_cost(curves: List[Dict[str, Any]]) -> Any:
    """Seconds (over h: seconds a step, so that methods may differ in T) and megabytes, over T and over h."""
    figure, axes = new_figure(11, 8, nrows=2, ncols=2)
    for panel, (what, axis) in zip(axes.flat, [(what, axis) for what in WHAT for axis in 'Th']):
        ticks = set()
        for curve in curves:
            if (curve['what'], curve['axis']) != (what, axis):
                continue
            steps, hiddens = curve['num_steps'], curve['num_hiddens']
            x, at = (steps, f'h = {hiddens[0]}') if axis == 'T' else (hiddens, f'T = {steps[0]}')
            unit = 1e6 if what == 'bytes' else 1 if axis == 'T' else steps[0]
            y = [value / unit for value in curve['values']]
            ticks.update(x)
            colour, theory = COLOURS[curve['method']], curve['theory']
            panel.plot(x, [y[-1] * (size / x[-1]) ** theory for size in x], '--', lw=1.2, color=colour, alpha=0.7)
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


def main() -> None:
    p = _cli.ArgumentParser(description=__doc__)
    add_quick(p, 'some seconds')
    add_out(p, Path('runs/bptt_cost'), 'folder for picture and data')
    args = p.parse_args()
    picture, data = args.out / 'cost.png', args.out / 'cost.json'
    make_room([picture, data], args.overwrite)
    curves = [measure_curve(*key, theory, sizes[:FIT_LAST] if args.quick else sizes, 1 if args.quick else REPEATS)
              for key, (theory, sizes) in CURVES.items()]
    save_figure(draw_cost(curves), picture)
    machine = {'python': sys.version.split()[0], 'numpy': np.__version__, 'cpus': os.cpu_count()}
    write_whole(data, json.dumps({'quick': args.quick, **machine, 'curves': curves}, indent=1) + '\n')
    print(f'wrote {picture} and {data}')


if __name__ == '__main__':
    _cli.run(main)
