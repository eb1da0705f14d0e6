"""Write text with a trained model: greedily as the book does, or drawn by --temperature, --top-k or --top-p.

    python scripts/generate.py runs/mine --prefixes 分开        # a few seconds

A model that scripts/export.py has written as ONNX is run by ONNX Runtime; MXNet need not be installed for it.
"""
from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any, Tuple

import _cli
from _flags import add_seed, flags_of

from gluon_rnn import runtime
from gluon_rnn.corpora.reading import read_text
from gluon_rnn.exchange.onnx_model import load_onnx
from gluon_rnn.models.generation import beam_search, generate
from gluon_rnn.runs.settings import RunSettings

EXAMPLES = """examples
  python scripts/generate.py runs/mine --prefixes 分开 --temperature 0.8
  python scripts/generate.py runs/mine --number 3 --top-p 0.9 --seed 7       three verses, each begun as a line begins
  python scripts/generate.py runs/mine --prefix-file begin.txt --beam 5 --number 5      the five likeliest that are found
  python scripts/generate.py runs/mine --prefixes 分开 --pred-len 2000 --temperature 0.8 --stream
  python scripts/generate.py runs/mine.onnx --prefixes 分开
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('model', type=Path, help='a run of scripts/train.py (its folder, or its checkpoint.npz), or an .onnx file of '
                   'scripts/export.py')
    p.add_argument(*flags_of('prefixes'), dest='prefixes', nargs='+', action='extend', help='what the text starts with, one '
                   'text for each (default: nothing)')
    p.add_argument(*flags_of('pred_len'), dest='num_chars', type=int, default=RunSettings.pred_len, help='characters, or words, '
                   'to add')
    p.add_argument('--prefix-file', type=Path, action='append', metavar='FILE', help='a UTF-8 text to start with, without '
                   'its last line break')
    p.add_argument('--number', type=_cli.count, default=1, help='texts for each prefix; drawn from the seeds --seed, --seed + 1, '
                   '…, or by --beam the likeliest')
    p.add_argument('--temperature', type=float, help='draw from softmax(logits / temperature); below 1 bolder, above 1 '
                   'wilder, 0 greedy (default: greedy)')
    p.add_argument('--top-k', type=int, help='draw from the so many likeliest only')
    p.add_argument('--top-p', type=float, help='draw from as few of the likeliest as have this probability together')
    p.add_argument('--beam', type=int, help='draw nothing: keep the so many likeliest beginnings at each step')
    p.add_argument('--stream', action='store_true', help='print each character, or word, once it is chosen')
    add_seed(p)
    _cli.add_which(p)
    p.add_argument('--ctx', default='auto', help="auto, cpu, gpu, 'gpu(1)'; an .onnx file runs on the CPU")
    return p


def main() -> None:
    args = parser().parse_args()
    how = {'temperature': args.temperature, 'top_k': args.top_k, 'top_p': args.top_p}
    drawn = args.temperature != 0 and any(value is not None for value in how.values())
    if args.beam and (args.stream or any(value is not None for value in how.values())):
        raise ValueError('--beam draws nothing, and has no text before its last step: leave out --temperature, '
                         '--top-k, --top-p and --stream')
    if args.number > (args.beam or (args.number if drawn else 1)):
        raise ValueError(f'--number {args.number} would print one text several times: add --temperature, --top-k or --top-p, '
                         f'or a --beam of as many')
    files = [read_text(path) for path in args.prefix_file or []]
    model, idx_to_char = read_model(args.model, args.ctx, args.which)
    for prefix in [*(args.prefixes or []), *(text[:-1] if text.endswith('\n') else text for text in files)] or ['']:
        if args.beam is not None:
            print(*beam_search(model, idx_to_char, prefix, args.num_chars, beam=args.beam)[:args.number], sep='\n')
            continue
        for i in range(args.number):
            text = generate(model, idx_to_char, prefix, args.num_chars, **how, seed=args.seed + i,
                            on_text=partial(print, end='', flush=True) if args.stream else None)
            print('' if args.stream else text)


def read_model(path: Path, ctx: str, which: str | None = None) -> Tuple[Any, Tuple[str, ...]]:
    """The model of a run or of an exported file, and its vocabulary."""
    if path.suffix == '.onnx' and not path.is_dir():
        if which:
            raise ValueError(f'--which {which} needs the folder of a run, got {path}: leave it out')
        if ctx not in ('auto', 'cpu'):
            raise ValueError(f'an .onnx file runs on the CPU, --ctx {ctx} was asked for: leave it out')
        if not path.exists():
            raise ValueError(f'{path} does not exist: write it by scripts/export.py RUN --format onnx')
        model = load_onnx(path)
        return model, model.idx_to_char
    from gluon_rnn.runs import checkpoint  # loads MXNet
    saved = checkpoint.read(checkpoint.find_checkpoint(path, which))
    _cli.say_which(path, saved.epoch)
    return saved.model(runtime.parse_ctx(ctx)), saved.idx_to_char


if __name__ == '__main__':
    _cli.run(main)
