"""Write a trained model to a file for another framework, ONNX or PyTorch, or as a web page.

    python scripts/export.py runs/mine --format onnx        # seconds; logits within 1e-5 of those in MXNet

docs/export.md and docs/pytorch.md say more.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Callable, Dict

import _cli
from _flags import add_out, check_free

from gluon_rnn.runs import checkpoint

EXAMPLES = """examples
  python scripts/export.py runs/mine --format onnx                       writes runs/mine.onnx
  python scripts/generate.py runs/mine.onnx --prefixes 分开                 writes text with it, without MXNet
  python scripts/export.py runs/mine --format torch --form layer --out model.pt
  python scripts/export.py runs/mine --format html                       writes runs/mine.html: open it in any browser
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('run', type=Path, help='a run of scripts/train.py: its folder, or its checkpoint.npz')
    _cli.add_which(p)
    p.add_argument('--format', choices=FORMATS, required=True, help='onnx: a graph with settings and vocabulary, for ONNX '
                   'Runtime and others; torch: a state_dict with settings and vocabulary; html: a page for any browser')
    add_out(p, None, "the file (default: the run's name with the format's ending)")
    p.add_argument('--form', choices=['hand', 'layer'], help='of torch: the loop by hand, or the torch.nn layer (default: '
                   "what corresponds to the run's implementation)")
    p.add_argument('--dtype', choices=['float16', 'float32'], help='of html: of the weights in the page (default: float16, which '
                   'is half as large)')
    return p


def main() -> None:
    args = parser().parse_args()
    if args.form and args.format != 'torch':
        raise ValueError(f'--form goes with --format torch, got {args.format}: leave it out')
    if args.dtype and args.format != 'html':
        raise ValueError(f'--dtype goes with --format html, got {args.format}: leave it out')
    write, suffix = FORMATS[args.format]
    saved = checkpoint.read(checkpoint.find_checkpoint(args.run, args.which))
    _cli.say_which(args.run, saved.epoch)
    run = args.run if args.run.is_dir() else args.run.parent
    path = args.out or Path(f'{run.resolve()}{suffix}')
    check_free([path], args.overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    said = write(saved, path, args)
    print(f'{path}: {path.stat().st_size} bytes{said}')


def to_torch(saved: Any, path: Path, args: argparse.Namespace) -> str:
    from gluon_rnn.torch_parity.model_file import export
    export(saved.model(), saved.idx_to_char, path, layer=None if args.form is None else args.form == 'layer')
    return ''


def to_onnx(saved: Any, path: Path, args: argparse.Namespace) -> str:
    from gluon_rnn.exchange.to_onnx import export_onnx
    apart = export_onnx(saved.model(), saved.idx_to_char, path)
    return f'; run by ONNX Runtime its logits and states are within {apart:.0e} of those in MXNet'


def to_html(saved: Any, path: Path, args: argparse.Namespace) -> str:
    from gluon_rnn.exchange.web_page import export_page
    prefix = next((prefix for prefix in ('分开', 'traveller', 't') if set(prefix) <= set(saved.idx_to_char)), '')
    export_page(saved.model(), saved.idx_to_char, path, dtype=args.dtype or 'float16', title=path.stem, prefix=prefix)
    return '; open it in a browser'


# format -> what writes it and says what there is to say of it, and the ending of its files
FORMATS: Dict[str, tuple[Callable[[Any, Path, argparse.Namespace], str], str]] = {
    'onnx': (to_onnx, '.onnx'),
    'torch': (to_torch, '.pt'),
    'html': (to_html, '.html'),
}

if __name__ == '__main__':
    _cli.run(main)
