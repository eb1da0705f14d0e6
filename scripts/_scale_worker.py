"""One worker of benchmark_scale.py: trains a Hybrid GRU, alone or with others, and prints what its epochs came to as JSON.

Rank 0 prints: seconds and perplexity of each epoch after the first, which warms up; and a step's bytes over the loopback and
seconds of CPU, its own and all servers', over these epochs.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from pathlib import Path
from typing import Dict, List

import _cli
import numpy as np

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, Trainer, build_model
from gluon_rnn.training.kvstore import Store


def main() -> None:
    p = _cli.ArgumentParser(description=__doc__)
    for name in ('num-hiddens', 'num-steps', 'batch-size', 'vocab-size', 'steps', 'epochs'):
        p.add_argument(f'--{name}', type=int, required=True)
    p.add_argument('--alone', action='store_true', help='without a store')
    args = p.parse_args()
    with contextlib.nullcontext() if args.alone else Store('dist_sync') as store:
        _cli.end_at_once()
        told = measure(args, store)
        if not store or store.rank == 0:
            print(json.dumps(told))


def measure(args: argparse.Namespace, store: Store | None) -> Dict[str, object]:
    gluon_rnn.seed(0)
    text = np.random.default_rng(0).integers(0, args.vocab_size, args.batch_size * (args.steps * args.num_steps + 1))
    model = build_model(ModelConfig(cell='gru', impl='hybrid', num_hiddens=args.num_hiddens, vocab_size=args.vocab_size))
    config = TrainConfig(num_epochs=args.epochs + 1, num_steps=args.num_steps, batch_size=args.batch_size)
    trainer = Trainer(model, config, store=store)
    epochs = trainer.epochs(text)
    next(epochs)
    servers = server_processes() if store else []
    before = loopback_bytes(), time.process_time(), sum(map(cpu_seconds, servers))
    records = list(epochs)
    after = loopback_bytes(), time.process_time(), sum(map(cpu_seconds, servers))
    sent, own, theirs = ((b - a) / (args.epochs * args.steps) for a, b in zip(before, after))
    return {'seconds': [record.seconds for record in records], 'perplexity': [record.perplexity for record in records],
            'parameters': sum(value.size for value in model.parameters().values()), 'loopback_bytes_a_step': sent if store else 0,
            'worker_cpu_a_step': own, 'server_cpu_a_step': theirs}


def loopback_bytes() -> int:
    """Bytes that this machine has sent to itself since it started, by any process."""
    line = next(line for line in Path('/proc/net/dev').read_text().splitlines() if line.strip().startswith('lo:'))
    return int(line.split()[1])


def server_processes() -> List[int]:
    """The parameter servers of this worker's job."""
    found = []
    port = f'DMLC_PS_ROOT_PORT={os.environ["DMLC_PS_ROOT_PORT"]}'
    for process in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            variables = (process / 'environ').read_bytes().decode(errors='replace').split('\0')
            if port in variables and 'DMLC_ROLE=server' in variables:
                found.append(int(process.name))
    return found


def cpu_seconds(pid: int) -> float:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


if __name__ == '__main__':
    _cli.run(main)
