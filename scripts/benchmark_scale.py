"""Measure several workers on this machine, what they send, and reckon eight machines from that.

    python scripts/benchmark_scale.py       # some ten minutes on two cores; 10 MB a step for each worker of 256 hidden units

Trains a Hybrid GRU at the book's setting (1027 characters, 35 steps, batches of 32 that all workers share) in one process
without a store, and in 1, 2 and 4 workers with MXNet's parameter server; and in one process with fewer rows, which is what each
of several machines would compute. Measures seconds an epoch, bytes a step over the loopback, and the CPU that worker 0 and the
servers use. Every process has one thread. Linux only.

From these it reckons a step of eight machines of this kind with a network between them, and servers on machines of their own:

  seconds   = computing + the longer of (network, servers)
  computing = CPU seconds that one process without a store used for its rows
  network   = bytes of all machines / (servers * bandwidth); a server receives its part of every gradient, then sends the sums
  servers   = CPU seconds that the servers used for a byte here * bytes of all machines / servers

and networks larger than measured from the products of matrices that they need, at the rate of the largest one measured.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Tuple

import _cli
from _flags import add_out, check_free

from gluon_rnn import runtime
from gluon_rnn.cells.build import NetworkConfig
from gluon_rnn.models.base import count_parameters
from gluon_rnn.runs.files import write_whole
from gluon_rnn.tables import printed

HERE = Path(__file__).resolve().parent
VOCAB_SIZE, NUM_STEPS, BATCH_SIZE, STEPS = 1027, 35, 32, 8
MACHINES = 8
GIGABIT = 1e9 / 8
EXAMPLES = """examples
  python scripts/benchmark_scale.py --out runs/scale
  python scripts/benchmark_scale.py --num-hiddens 64 --workers 1 2 --epochs 2
