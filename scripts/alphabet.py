"""The alphabet task in plain NumPy: learn the next letter from strings like "abc" -> "bcd", "bcd" -> "cde".

    python scripts/alphabet.py       # 5 seconds on two cores; all 325 runs of letters right

Learns with back-propagation through time and with real-time recurrent learning, the latter with the weights held still over a
string (the same gradient, so the same curve) and online, and prints what each network answers. Leaves alphabet.png and
alphabet.json in --out. What both cost: scripts/bptt_cost.py.
"""
from __future__ import annotations

import json
import math
import string
import time
from pathlib import Path

import _cli
import numpy as np
from _flags import add_out, add_seed, make_room
from tqdm import tqdm

from gluon_rnn import bptt
from gluon_rnn.plots import new_figure, save_figure
from gluon_rnn.runs.files import write_whole

LETTERS = string.ascii_lowercase
VOCAB_SIZE = len(LETTERS)
NUM_STEPS, NUM_HIDDENS = 3, 16
METHODS = {'bptt': ('BPTT', {'color': '#2a6fbb', 'lw': 5, 'alpha': 0.45}), 'rtrl': ('RTRL', {'color': '#d9652b', 'lw': 2}),
           'rtrl_online': ('RTRL, online', {'color': '#3a9a5b', 'lw': 1.5, 'ls': ':'})}     # their names, and how they are drawn


def training_batches():
    """The training strings as (X, Y) batches.

    abc -> bcd ... wxy -> xyz   all runs of NUM_STEPS letters that have a next one, one batch
    xy -> yz, y -> z            the end of the alphabet: no run of that length begins with these letters
    """
    first_short = VOCAB_SIZE - NUM_STEPS
    full = np.arange(NUM_STEPS + 1)[:, None] + np.arange(first_short)
    short = [np.arange(start, VOCAB_SIZE)[:, None] for start in range(first_short, VOCAB_SIZE - 1)]
    return [(bptt.one_hot(indices[:-1], VOCAB_SIZE), indices[1:]) for indices in (full, *short)]


def learn(method, batches, params, *, num_epochs, lr):
    """Gradient descent over the batches, each moving the weights by lr times its share of the letters.

    Returns the parameters, the loss of each epoch in nats a letter, and the seconds. Raises ValueError
    when the loss is no longer finite.
    """
    num_letters = sum(Y.size for _, Y in batches)
    losses, start = [], time.perf_counter()
    for epoch in tqdm(range(1, num_epochs + 1), desc=METHODS[method][0], unit='epoch', leave=False, disable=None):
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
            raise ValueError(f'{METHODS[method][0]}: the loss is {loss} in epoch {epoch}; take an --lr below {lr}')
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


def train(args):
    batches, results, pictures = training_batches(), {}, {}
    for method, (name, _) in METHODS.items():
        params = bptt.init_params(VOCAB_SIZE, NUM_HIDDENS, VOCAB_SIZE, seed=args.seed)
        with np.errstate(over='ignore', invalid='ignore'):  # divergence has its own error
            params, losses, seconds = learn(method, batches, params, num_epochs=args.num_epochs, lr=args.lr)
        answers = {prompt: LETTERS[next_letter(params, [prompt])[0].argmax()] for prompt in args.ask}
        right, asked = examine(params)
        results[method] = {'loss': losses, 'seconds': seconds, 'answers': answers, 'right': right, 'asked': asked}
        pictures[name] = next_letter(params, LETTERS[:-1])
        print(f'{name}: {losses[-1]:.4g} nats a letter after {len(losses)} epochs, {seconds:.2f} s; '
              + ', '.join(f'"{prompt}" -> "{letter}"' for prompt, letter in answers.items())
              + f'; {right} of all {asked} runs of letters right')
    save_figure(draw_train(results, pictures), args.out / 'alphabet.png')
    record = {'flags': {**vars(args), 'out': str(args.out)}, 'methods': results}
    write_whole(args.out / 'alphabet.json', json.dumps(record, indent=1) + '\n')
    print(f'wrote {args.out / "alphabet.png"} and {args.out / "alphabet.json"}')


def draw_train(results, pictures):
    figure, (left, right) = new_figure(11, 4.8, ncols=2)
    for method, (name, style) in METHODS.items():
        losses = results[method]['loss']
        left.plot(range(1, len(losses) + 1), losses, label=f'{name} ({results[method]["seconds"]:.1f} s)', **style)
    left.set(title='Learning the alphabet', xlabel='epoch', ylabel='loss, nats a letter', yscale='log')
    left.grid(which='major', alpha=0.25)
    left.legend(frameon=False)

    name, picture = next(iter(pictures.items()))
    image = right.imshow(picture, cmap='Blues', vmin=0, vmax=1, aspect='auto')
    right.set(title=f'What {name} answers to one letter', xlabel='next letter', ylabel='letter',
              xticks=range(VOCAB_SIZE), xticklabels=LETTERS,
              yticks=range(VOCAB_SIZE - 1), yticklabels=LETTERS[:-1])
    right.tick_params(labelsize=8, length=0)
    figure.colorbar(image, ax=right, label='probability')
    return figure


def parser():
    p = _cli.ArgumentParser(description=__doc__)
    p.add_argument('--ask', nargs='+', default=['c', 'fg'], metavar='LETTERS', help='what comes next?')
    p.add_argument('--num-epochs', type=_cli.count, default=100, help='over all training strings')
    p.add_argument('--lr', type=float, default=4.0, help='learning rate')
    add_seed(p)
    add_out(p, Path('runs/alphabet'), 'folder for picture and data')
    return p


def main():
    args = parser().parse_args()
    if not args.lr > 0:
        raise ValueError(f'--lr must be above 0, got {args.lr}')
    for prompt in args.ask:
        if not prompt or not set(prompt) <= set(LETTERS) or prompt.endswith(LETTERS[-1]):
            raise ValueError(f'--ask takes letters from a to z, the last of them not z, got {prompt!r}')
    make_room([args.out / 'alphabet.png', args.out / 'alphabet.json'], args.overwrite)
    train(args)


if __name__ == '__main__':
    _cli.run(main)
