"""What the pretend GPU has been asked for: counts by kind, and what a training step costs."""
from __future__ import annotations

import collections
import ctypes
from dataclasses import dataclass
from typing import Any, Callable, Counter, Dict, Tuple

import mxnet as mx

from gluon_rnn import ModelConfig, TrainConfig, build_model
from gluon_rnn.training import Trainer

Counts = Dict[Tuple[str, str], int]


def pretends() -> bool:
    """Whether this process runs on the pretend GPU."""
    return hasattr(ctypes.CDLL(None), 'pretend_report')


def counts() -> Counter[Tuple[str, str]]:
    """By kind ('kernel', 'to_host', ...) and name, since the process began; what was queued has been done."""
    mx.nd.waitall()
    text = ctypes.create_string_buffer(1 << 22)
    ctypes.CDLL(None).pretend_report(text, ctypes.c_size_t(len(text)))
    lines = (line.split() for line in text.value.decode().splitlines())
    return collections.Counter({(kind, name): int(number) for kind, name, number in lines})
