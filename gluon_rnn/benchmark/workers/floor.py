"""The products of an epoch, at the rate of the largest of them, measured: the floor beneath every implementation."""
from __future__ import annotations

from dataclasses import fields
from typing import Any, Callable, Dict

from gluon_rnn.benchmark.implementations import Setting
from gluon_rnn.benchmark.profiling import Machine, operations


def prepare(options: Dict[str, Any]) -> Callable[[], Dict[str, Any]]:
    setting = Setting(**{field.name: options[field.name] for field in fields(Setting)})
    machine, work = Machine(setting), operations(setting)
    batches = setting.tokens // (setting.batch_size * setting.num_steps)

    def epoch() -> Dict[str, Any]:
        return {'seconds': batches * sum(work.values()) / (work['output layer'] / 3) * machine.product()}
    return epoch
