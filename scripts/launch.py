"""Start a training in several processes that work on each batch together, by MXNet's own parameter server.

    python scripts/launch.py -n 2 -- python scripts/train.py --kvstore dist_sync    # as long as COMMAND takes, and some seconds

Starts a scheduler, SERVERS parameter servers and WORKERS times COMMAND, on this machine or over ssh on those of --hostfile.
Shows what worker 0 prints as it is, and what the others print with their name before it. Passes SIGINT and SIGTERM on to the
workers, once; a second one kills. When one process fails, all are ended, and its error and exit status are this command's.
"""
from __future__ import annotations

import argparse
import contextlib
import os
import queue
import shlex
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Sequence, TextIO, Tuple

import _cli
from _cli import SILENCE
from _hosts import address_of, address_towards, free_port, read_hosts
from _paste import to_paste

EXAMPLES = """examples
  python scripts/launch.py -n 2 -s 1 -- python scripts/train.py --kvstore dist_sync --impl hybrid --out runs/two
  python scripts/launch.py -n 8 -s 8 --hostfile hosts -- .venv/bin/python scripts/train.py --kvstore dist_sync --out runs/eight

a hostfile names a machine a line; processes are dealt out to them in turn. ssh must let you in without a question, and this
folder must be at the same path everywhere. What the processes send is not encrypted, and whoever can reach their ports can take
part: use it in a network you trust.
"""
KEEP = Path(__file__).resolve().with_name('_keep.py')
ROOT = KEEP.parent.parent
# MXNet, loaded in a server or the scheduler (once gluon_rnn has prepared the machine), serves until all have ended.
SERVE = (sys.executable, '-c', 'import gluon_rnn, mxnet')
LOOPBACK = '127.0.0.1'
# Variables of this environment that go to other machines, too. The settings of the threads are each machine's own.
PASSED_ON = ('DMLC_INTERFACE', 'DMLC_PS_', 'MXNET_', 'PS_', 'GLUON_RNN_', 'CUDA_VISIBLE_DEVICES', 'OMP_NUM_THREADS')


def parser() -> argparse.ArgumentParser:
    p = _cli.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                            usage='%(prog)s -n WORKERS [-s SERVERS] [--hostfile F] -- COMMAND')
    p.add_argument('-n', '--workers', type=_cli.count, required=True, help='times that COMMAND is started')
    p.add_argument('-s', '--servers', type=_cli.count, default=1, help='parameter servers')
    p.add_argument('--hostfile', type=Path, help='a file with a machine a line, as ssh knows it (default: this machine alone)')
    p.add_argument('--address', help='of this machine, as the others reach it (default: that of the way to the first of them)')
    p.add_argument('--grace', type=float, default=10, help='seconds that processes have to end by themselves when one has '
                   'failed, before they are killed')
    p.add_argument('command', nargs='+', metavar='COMMAND', help='the training, behind --')
    return p


def main() -> int:
    args = parser().parse_args()
    if not 0 <= args.grace < float('inf'):
        raise ValueError(f'--grace must be 0 seconds or more, got {args.grace}')
    return RunningJob(plan(args, read_hosts(args.hostfile) if args.hostfile else []), args.grace).run()


@dataclass
class Process:
    """One process of the job: what it is called here, what it runs, where ('' for this machine) and with which variables."""
    name: str
    command: Tuple[str, ...]
    host: str
    share: int                      # workers on that machine
    variables: Dict[str, str]
    popen: Any = None
    said: str = ''                  # its last line on standard error
    status: int | None = None
    pipes: List[threading.Thread] = field(default_factory=list)


def plan(args: argparse.Namespace, hosts: List[str]) -> List[Process]:
    """All processes of the job: the scheduler here, servers and workers here or on the hosts in turn."""
    own = {host: address_of(host) for host in hosts}
    elsewhere = [host for host in hosts if not own[host].startswith('127.')]
    address = args.address or (address_towards(elsewhere[0]) if elsewhere else LOOPBACK)
    common = {'DMLC_PS_ROOT_URI': address, 'DMLC_PS_ROOT_PORT': str(free_port(address)), 'DMLC_NUM_WORKER': str(args.workers),
              'DMLC_NUM_SERVER': str(args.servers), 'PYTHONUNBUFFERED': '1',
              # the servers find this project, whichever folder they are started in
              'PYTHONPATH': os.pathsep.join(filter(None, (str(ROOT), os.environ.get('PYTHONPATH')))),
              'PYTHONIOENCODING': 'utf-8:backslashreplace',     # which is how what they print is read here
              'GLUON_RNN_LAUNCHER': to_paste([sys.executable, __file__, *sys.argv[1:-len(args.command)]]),
              # MXNet cuts an array among servers from this size on, a million if nothing is said, and else gives all of it to one
              'MXNET_KVSTORE_BIGARRAY_BOUND': os.environ.get('MXNET_KVSTORE_BIGARRAY_BOUND', '10000')}
    on = [hosts[i % len(hosts)] if hosts else '' for i in range(max(args.workers, args.servers))]
    share = {host: on[:args.workers].count(host) or 1 for host in on}

    def process(name: str, command: Sequence[str], host: str, **variables: str) -> Process:
        listen = address if own.get(host, LOOPBACK).startswith('127.') else own[host]      # else on its first interface
        if listen and 'DMLC_INTERFACE' not in os.environ:
            variables['DMLC_NODE_HOST'] = listen
        return Process(name, tuple(command), host, share.get(host, 1), {**common, **variables})

    return [process('scheduler', SERVE, '', DMLC_ROLE='scheduler'),
            *(process(f'server {i}', SERVE, on[i], DMLC_ROLE='server') for i in range(args.servers)),
            *(process(f'worker {i}', args.command, on[i], DMLC_ROLE='worker', GLUON_RNN_RANK=str(i))
              for i in range(args.workers))]


