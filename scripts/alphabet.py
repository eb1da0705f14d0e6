"""The alphabet task in plain NumPy: learn the next letter from strings like "abc" -> "bcd", "bcd" -> "cde".

    python scripts/alphabet.py train --out out/alphabet     # 5 seconds on two cores
    python scripts/alphabet.py cost --out out/alphabet      # 20 seconds, 300 MB

`train` learns with back-propagation through time and with real-time recurrent learning, the latter with the
weights held still over a string (the same gradient, so the same curve) and online, and prints what each
network answers. It leaves alphabet.png and alphabet.json in --out. `cost` measures time and memory of both as
the sequence and the hidden layer grow, fits the exponents and draws them against the theory: cost.png and
cost.json.
"""
from __future__ import annotations

import json
import math
import os
import string
import sys
import time
import tracemalloc
from pathlib import Path

import _cli
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

from gluon_rnn import bptt
from gluon_rnn.runs.files import whole_file, write_whole

matplotlib.use('Agg')

LETTERS = string.ascii_lowercase
VOCAB_SIZE = len(LETTERS)
BAR = {'leave': False, 'disable': None}  # drawn on a terminal only, and gone when done
NAMES = {'bptt': 'BPTT', 'rtrl': 'RTRL', 'rtrl_online': 'RTRL, online'}
COLOURS = {'bptt': '#2a6fbb', 'rtrl': '#d9652b', 'rtrl_online': '#3a9a5b'}
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
MOST_HIDDENS = 128  # RTRL then takes 1 GB for a batch of training strings
FIT_LAST = 3  # an exponent is fitted to the three largest sizes


def training_batches(num_steps):
    """The training strings as (X, Y) batches.

    abc -> bcd ... wxy -> xyz   all runs of num_steps letters that have a next one (here 3), one batch
    xy -> yz, y -> z            the end of the alphabet: no run of that length begins with these letters
    """
    first_short = VOCAB_SIZE - num_steps
    full = np.arange(num_steps + 1)[:, None] + np.arange(first_short)
    short = [np.arange(start, VOCAB_SIZE)[:, None] for start in range(first_short, VOCAB_SIZE - 1)]
    return [(bptt.one_hot(indices[:-1], VOCAB_SIZE), indices[1:]) for indices in (full, *short)]


def learn(method, batches, params, *, num_epochs, lr):
    """Gradient descent over the batches, each moving the weights by lr times its share of the letters.

    Returns the parameters, the loss of each epoch in nats a letter, and the seconds. Raises ValueError
    when the loss is no longer finite.
    """
    num_letters = sum(Y.size for _, Y in batches)
    losses, start = [], time.perf_counter()
    for epoch in tqdm(range(1, num_epochs + 1), desc=NAMES[method], unit='epoch', **BAR):
        loss = 0.0
        for X, Y in batches:
            share = Y.size / num_letters
            if method == 'rtrl_online':  # the loss is a mean over steps, and here each step moves on its own
                batch_loss, params, _ = bptt.rtrl_online(params, X, Y, lr=lr * share / len(X))
            else:
                batch_loss, grads, _ = getattr(bptt, method)(params, X, Y)
                params = bptt.sgd(params, grads, lr * share)
            loss += share * batch_loss
        if not math.isfinite(loss):
            raise ValueError(f'{NAMES[method]}: the loss is {loss} in epoch {epoch}; take an --lr below {lr}')
        losses.append(loss)
    return params, losses, time.perf_counter() - start


