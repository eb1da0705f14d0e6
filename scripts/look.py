"""Look inside trained networks: their gates over a text, how far back a gradient reaches, the singular values of their weights.

    python scripts/look.py runs/mine --text 不分开期     # seconds; in a new RNN the gradient shrinks by 0.16 a step

For each RUN (a folder of scripts/train.py or scripts/reproduce.py) it draws every gate and state over the characters of the text;
then, all runs on one plot, the gradient of the text's last loss with respect to each earlier state (sections 6.6 and 6.7), beside
that of new RNN, GRU and LSTM networks, and the singular values of the recurrent matrices.
"""
from __future__ import annotations

import argparse
import dataclasses
import os
import textwrap
from pathlib import Path
from typing import Any, Dict, List

import _cli
import numpy as np
from _flags import add_out, add_seed, make_room

from gluon_rnn import ModelConfig, runtime
from gluon_rnn.book import diagnostics
from gluon_rnn.models.language_model import LanguageModel, build_model, copy_params
from gluon_rnn.plots import COLOURS, characters, font_family, new_figure, save_figure
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.checkpoint import Checkpoint

EXAMPLES = """example
  python scripts/look.py runs/book/6.4/consecutive runs/book/6.7/scratch runs/book/6.8/scratch --text 不分开期 --out runs/look
"""
COLUMNS = 40        # characters in a row of a picture
LETTERS = {'H_tilde': r'\tilde{H}', 'C_tilde': r'\tilde{C}'}
BETWEEN_0_AND_1 = ('I', 'F', 'O', 'Z', 'R')     # gates; all else is drawn around zero


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('runs', nargs='+', type=Path, metavar='RUN', help='folders of runs, or their checkpoint.npz')
    _cli.add_which(p)
    p.add_argument('--text', required=True, help='what the networks read: 3 characters or more, all of them in the text that '
                   'they were trained on')
    p.add_argument('--units', type=_cli.count, default=32, help='hidden units to draw, those that change most over the text')
    add_seed(p)
    add_out(p, Path('runs/look'), 'folder for the pictures')
    return p


def main() -> None:
    args = parser().parse_args()
    if len(args.text) < 3:
        raise ValueError(f'--text must have 3 characters or more, got {len(args.text)}')
    saved = {name: checkpoint.read(checkpoint.find_checkpoint(run, args.which)) for name, run in zip(names(args.runs), args.runs)}
    for path, (name, run) in zip(args.runs, saved.items()):
        if run.idx_to_char.rule != 'char':
            raise ValueError(f'{name} was trained on words, and a step is drawn as one character here: use a run of characters')
        _cli.say_which(path, run.epoch)
    indices = {name: run.idx_to_char.encode(args.text) for name, run in saved.items()}
    make_room([args.out / name for name in ('gradient.png', 'singular_values.png', *(f'gates-{name}.png' for name in saved))],
               args.overwrite)
    reaches: Dict[str, np.ndarray] = {}
    for name, run in saved.items():
        model = eager(run.model())
        save_figure(plot_gates(name, run, indices[name], args), args.out / f'gates-{name}.png')
        if run.config.bidirectional and not run.config.both_forward:
            print(f'{name}: its second direction comes from the end, so no gradient is drawn for it')
        else:
            reaches[name] = diagnostics.reach(model, indices[name])
            say_reach(name, reaches[name])
    first = next(iter(saved.values())).config
    fresh = {f'new {cell}': diagnostics.reach(new_network(first, cell, args.seed), next(iter(indices.values())))
             for cell in ('rnn', 'gru', 'lstm')}
    for name, norms in fresh.items():
        say_reach(name, norms)
    save_figure(plot_reach(reaches, fresh, args.text), args.out / 'gradient.png')
    values = {name: diagnostics.singular_values(run.model().book_params()) for name, run in saved.items()}
    save_figure(plot_singular_values(values), args.out / 'singular_values.png')
    print(f'wrote {args.out}/gates-*.png, gradient.png and singular_values.png')


def names(runs: List[Path]) -> List[str]:
    """A name for each run: its folder, with those above it, up to the one that all of them are in."""
    folders = [run.resolve() if run.is_dir() else run.resolve().parent for run in runs]
    if len(set(folders)) < len(folders):
        raise ValueError('the same RUN is given twice: give each once')
    common = os.path.commonpath([folder.parent for folder in folders])
    labels = ['-'.join(folder.relative_to(common).parts) for folder in folders]
    if len(set(labels)) < len(labels):
        raise ValueError(f'two RUNs would have one name of {", ".join(labels)}: rename a folder')
    return labels


def eager(model: LanguageModel) -> LanguageModel:
    """The same network in a form that hands a gradient on to its states step by step."""
    if model.config.impl not in ('hybrid', 'numba'):
        return model
    scratch = build_model(dataclasses.replace(model.config, impl='scratch'), model.ctx)
    copy_params(model, scratch)
    return scratch


def new_network(config: ModelConfig, cell: str, seed: int) -> LanguageModel:
    """One layer of a cell with new weights, as large as the network looked at."""
    runtime.seed(seed)
    return build_model(ModelConfig(cell=cell, num_hiddens=config.num_hiddens, vocab_size=config.vocab_size))