"""


@dataclass(frozen=True)
class Measured:
    """One case: workers 0 is one process without a store."""
    num_hiddens: int
    workers: int
    rows: int                       # of the whole batch
    seconds: float                  # a step, the median of all epochs
    lowest: float                   # a step of the fastest epoch
    parameters: int
    bytes_a_step: float             # over the loopback, all workers and both ways
    server_cpu: float               # seconds a step
    worker_cpu: float               # seconds a step, of the worker of rank 0
    perplexity: float               # of the last epoch

    @property
    def expected_bytes(self) -> int:
        """Each worker pushes every gradient and pulls every sum, 4 bytes a number."""
        return 2 * 4 * self.parameters * self.workers


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES)
    p.add_argument('--num-hiddens', type=int, nargs='+', default=[256, 1024], help='hidden units, measured')
    p.add_argument('--larger', type=int, nargs='*', default=[2048, 4096], help='hidden units, reckoned')
    p.add_argument('--workers', type=int, nargs='+', default=[1, 2, 4], help='workers on this machine')
    p.add_argument('--servers', type=int, default=1, help='parameter servers on this machine')
    p.add_argument('--epochs', type=int, default=3, help=f'of {STEPS} steps, in each of the rounds')
    p.add_argument('--rounds', type=int, default=2, help='times that all cases take turns')
    add_out(p, Path('runs/benchmark_scale'), 'folder for the JSON')
    return p


def main() -> None:
    args = parser().parse_args()
    _cli.check_counts(args, 'epochs', 'rounds', 'servers')
    wrong = [n for n in args.workers if not 1 <= n <= BATCH_SIZE]
    if wrong:
        raise ValueError(f'--workers must be from 1 to {BATCH_SIZE}, got {wrong[0]}')
    check_free([args.out / 'scale.json'], args.overwrite)
    print(runtime.machine(), 'load', ' '.join(f'{load:.1f}' for load in os.getloadavg()))
    told: Dict[Tuple[int, int, int], List[Dict[str, Any]]] = {}
    for i in range(args.rounds):
        for case in cases(args):
            told.setdefault(case, []).append(run(*case, servers=args.servers, epochs=args.epochs))
            seconds = ' '.join(f'{second:.3f}' for second in told[case][-1]['seconds'])
            print(f'round {i + 1} of {args.rounds}: {case[0]} hidden, {case[1] or "no"} workers, {case[2]} rows: {seconds} s, '
                  f'CPU {told[case][-1]["worker_cpu_a_step"] * 1e3:.1f} ms a step', file=sys.stderr)
    measured = [sum_up(case, answers) for case, answers in told.items()]
    print('load', ' '.join(f'{load:.1f}' for load in os.getloadavg()))
    print(printed([{'hidden': m.num_hiddens, 'workers': m.workers or None, 'rows': m.rows, 's/epoch': m.seconds * STEPS,
                    'lowest': m.lowest * STEPS, 'ms/step': m.seconds * 1e3, 'MB/step': m.bytes_a_step / 1e6,
                    'computed': m.expected_bytes / 1e6, 'worker CPU ms': m.worker_cpu * 1e3, 'server CPU ms': m.server_cpu * 1e3,
                    'perplexity': m.perplexity} for m in measured]))
    reckoned = [row for num_hiddens in [*args.num_hiddens, *args.larger] for row in reckon(measured, num_hiddens)]
    print(f'{MACHINES} machines, reckoned; ms a step')
    print(printed([{'hidden': r['num_hiddens'], 'Gbit/s': r['gigabits'], 'servers': r['servers'], 'one machine': r['one'] * 1e3,
                    'network': r['network'] * 1e3, 'serving': r['serving'] * 1e3, f'{BATCH_SIZE} rows in all': r['shared'] * 1e3,
                    'times as fast': r['times_shared'], f'{BATCH_SIZE} rows each': r['each'] * 1e3,
                    'times as much': r['times_each']} for r in reckoned]))
    args.out.mkdir(parents=True, exist_ok=True)
    found = {'measured': [asdict(m) for m in measured], 'reckoned': reckoned}
    write_whole(args.out / 'scale.json', json.dumps(found, indent=2) + '\n')


def cases(args: argparse.Namespace) -> List[Tuple[int, int, int]]:
    """(num_hiddens, workers, rows) of each."""
    rows = sorted({BATCH_SIZE, BATCH_SIZE // MACHINES, *(BATCH_SIZE // n for n in args.workers)}, reverse=True)
    return [case for n in args.num_hiddens
            for case in [*((n, 0, r) for r in rows), *((n, workers, BATCH_SIZE) for workers in args.workers)]]


def run(num_hiddens: int, workers: int, rows: int, *, servers: int, epochs: int) -> Dict[str, Any]:
    sizes = {'num-hiddens': num_hiddens, 'num-steps': NUM_STEPS, 'batch-size': rows, 'vocab-size': VOCAB_SIZE, 'steps': STEPS,
             'epochs': epochs}
    command = [sys.executable, str(HERE / '_scale_worker.py'), *(f'--{name}={value}' for name, value in sizes.items())]
    if workers:
        command = [sys.executable, str(HERE / 'launch.py'), '-n', str(workers), '-s', str(servers), '--', *command]
    else:
        command.append('--alone')
    done = subprocess.run(command, capture_output=True, text=True, env=runtime.child_environment(1), timeout=1800)
    if done.returncode:
        raise ValueError(f'{workers} workers failed: {(done.stderr.splitlines() or ["nothing was said"])[-1]}')
    return json.loads(done.stdout.splitlines()[-1])


def sum_up(case: Tuple[int, int, int], answers: List[Dict[str, Any]]) -> Measured:
    seconds = [second / STEPS for answer in answers for second in answer['seconds']]
    least = {name: min(answer[name] for answer in answers)
             for name in ('loopback_bytes_a_step', 'server_cpu_a_step', 'worker_cpu_a_step')}
    num_hiddens, workers, rows = case
    return Measured(num_hiddens=num_hiddens, workers=workers, rows=rows, seconds=statistics.median(seconds), lowest=min(seconds),
                    parameters=answers[0]['parameters'], bytes_a_step=least['loopback_bytes_a_step'],
                    server_cpu=least['server_cpu_a_step'], worker_cpu=least['worker_cpu_a_step'],
                    perplexity=answers[0]['perplexity'][-1])


def products(num_hiddens: int, rows: int) -> int:
    """Operations of a step in products of matrices, forward and backward; the one-hot input needs none."""
    return 3 * 2 * rows * NUM_STEPS * num_hiddens * (3 * num_hiddens + VOCAB_SIZE)


def reckon(measured: List[Measured], num_hiddens: int) -> List[Dict[str, Any]]:
    """A step of one machine and of eight, with a batch of 32 in all and with 32 each, for several networks and servers."""
    alone = {(m.num_hiddens, m.rows): m for m in measured if not m.workers}
    largest = max(m.num_hiddens for m in measured)
    served = [m for m in measured if m.workers and m.num_hiddens == largest]
    cpu_a_byte = statistics.median(m.server_cpu / m.expected_bytes for m in served)
    base = num_hiddens if (num_hiddens, BATCH_SIZE) in alone else largest

    def computing(rows: int) -> float:
        m = alone[base, rows]
        return m.worker_cpu * products(num_hiddens, rows) / products(base, rows)

    parameters = count_parameters(NetworkConfig(cell='gru', num_hiddens=num_hiddens), VOCAB_SIZE, VOCAB_SIZE)
    bytes_of_all = 2 * 4 * parameters * MACHINES
    found = []
    for gigabits in (1, 10):
        for servers in (1, MACHINES):
            network = bytes_of_all / (servers * gigabits * GIGABIT)
            serving = bytes_of_all * cpu_a_byte / servers
            one, waiting = computing(BATCH_SIZE), max(network, serving)
            shared, each = computing(BATCH_SIZE // MACHINES) + waiting, one + waiting
            found.append({'num_hiddens': num_hiddens, 'gigabits': gigabits, 'servers': servers, 'one': one, 'network': network,
                          'serving': serving, 'shared': shared, 'times_shared': one / shared, 'each': each,
                          'times_each': MACHINES * one / each, 'limit': 'network' if network > serving else 'servers'})
    return found


if __name__ == '__main__':
    _cli.run(main)
