"""One epoch of this project's own trainer, for `benchmark/profiling.py`: timed beside the machine's speeds, or profiled."""
from __future__ import annotations

import time
from dataclasses import fields
from typing import Any, Callable, Dict

from gluon_rnn.benchmark.implementations import Setting
from gluon_rnn.benchmark.profiling import Machine, profiled, settle
from gluon_rnn.benchmark.workers import own


def prepare(options: Dict[str, Any]) -> Callable[[], Dict[str, Any]]:
    """options['operators']: whether to profile the epoch; otherwise it is timed, and after it the machine is."""
    model, records = own.begin(options)
    if options['operators']:
        return lambda: {'operators': profiled(lambda: next(records), model)}
    machine = Machine(Setting(**{field.name: options[field.name] for field in fields(Setting)}))

    def epoch() -> Dict[str, Any]:
        start = time.perf_counter()
        next(records)
        settle(model)
        seconds = time.perf_counter() - start
        return {'seconds': seconds, 'product': machine.product(), 'addition': machine.addition()}
    return epoch
