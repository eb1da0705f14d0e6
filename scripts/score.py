"""Score a text by trained models: its log-probability and perplexity, the characters least expected, and a picture of it.

    python scripts/score.py runs/mine 想要有直升机       # seconds; perplexity, and the picture runs/score.png

Each character is expected from all that stand before it. Several runs, or models that scripts/export.py has written as ONNX,
stand side by side.
"""
from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Dict

import _cli
from _flags import add_out, check_free
from generate import read_model

from gluon_rnn.corpora.reading import read_text
from gluon_rnn.models.scoring import TextScore, score

EXAMPLES = """examples
  python scripts/score.py runs/mine 想要有直升机
  python scripts/score.py runs/rnn runs/gru runs/lstm.onnx verse.txt --least 20 --out runs/verse.png
"""
MOST = 2000         # characters in the picture


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('models', nargs='+', type=Path, metavar='RUN', help='runs of scripts/train.py, or .onnx files of '
                   'scripts/export.py')
    p.add_argument('text', metavar='TEXT', help='a text, or the path of a UTF-8 text file')
    p.add_argument('--least', type=_cli.count, default=10, help='how many of the least expected characters, or words, to name')
    add_out(p, Path('runs/score.png'), f'the picture; of a long text it has the first {MOST} characters')
    _cli.add_which(p)
    p.add_argument('--ctx', default='auto', help="auto, cpu, gpu, 'gpu(1)'; an .onnx file runs on the CPU")
    return p


def main() -> None:
    args = parser().parse_args()
    if len(set(args.models)) < len(args.models):
        raise ValueError('the same RUN is given twice: give each once')
    check_free([args.out], args.overwrite)
    text = read_text(args.text) if os.path.isfile(args.text) else args.text     # it may be too long for a name
    scores: Dict[str, TextScore] = {}
    for path in args.models:
        model, idx_to_char = read_model(path, args.ctx, args.which)
        found = scores[str(path)] = score(model, idx_to_char, text)
        print(f'{path}: log-probability {found.log_probability:.2f} nats, perplexity {found.perplexity:.4f} a token of '
              f'{len(found.pieces)}, {found.bits_per_char:.4f} bits a character')
        print('  least expected: ' + ', '.join(f'{piece!r} at {place} (p {p:.2g})' for place, piece, p in
                                               found.least_expected(args.least)))
    from gluon_rnn.plots import plot_surprise, save_figure
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_figure(plot_surprise({f'{name}: perplexity {found.perplexity:.2f}': beginning(found) for name, found in scores.items()}),
                args.out)
    print(f'wrote {args.out}')


def beginning(found: TextScore) -> TextScore:
    return TextScore(found.pieces[:MOST], found.losses[:MOST])


if __name__ == '__main__':
    _cli.run(main)
