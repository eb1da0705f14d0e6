"""Threads of our own that run kernels, and who walks what."""
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Callable, Tuple

from .tile import MOST_ROWS

_MEETING = 6.0      # what a meeting of the threads of one group costs, in tiles of one panel


class Pool:
    """Runs a function once in each of `threads` threads. A kernel lets go of Python while it runs.

    They sleep while there is nothing to do. One call at a time, and when it ends, or is broken off, all of them have come back.
    """

    def __init__(self, threads: int):
        if threads < 1:
            raise ValueError(f'threads must be 1 or more, got {threads}')
        self.threads, self._lock = threads, threading.Lock()
        self._executor = ThreadPoolExecutor(threads, 'kernel')      # starts none before it is needed

    def run(self, function: Callable[[int], None], number: int | None = None, *, meet: bool = False) -> None:
        """function(0), function(1), ... function(number - 1) at once; number: all threads unless given.

        function(0) runs in the caller's thread, unless they `meet`: a KeyboardInterrupt there would leave the others waiting.
        """
        number = number or self.threads
        with self._lock:
            if meet and number > 1:
                call = self._executor.submit(self._run, function, number)       # one alone, which starts the others
                try:
                    call.result()
                finally:
                    wait([call])
            else:
                self._run(function, number)

    def _run(self, function: Callable[[int], None], number: int) -> None:
        calls = [self._executor.submit(function, k) for k in range(1, number)]
        try:
            function(0)
            for call in calls:
                call.result()
        finally:
            wait(calls)


def plan(batch_size: int, panels: int, threads: int) -> Tuple[int, int]:
    """How many groups share the rows, and how many threads of a group its columns: groups x columns threads at most.

    panels: of a gate of the widest layer. A thread's product of a step takes (rows of its tiles) x (its panels); fuller tiles
    are cheaper than more tiles, and threads that share columns meet at each step.
    """
    def cost(groups: int, columns: int) -> float:
        rows = -(-batch_size // groups)
        tiles = -(-rows // MOST_ROWS)
        return tiles * max(rows / tiles, MOST_ROWS / 2) / MOST_ROWS * -(-panels // columns) + (_MEETING if columns > 1 else 0)

    choices = [(min(batch_size, threads // columns), columns) for columns in range(1, min(threads, panels) + 1)]
    return min(choices, key=lambda choice: (cost(*choice), choice[0] * choice[1]))
