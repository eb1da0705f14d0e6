"""Keep one process of a job for launch.py, on any machine: `python _keep.py SHARE COMMAND...`.

A line with a signal's name on standard input is passed on to the command; when standard input ends, because the launcher or the
connection to it is gone, the command and all that it has started are killed. Ends with the command's status, or 128 and its
signal's number. SHARE: how many workers this machine has; they share its CPUs, unless OMP_NUM_THREADS is set. Standard library
alone.
"""
from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1


def main() -> int:
    share, command = int(sys.argv[1]), sys.argv[2:]
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    os.environ.setdefault('OMP_NUM_THREADS', str(max(1, cpus // share)))
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_the_parent)
    except OSError as error:
        print(f'{command[0]}: {error.strerror}', file=sys.stderr)
        return 127
    threading.Thread(target=_listen, args=(process,), daemon=True).start()
    status = process.wait()
    _kill_all(process)      # whatever it has left behind
    return status if status >= 0 else 128 - status


def _listen(process: subprocess.Popen) -> None:
    for line in sys.stdin:
        with contextlib.suppress(ProcessLookupError, KeyError):
            process.send_signal(signal.Signals[line.strip()])
    _kill_all(process)


def _kill_all(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _die_with_the_parent() -> None:
    """Have the command killed with this process, however that ends, where the system can (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == '__main__':
    status = main()
    sys.stdout.flush()
    os._exit(status)        # not sys.exit: the thread that listens would be waited for
