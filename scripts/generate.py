"""Write text with a trained model: greedily as the book does, or drawn by --temperature or --top-k.

    python scripts/generate.py runs/mine --prefixes 分开        # a few seconds

A model that scripts/export.py has written as ONNX is run by ONNX Runtime; MXNet need not be installed for it.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Tuple

import _cli
from _flags import flags_of

from gluon_rnn import runtime
from gluon_rnn.exchange.onnx_model import load_onnx
from gluon_rnn.models.generation import generate
from gluon_rnn.runs.settings import RunSettings

EXAMPLES = """examples
  python scripts/generate.py runs/mine --prefixes 分开 --temperature 0.8
  python scripts/generate.py runs/mine.onnx --prefixes 分开
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('model', type=Path, help='a run of scripts/train.py (its folder, or its checkpoint.npz), or an .onnx file of '
                   'scripts/export.py')
    p.add_argument(*flags_of('prefixes'), dest='prefixes', nargs='+', action='extend', required=True, help='what the text '
                   'starts with, one text for each')
    p.add_argument(*flags_of('pred_len'), dest='pred_len', type=int, default=RunSettings.pred_len, help='characters, or words, '
                   'to add')
    p.add_argument('--temperature', type=float, help='draw from softmax(logits / temperature); below 1 bolder, above 1 '
                   'wilder, 0 greedy')
    p.add_argument('--top-k', type=int, help='draw from the so many likeliest only')
    p.add_argument('--seed', type=int, default=0, help='of the draws')
    p.add_argument('--ctx', default='auto', help="auto, cpu, gpu, 'gpu(1)'; an .onnx file runs on the CPU")
    return p


def main() -> None:
    args = parser().parse_args()
    if args.seed < 0:
        raise ValueError(f'--seed must be 0 or more, got {args.seed}')
    exported = args.model.suffix == '.onnx' and not args.model.is_dir()
    model, idx_to_char = read_onnx(args.model, args.ctx) if exported else read_run(args.model, args.ctx)
    for prefix in args.prefixes:
        print(generate(model, idx_to_char, prefix, args.pred_len, temperature=args.temperature, top_k=args.top_k, seed=args.seed))


def read_onnx(path: Path, ctx: str) -> Tuple[Any, Tuple[str, ...]]:
    if ctx not in ('auto', 'cpu'):
        raise ValueError(f'an .onnx file runs on the CPU, --ctx {ctx} was asked for: leave it out')
    if not path.exists():
        raise ValueError(f'{path} does not exist: write it by scripts/export.py RUN --format onnx')
    model = load_onnx(path)
    return model, model.idx_to_char


def read_run(run: Path, ctx: str) -> Tuple[Any, Tuple[str, ...]]:
    from gluon_rnn.runs import checkpoint  # loads MXNet
    from gluon_rnn.runs.folder import find_checkpoint
    saved = checkpoint.read(find_checkpoint(run))
    return saved.model(runtime.parse_ctx(ctx)), saved.idx_to_char


if __name__ == '__main__':
    _cli.run(main)
