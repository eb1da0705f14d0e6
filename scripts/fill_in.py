"""Fill gaps in lyrics from both sides: the task that fits a bidirectional network.

    python scripts/fill_in.py train --corpus jaychou --max-chars 0      # 18 % of the gaps, perplexity 296; one direction 389

`train` masks characters of the text and teaches a bidirectional network to predict them, then a one-directional network of as
many parameters, and counts bigrams; the table says what the second direction is worth on text that none of them has read.
`ask` fills the gaps (_) of texts with the network that `train` has left in --out.

`train` takes some minutes on two cores, `ask` seconds.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any, List, Tuple

import _cli
from _flags import add_seed, check_free
from tqdm import tqdm

import gluon_rnn
from gluon_rnn.cells.build import IMPLS
from gluon_rnn.cells.default import default_impl
from gluon_rnn.corpora.corpus import CORPORA
from gluon_rnn.corpora.sampling import Batch
from gluon_rnn.models.bigrams import Counting
from gluon_rnn.models.fill_in import (
    FillIn,
    MaskedText,
    Score,
    build_fill_in,
    evaluate_gaps,
    fill,
    held_out_batches,
    load_fill_in,
    network_log_probabilities,
    one_directional,
)
from gluon_rnn.plots import SPACE
from gluon_rnn.runs import checkpoint
from gluon_rnn.runs.checkpoint import Checkpoint
from gluon_rnn.runs.files import write_whole
from gluon_rnn.runtime import parse_ctx
from gluon_rnn.training.config import SAMPLINGS, TrainConfig
from gluon_rnn.training.trainer import Trainer

EXAMPLES = """examples
  python scripts/fill_in.py train                                          on the embedded lyrics
  python scripts/fill_in.py train --corpus jaychou --max-chars 0 --out runs/fill-jaychou
  python scripts/fill_in.py ask "能不能给我一_歌的时间" --out runs/fill-jaychou
