"""Run a worker in this process and time it: `python run.py WORKER.py OPTIONS`, OPTIONS being JSON.

Speaks in lines of JSON: one when the worker is ready, one for each epoch that a line 'epoch' on standard input asks for, and
one with the peak memory when that input ends. Whatever else is printed goes to standard error. Standard library alone: it runs
in the process that is measured.
"""
from __future__ import annotations

import contextlib
import json
import os
import random
import runpy
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict

SEED = 0


def main() -> None:
    path, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        sys.path[0] = str(path.parent)
        worker = runpy.run_path(str(path), run_name=path.stem)
        library_memory = memory('VmRSS')
        options['corpus_indices'] = random_text(options['num_chars'], options['vocab_size'])
        epoch = worker['prepare'](options)
        say(answers, library_memory=library_memory, **timed(epoch))     # the first epoch warms up, and compiles
        for _ in sys.stdin:
            say(answers, **timed(epoch))
        say(answers, memory=memory('VmHWM'))


def random_text(num_chars: int, vocab_size: int) -> list[int]:
    """Indices of characters, the same for every worker. What the text says makes no epoch longer or shorter."""
    return random.Random(SEED).choices(range(vocab_size), k=num_chars)


def timed(epoch: Callable[[], Any]) -> Dict[str, float]:
    """Time an epoch: seconds, perplexity, and `others`, the CPUs that other programs kept busy."""
    used, start = others_seconds(), time.perf_counter()
    result = epoch()
    seconds = time.perf_counter() - start
    others = max(0.0, others_seconds() - used) / seconds
    return {'seconds': seconds, 'others': others, **(result if isinstance(result, dict) else {'perplexity': result})}


def others_seconds() -> float:
    """CPU seconds that all other programs have used so far."""
    user, nice, system, _, _, irq, soft, *_ = map(int, Path('/proc/stat').read_text().split('\n', 1)[0].split()[1:])
    return (user + nice + system + irq + soft) / os.sysconf('SC_CLK_TCK') - sum(os.times()[:4])


def memory(field: str) -> int:
    """Bytes of this process: 'VmRSS' now, 'VmHWM' at most. (`ru_maxrss` is inherited from the process that started this one.)"""
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f'{field}:')) * 1024


def say(answers: Any, **message: Any) -> None:
    print(json.dumps(message), file=answers, flush=True)


if __name__ == '__main__':
    main()