def say_reach(name: str, norms: np.ndarray) -> None:
    left = np.flatnonzero(norms)
    if not len(left):
        print(f'{name}: no gradient that float32 could hold reaches the state one step before the loss')
        return
    steps = len(norms) - int(left[0])
    said = f'{name}: gradient norm {norms[-1]:.3g} by the state one step before the loss'
    if steps < len(norms):
        said += f'; more than {steps} steps before too small for float32'
    if steps > 1 and norms[-1] > 0:
        factor = (norms[-steps] / norms[-1]) ** (1 / (steps - 1))
        said += f', {norms[-steps]:.3g} by that {steps} steps before; {factor:.3f} a step'
    print(said)


def plot_gates(name: str, run: Checkpoint, indices: List[int], args: argparse.Namespace) -> Any:
    """Heat maps, a column a character: a row of pictures for each layer and direction, one picture a gate or state."""
    import matplotlib
    traces = diagnostics.trace(run.config, run.model().book_params(), indices)
    labels, most = characters(args.text), max(len(trace) for trace in traces.values())
    pieces = [slice(start, start + COLUMNS) for start in range(0, len(labels), COLUMNS)]
    rows = [(layer, trace, gate, piece) for layer, trace in traces.items() for gate in trace for piece in pieces]
    wide = 1 if len(pieces) > 1 else min(most, 2)
    height = -(-len(rows) // wide)
    with matplotlib.rc_context({'font.family': font_family(), 'axes.unicode_minus': False}):
        width = max(3.6, 0.26 * min(len(labels), COLUMNS) + 1.4) * wide
        figure, axes = new_figure(width, 0.8 + 2.4 * height, nrows=height, ncols=wide, squeeze=False)
        for axis in axes.flat[len(rows):]:
            axis.set_visible(False)
        for axis, (layer, trace, gate, piece) in zip(axes.flat, rows):
            chosen, values = restless(trace['H'], args.units), trace[gate]
            if gate in BETWEEN_0_AND_1:
                colours = {'cmap': 'viridis', 'vmin': 0, 'vmax': 1}
            else:
                largest = max(float(np.abs(values).max()), 1e-6)
                colours = {'cmap': 'RdBu_r', 'vmin': -largest, 'vmax': largest}
            image = axis.imshow(values.T[chosen][:, piece], aspect='auto', interpolation='nearest', **colours)
            part = f', {piece.start + 1} to {min(piece.stop, len(labels))}' if len(pieces) > 1 else ''
            axis.set_title(f'{layer}: ${LETTERS.get(gate, gate)}${part}', fontsize=10)
            axis.set_xticks(range(len(labels[piece])), labels[piece], fontsize=9 if max(map(len, labels)) == 1 else 6)
            axis.set_xlim(-0.5, min(len(labels), COLUMNS) - 0.5)    # a character is as wide in the last row as in the others
            axis.set_yticks([])
            figure.colorbar(image, ax=axis, shrink=0.85, pad=0.02)
        units = max(len(trace['H'][0]) for trace in traces.values())
        title = f'{name}: a row is a hidden unit ({min(args.units, units)} of {units} that change most), a column a character'
        figure.suptitle(textwrap.fill(title, max(40, int(9 * figure.get_figwidth()))), fontsize=11)
    return figure


def restless(H: np.ndarray, units: int) -> np.ndarray:
    """The units whose state changes most over the text, ordered by when each is largest."""
    chosen = np.argsort(-H.std(axis=0))[:units]
    return chosen[np.argsort(H[:, chosen].argmax(axis=0), kind='stable')]


def plot_reach(reaches: Dict[str, np.ndarray], fresh: Dict[str, np.ndarray], text: str) -> Any:
    import matplotlib
    with matplotlib.rc_context({'font.family': font_family(), 'axes.unicode_minus': False}):
        figure, axes = new_figure(min(max(7, 0.28 * len(text)), 14), 4.6)
        for (name, norms), colour in zip(reaches.items(), COLOURS * len(reaches)):
            axes.plot(norms, 'o-', label=name, color=colour, markersize=4)
        for (name, norms), colour in zip(fresh.items(), ('#999', '#666', '#222')):
            axes.plot(norms, '--', label=name, color=colour, linewidth=1.2)
        axes.set_yscale('log', nonpositive='mask')
        axes.set_xticks(range(len(text) - 2), characters(text)[:-2])
        axes.set(xlabel='the state after this character', ylabel='gradient norm',
                 title='Gradient of the loss of the last character\nwith respect to each earlier state')
        axes.grid(True, alpha=0.25)
        axes.legend(frameon=False)
    return figure


def plot_singular_values(values: Dict[str, Dict[str, np.ndarray]]) -> Any:
    figure, axes = new_figure(7, 4.6)
    lines = {f'{name} {matrix}': s for name, matrices in values.items() for matrix, s in matrices.items()}
    for k, (label, s) in enumerate(lines.items()):
        style = ('-', '--', ':', '-.')[k // len(COLOURS) % 4]
        axes.plot(range(1, len(s) + 1), s, style, label=label, color=COLOURS[k % len(COLOURS)])
        print(f'{label}: singular values from {s[0]:.3g} to {s[-1]:.3g}, {int((s > 1).sum())} of {len(s)} above 1')
    axes.axhline(1, color='#bbb', linewidth=1)
    axes.set_yscale('log', nonpositive='mask')
    axes.set(xlabel='singular value, largest first', ylabel='size', title='Singular values of the recurrent matrices')
    axes.grid(True, alpha=0.25)
    axes.legend(frameon=False, fontsize=8, ncols=2 if len(lines) > 8 else 1)
    return figure


if __name__ == '__main__':
    _cli.run(main)