"""


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    commands = p.add_subparsers(dest='command', required=True, parser_class=_cli.ArgumentParser)
    t = commands.add_parser('train', description='Train, compare, and keep the bidirectional network.')
    t.add_argument('--corpus', default='lyrics', help=f'{", ".join(CORPORA)}, or a UTF-8 text file or a zip of one')
    t.add_argument('--max-chars', type=int, help='characters to keep from the start, 0: all')
    t.add_argument('--cell', choices=('rnn', 'gru', 'lstm'), default='gru', help='the recurrent network')
    t.add_argument('--impl', choices=IMPLS, help='how it is implemented (default: numba on a CPU; on a GPU gluon where it has '
                   'the equations, else hybrid)')
    t.add_argument('--num-hiddens', type=int, default=128, help='hidden units in each direction')
    t.add_argument('--num-layers', type=int, default=1)
    t.add_argument('--dropout', type=float, default=0, help='between layers')
    t.add_argument('--sampling', choices=SAMPLINGS, default='random', help='mini-batches, section 6.3')
    t.add_argument('--mask-rate', type=float, default=0.2, help='part of the characters that is masked')
    t.add_argument('--num-steps', type=int, default=35, help='characters in an example')
    t.add_argument('--batch-size', type=int, default=16, help='examples in a batch')
    t.add_argument('--num-epochs', type=int, default=12, help='the best epoch on the validation text is kept')
    t.add_argument('--lr', type=float, default=0.01, help='learning rate')
    t.add_argument('--optimizer', default='adam', help='the name of any MXNet optimizer')
    t.add_argument('--clipping-theta', type=float, default=1, help='largest global norm of the gradients, 0: no clipping')
    add_seed(t)
    t.add_argument('--no-compare', action='store_true', help='leave out the one-directional network and the counting')
    t.add_argument('--overwrite', action='store_true', help='replace what an earlier call has left in --out')
    a = commands.add_parser('ask', description='Fill the gaps of texts.')
    a.add_argument('texts', nargs='+', metavar='TEXT', help='a text in which _ stands for each unknown character')
    a.add_argument('--candidates', type=int, default=5, help='characters to name for each gap')
    for command in (t, a):
        command.add_argument('--out', type=Path, default=Path('runs/fill-in'), help='folder of the trained network')
        command.add_argument('--ctx', default='auto', help="where to run: auto (a GPU if there is one), cpu, gpu, 'gpu(1)'")
    return p


def main() -> None:
    args = parser().parse_args()
    ask(args) if args.command == 'ask' else train(args)


def ask(args: argparse.Namespace) -> None:
    if args.candidates < 1:
        raise ValueError(f'--candidates must be 1 or more, got {args.candidates}')
    path = args.out / 'checkpoint.npz'
    if not path.exists():
        raise ValueError(f'{args.out} holds no trained network: python scripts/fill_in.py train --out {args.out}')
    saved = checkpoint.read(path)
    model = load_fill_in(saved, parse_ctx(args.ctx))
    for filled in fill(model, saved.idx_to_char, args.texts, num_candidates=args.candidates):
        print(filled.text)
        for candidates in filled.candidates:
            print('  ' + '  '.join(f'{SPACE if char == " " else char} {p:.1%}' for char, p in candidates))


def train(args: argparse.Namespace) -> None:
    check_free([args.out / 'checkpoint.npz'], args.overwrite)
    ctx = parse_ctx(args.ctx)
    corpus = gluon_rnn.load_corpus(args.corpus, max_chars=args.max_chars)
    config = gluon_rnn.ModelConfig(cell=args.cell, num_hiddens=args.num_hiddens, num_layers=args.num_layers,
                                   dropout=args.dropout, bidirectional=True, vocab_size=corpus.vocab_size)
    config = dataclasses.replace(config, impl=args.impl or default_impl(config, ctx))
    how = TrainConfig(sampling=args.sampling, num_epochs=args.num_epochs, num_steps=args.num_steps, batch_size=args.batch_size,
                      lr=args.lr, optimizer=args.optimizer, clipping_theta=args.clipping_theta, seed=args.seed)
    first, second = round(len(corpus) * 0.8), round(len(corpus) * 0.9)
    text, mask = corpus.indices[:first], corpus.vocab_size
    valid, test = (held_out_batches(part, mask, args.mask_rate, args.num_steps, ctx=ctx)
                   for part in (corpus.indices[first:second], corpus.indices[second:]))
    source = MaskedText(text, how, mask, args.mask_rate, ctx=ctx)
    print(f'{args.corpus}: {len(corpus):,} characters, {corpus.vocab_size:,} different; 80 % to learn from, 10 % to choose the '
          f'epoch on, 10 % to test on')
    args.out.mkdir(parents=True, exist_ok=True)
    best, model = learn(config, how, source, valid, ctx, corpus.idx_to_char)
    checkpoint.save(args.out / 'checkpoint.npz', best)
    rows = [(f'bidirectional {args.cell}, 2 x {config.num_hiddens}', model.num_parameters(),
             evaluate_gaps(network_log_probabilities(model), test))]
    if not args.no_compare:
        single = one_directional(config)
        _, model = learn(single, how, source, valid, ctx, corpus.idx_to_char)
        rows.append((f'one-directional {args.cell}, {single.num_hiddens}', model.num_parameters(),
                     evaluate_gaps(network_log_probabilities(model), test)))
        for name, right in (('bigrams on both sides', True), ('bigrams on the left', False)):
            counting = Counting.fitted(text, corpus.vocab_size, valid, right=right)
            rows.append((f'counting {name}, alpha {counting.alpha:g}', 0, evaluate_gaps(counting.log_probabilities, test)))
    gaps = sum(y.shape[0] for _, y in test)
    show(rows, gaps)
    write_whole(args.out / 'table.json', json.dumps([{'name': name, 'parameters': number, **dataclasses.asdict(score)}
                                                      for name, number, score in rows], ensure_ascii=False, indent=2) + '\n')
    print(f'python scripts/fill_in.py ask "…_…" --out {args.out}')


def learn(config: gluon_rnn.ModelConfig, how: TrainConfig, source: MaskedText, valid: List[Batch], ctx: Any,
          idx_to_char: Any) -> Tuple[Checkpoint, FillIn]:
    """Train one network and go back to its best epoch."""
    gluon_rnn.seed(how.seed or 0)
    model = build_fill_in(config, ctx)
    trainer, best, least = Trainer(model, how), None, float('inf')
    name = ('bidirectional' if config.bidirectional else 'one-directional') + f' {config.cell}'
    print(f'{name}, {config.num_hiddens} hidden units, {model.num_parameters():,} parameters')
    with tqdm(total=how.num_epochs, unit=' epochs', leave=False, disable=None) as bar:
        for record in trainer.epochs_on(source):
            score = evaluate_gaps(network_log_probabilities(model), valid)
            bar.clear()
            print(f'epoch {record.epoch}, perplexity {record.perplexity:.2f}, on the validation text {score.perplexity:.2f}, '
                  f'accuracy {score.accuracy:.4f}, time {record.seconds:.2f} sec')
            bar.update()
            if score.perplexity < least:
                best, least = Checkpoint.take(trainer, idx_to_char), score.perplexity
    if best is None:
        raise ValueError('the perplexity on the validation text never became a number: lower --lr')
    return best, load_fill_in(best, ctx)


def show(rows: List[Tuple[str, int, Score]], gaps: int) -> None:
    width = max(len(name) for name, _, _ in rows)
    print(f'\n{gaps:,} gaps in text held out\n{"":{width}}  parameters  accuracy  perplexity')
    for name, number, score in rows:
        print(f'{name:{width}}  {f"{number:,}" if number else "-":>10}  {score.accuracy:8.2%}  {score.perplexity:10.2f}')


if __name__ == '__main__':
    _cli.run(main)