class RunningJob:
    """The processes at work: their output, their ends, and the signals on the way to them."""

    def __init__(self, processes: List[Process], grace: float):
        self.processes, self.grace = processes, grace
        self.workers = [process for process in processes if process.name.startswith('worker')]
        self.events: queue.SimpleQueue[Any] = queue.SimpleQueue()       # a Process that has ended, or the number of a signal
        self.output = threading.Lock()
        self.failed = False     # a process has: the others have only that to complain about
        self.started = self.said = time.monotonic()

    def run(self) -> int:
        """Start, watch and end everything. Returns the status of the process that failed first, or 0."""
        before = {number: signal.signal(number, lambda number, _: self.events.put(number))
                  for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for process in self.processes:
                self.start(process)
            return self.watch()
        finally:
            self.end(self.processes, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self, process: Process) -> None:
        keep = (sys.executable, str(KEEP), str(process.share), *process.command)
        if process.host:
            passed = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
            variables = [f'{name}={value}' for name, value in {**passed, **process.variables}.items()]
            keep = ('ssh', '-o', 'BatchMode=yes', process.host,
                    f'cd {shlex.quote(os.getcwd())} && exec {shlex.join(["env", *variables, *keep])}')
        process.popen = subprocess.Popen(keep, env={**os.environ, **process.variables}, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        process.pipes = [threading.Thread(target=self.show, args=(process, pipe, to), daemon=True)
                         for pipe, to in ((process.popen.stdout, sys.stdout), (process.popen.stderr, sys.stderr))]
        for thread in (*process.pipes, threading.Thread(target=self.wait, args=(process,), daemon=True)):
            thread.start()

    def wait(self, process: Process) -> None:
        status = process.popen.wait()
        for thread in process.pipes:        # its last words come before its end
            thread.join(1)
        process.status = status if status >= 0 else 128 - status
        self.events.put(process)

    def show(self, process: Process, pipe: Any, to: TextIO) -> None:
        """Hand on what a process prints, line by line."""
        before = '' if process.name == 'worker 0' else f'{process.name}: '
        with pipe:
            for raw in pipe:
                line = raw.decode('utf-8', errors='replace').rstrip('\n')
                if to is sys.stderr and line.strip():
                    process.said = line.strip()
                with self.output, contextlib.suppress(OSError, ValueError):     # a reader that has gone is no reason to stop
                    if not (self.failed and before):
                        self.write(before + line, to)

    def write(self, line: str, to: TextIO) -> None:
        self.said = time.monotonic()
        print(line, file=to, flush=True)

    def watch(self) -> int:
        """Wait until all workers have ended well, or one process has not and the others had their time to end, too."""
        running, asked, first, deadline = {process.name for process in self.workers}, 0, None, None
        while running:
            try:
                end = self.said + SILENCE if deadline is None else deadline
                event = self.events.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                if deadline is not None:
                    break
                if time.monotonic() - self.said >= SILENCE:
                    self.write(f'launch.py: {", ".join(sorted(running))} at work, {time.monotonic() - self.started:.0f} s so far',
                               sys.stderr)
                continue
            if isinstance(event, int):
                if asked or first:
                    break
                asked = event
                self.send(self.workers, event)
                continue
            running.discard(event.name)
            if event.status and first is None:      # a server ends well once the workers have
                first, deadline = event, time.monotonic() + self.grace
                if not asked:
                    self.failed = True
                    self.send(self.workers, signal.SIGTERM)
        if first is None:
            self.end([process for process in self.processes if process not in self.workers], 0 if asked else self.grace)
            return 128 + asked if running else 0
        self.end(self.workers, 0)
        if asked and first.status in (128 + asked, 128 + signal.SIGINT):
            return 128 + asked
        self.say(first)
        return first.status

    def say(self, process: Process) -> None:
        how = f'with status {process.status}'
        if process.status is not None and process.status > 128:
            with contextlib.suppress(ValueError):
                how = f'by {signal.Signals(process.status - 128).name}'
        where = f' on {process.host}' if process.host else ''
        with self.output:
            print(f'launch.py: {process.name}{where} ended {how}, and with it the job{": " * bool(process.said)}{process.said}',
                  file=sys.stderr, flush=True)

    def send(self, processes: List[Process], number: int) -> None:
        for process in processes:
            with contextlib.suppress(OSError, ValueError):      # it has ended
                process.popen.stdin.write(f'{signal.Signals(number).name}\n'.encode())
                process.popen.stdin.flush()

    def end(self, processes: List[Process], seconds: float) -> None:
        """Wait so long for processes to end; then kill them."""
        started = [process for process in processes if process.popen]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(process.popen.poll() is None for process in started):
            time.sleep(0.02)
        for process in started:
            with contextlib.suppress(OSError, ValueError):
                process.popen.stdin.close()         # whoever keeps it kills it
        for process in started:
            try:
                process.popen.wait(5)
            except subprocess.TimeoutExpired:
                process.popen.kill()
            for thread in process.pipes:
                thread.join(1)


if __name__ == '__main__':
    _cli.run(main)
