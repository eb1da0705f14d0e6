"""Write text with a trained model: greedily as the book does, or drawn by --temperature or --top-k."""
from __future__ import annotations

import argparse
from pathlib import Path

import _cli

import gluon_rnn
from gluon_rnn import checkpoint, runtime
from gluon_rnn.run_folder import find_checkpoint


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__,
                            epilog='example\n  python scripts/generate.py runs/mine --prefix 分开 --temperature 0.8')
    p.add_argument('run', type=Path, help='a run of scripts/train.py: its folder, or its checkpoint.npz')
    p.add_argument('--prefix', action='append', required=True, help='what the text starts with; may be given several times')
    p.add_argument('--length', type=int, default=50, help='characters to add')
    p.add_argument('--temperature', type=float, help='draw from softmax(logits / temperature); below 1 bolder, above 1 wilder')
    p.add_argument('--top-k', type=int, help='draw from the so many likeliest characters only')
    p.add_argument('--seed', type=int, default=0, help='of the draws')
    p.add_argument('--ctx', default='auto', help="auto, cpu, gpu, 'gpu(1)'")
    return p


def main() -> None:
    args = parser().parse_args()
    if args.seed < 0:
        raise ValueError(f'--seed must be 0 or more, got {args.seed}')
    saved = checkpoint.read(find_checkpoint(args.run))
    model = saved.model(runtime.parse_ctx(args.ctx))
    for prefix in args.prefix:
        print(gluon_rnn.generate(model, saved.idx_to_char, prefix, args.length, temperature=args.temperature, top_k=args.top_k,
                                 seed=args.seed))


if __name__ == '__main__':
    _cli.run(main)