def next_letter(params, prompts):
    """The probabilities of the next letter after prompts of one length, (len(prompts), VOCAB_SIZE)."""
    indices = np.array([[LETTERS.index(letter) for letter in prompt] for prompt in prompts]).T
    _, O = bptt.forward(params, bptt.one_hot(indices, VOCAB_SIZE))
    p = np.exp(O[-1] - O[-1].max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def examine(params):
    """All 325 runs of letters that have a next one: the number answered rightly, and the number asked."""
    right = asked = 0
    for length in range(1, VOCAB_SIZE):
        starts = np.arange(VOCAB_SIZE - length)
        p = next_letter(params, [LETTERS[start:start + length] for start in starts])
        right += int((p.argmax(axis=1) == starts + length).sum())
        asked += len(starts)
    return right, asked


def run_train(args):
    batches = training_batches(args.num_steps)
    record = {'flags': flags(args), 'methods': {}}
    pictures = {}
    for method in dict.fromkeys(args.methods):
        params = bptt.init_params(VOCAB_SIZE, args.num_hiddens, VOCAB_SIZE, seed=args.seed)
        with np.errstate(over='ignore', invalid='ignore'):  # divergence has its own error
            params, losses, seconds = learn(method, batches, params, num_epochs=args.num_epochs, lr=args.lr)
        answers = {prompt: LETTERS[next_letter(params, [prompt])[0].argmax()] for prompt in args.ask}
        right, asked = examine(params)
        record['methods'][method] = {'loss': losses, 'seconds': seconds, 'answers': answers,
                                     'right': right, 'asked': asked}
        pictures[method] = next_letter(params, LETTERS[:-1])
        print(f'{NAMES[method]}: {losses[-1]:.4g} nats a letter after {len(losses)} epochs, {seconds:.2f} s; '
              + ', '.join(f'"{prompt}" -> "{letter}"' for prompt, letter in answers.items())
              + f'; {right} of all {asked} runs of letters right')
    draw_train(args.out / 'alphabet.png', record['methods'], pictures)
    write_whole(args.out / 'alphabet.json', json.dumps(record, indent=1) + '\n')
    print(f'wrote {args.out / "alphabet.png"} and {args.out / "alphabet.json"}')


def measure(method, what, num_steps, num_hiddens):
    """What one gradient of one sequence costs: seconds, or the peak of the bytes that the method allocates,
    the parameters and the sequence not among them.
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
    record = {'flags': flags(args), 'python': sys.version.split()[0], 'numpy': np.__version__,
              'cpus': os.cpu_count(), 'curves': []}
    with tqdm(total=len(curves), desc='cost', unit='curve', **BAR) as bar:
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
    draw_cost(args.out / 'cost.png', record['curves'])
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


def draw_train(path, methods, pictures):
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), constrained_layout=True)
    styles: dict[str, dict] = {'bptt': {'lw': 5, 'alpha': 0.45}, 'rtrl': {'lw': 2},
                               'rtrl_online': {'lw': 1.5, 'ls': ':'}}
    for method, result in methods.items():
        left.plot(range(1, len(result['loss']) + 1), result['loss'], color=COLOURS[method], **styles[method],
                  label=f'{NAMES[method]} ({result["seconds"]:.1f} s)')
    left.set(title='Learning the alphabet', xlabel='epoch', ylabel='loss, nats a letter', yscale='log')
    left.grid(which='major', alpha=0.25)
    left.spines[['top', 'right']].set_visible(False)
    left.legend(frameon=False)

    method = next(iter(pictures))
    image = right.imshow(pictures[method], cmap='Blues', vmin=0, vmax=1, aspect='auto')
    right.set(title=f'What {NAMES[method]} answers to one letter', xlabel='next letter', ylabel='letter',
              xticks=range(VOCAB_SIZE), xticklabels=LETTERS,
              yticks=range(VOCAB_SIZE - 1), yticklabels=LETTERS[:-1])
    right.tick_params(labelsize=8, length=0)
    figure.colorbar(image, ax=right, label='probability')
    save_figure(path, figure)


def draw_cost(path, curves):
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), constrained_layout=True)
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
        panel.spines[['top', 'right']].set_visible(False)
        panel.legend(frameon=False, loc='lower left', bbox_to_anchor=(0, 1), fontsize=9)
    figure.suptitle('One gradient of one sequence: measured (points), theory through the last point (dashed)')
    save_figure(path, figure)


def flags(args):
    return {name: value for name, value in vars(args).items() if name not in ('out', 'run')}


def save_figure(path, figure):
    with whole_file(path) as file:
        figure.savefig(file, format='png', dpi=120)
    plt.close(figure)


def positive(kind):
    def parse(text):
        value = kind(text)
        if not 0 < value < math.inf:
            raise ValueError
        return value
    parse.__name__ = f'positive {"number" if kind is float else "whole number"}'  # for argparse's error
    return parse


def parse_args():
    parser = _cli.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='train|cost', parser_class=_cli.ArgumentParser)
    count, number = positive(int), positive(float)

    train = commands.add_parser('train', help='learn the alphabet and answer')
    train.add_argument('--methods', nargs='+', choices=list(NAMES), default=list(NAMES),
                       help='how the gradient is found')
    train.add_argument('--ask', nargs='+', default=['c', 'fg'], metavar='LETTERS', help='what comes next?')
    train.add_argument('--num-steps', type=count, default=3, help='letters of a training string')
    train.add_argument('--num-hiddens', type=count, default=16, help='hidden units')
    train.add_argument('--num-epochs', type=count, default=100, help='over all training strings')
    train.add_argument('--lr', type=number, default=4.0, help='learning rate')
    train.add_argument('--seed', type=int, default=0, help='of the initial weights')
    train.set_defaults(run=run_train)

    cost = commands.add_parser('cost', help='time and memory against sequence length and hidden units')
    cost.add_argument('--scale', type=number, default=1.0,
                      help='multiplies the lengths T and the hidden units h that are tried')
    cost.add_argument('--repeats', type=count, default=5, help='timed runs; the fastest counts')
    cost.set_defaults(run=run_cost)
    for command in (train, cost):
        command.add_argument('--out', type=Path, required=True, metavar='DIR',
                             help='folder for picture and data')

    args = parser.parse_args()
    if args.command == 'train' and args.num_steps >= VOCAB_SIZE:
        parser.error(f'--num-steps must be below {VOCAB_SIZE}, got {args.num_steps}')
    if args.command == 'train' and args.num_hiddens > MOST_HIDDENS:
        parser.error(f'--num-hiddens must be at most {MOST_HIDDENS}, got {args.num_hiddens}')
    if args.command == 'train' and args.seed < 0:
        parser.error(f'--seed must not be negative, got {args.seed}')
    for prompt in args.ask if args.command == 'train' else ():
        if not prompt or not set(prompt) <= set(LETTERS) or prompt.endswith(LETTERS[-1]):
            parser.error(f'--ask takes letters from a to z, the last of them not z, got {prompt!r}')
    if args.command == 'cost' and not 0.05 <= args.scale <= 2:
        parser.error(f'--scale must be from 0.05 to 2 (2 takes 2.3 GB), got {args.scale}')
    return args


def main():
    args = parse_args()
    args.out.mkdir(parents=True, exist_ok=True)  # now, not after the work
    args.run(args)


if __name__ == '__main__':
    _cli.run(main)
