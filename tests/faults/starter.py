"""Starts trainings to be killed: the libraries are loaded once, and each training is a fork of this process.

It is told and answers in lines of JSON: {"flags": [...], "pause": [name, point, nth] or null, "limit": bytes of a file or null,
"said": file} starts a training and answers its process id; {"wait": id, "block": bool} answers its exit status, negative for a
signal, or null while it runs. With pause, the training stops in the nth writing of a file at one of `harness.POINTS`, says so
in the file that holds what it has said, and waits to be killed.
"""
from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / 'scripts')]

import _cli  # noqa: E402
import harness  # noqa: E402
import matplotlib.backends.backend_agg  # noqa: E402, F401
import train  # noqa: E402


def pause_at(name, point, nth):
    left = nth

    def hook(what, path):
        nonlocal left
        if (what, path.name) == (point, name):
            left -= 1
            if not left:
                print('paused', flush=True)
                signal.pause()
    harness.interpose(hook)


def start(flags, pause, limit, said):
    child = os.fork()
    if child:
        return child
    signal.alarm(600)       # if whoever was to kill it has gone
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(file, number)
    if pause:
        pause_at(*pause)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    sys.argv = ['scripts/train.py', *flags]
    status = 1
    try:
        _cli.run(train.main)
    except SystemExit as ended:
        status = ended.code
    finally:        # of the process that this is a fork of, nothing is to be ended
        sys.stdout.flush()
        os._exit(status)


def wait(child, block):
    found, status = os.waitpid(child, 0 if block else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps(wait(asked['wait'], asked['block']) if 'wait' in asked else start(**asked)), flush=True)
