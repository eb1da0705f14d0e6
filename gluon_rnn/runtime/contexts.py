"""MXNet contexts that work, and one seed for all random generators."""
from __future__ import annotations

import random
import re
import warnings
from typing import Any, List

from . import environment, gpus, wheels
from .gpus import GPUWarning, Obstacle


def seed(value: int) -> None:
    """Seed every random generator in use: Python's, NumPy's and MXNet's on all contexts."""
    import mxnet as mx
    import numpy as np
    random.seed(value)
    np.random.seed(value % 2 ** 32)
    mx.random.seed(value)


def try_gpu() -> Any:
    """The first GPU, or the CPU where there is none (section 6.4; `d2l.try_gpu`)."""
    return try_all_gpus()[0]


def try_all_gpus() -> List[Any]:
    """Every GPU that MXNet can compute on, or `[mx.cpu()]` where there is none (`d2l.try_all_gpus`).

    With a CUDA build, a GPU that cannot be used is a `GPUWarning` that says why.
    """
    import mxnet as mx
    if not built_with_cuda():
        return [mx.cpu()]
    answer = gpus.ask()
    seen = max(_num_gpus(), len(gpus.visible(answer.cards, environment.visible_devices())), bool(answer.complaint))
    obstacles = [obstacle_of_gpu(i, answer) for i in range(seen)]
    for said in dict.fromkeys(str(obstacle) for obstacle in obstacles if obstacle):
        warnings.warn(said, GPUWarning, stacklevel=2)
    working = [mx.gpu(i) for i, obstacle in enumerate(obstacles) if not obstacle]
    return working or [mx.cpu()]


def parse_ctx(text: str) -> Any:
    """'auto' (a GPU if there is one), 'cpu', 'gpu' or either with a number, as 'gpu(1)' -> an MXNet context.

    Raises ValueError for anything else, and if the GPU is missing or MXNet cannot use it, with the reason.
    """
    import mxnet as mx
    if text == 'auto':
        return try_gpu()
    match = re.fullmatch(r'(cpu|gpu)(?:\((\d{1,4})\))?', text)
    if not match:
        raise ValueError(f"ctx must be 'auto', 'cpu', 'gpu' or one with a number such as 'gpu(1)', got {text!r}")
    kind, number = match.group(1), int(match.group(2) or 0)
    obstacle = obstacle_of_gpu(number, gpus.ask()) if kind == 'gpu' else None
    if obstacle:
        raise ValueError(f'{obstacle.reason}: use ctx=\'cpu\'{f", or {obstacle.remedy}" if obstacle.remedy else ""}')
    return mx.Context(kind, number)


def parse_contexts(text: str) -> List[Any]:
    """Several contexts with commas between them, as 'gpu(0),gpu(1)', or one, each as `parse_ctx` takes it.

    Raises ValueError as `parse_ctx` does, and where one is named twice.
    """
    contexts = [parse_ctx(part.strip()) for part in text.split(',')]
    if len(set(contexts)) < len(contexts):
        raise ValueError(f'ctx must name each context once, got {text!r}')
    return contexts


def built_with_cuda() -> bool:
    import mxnet as mx
    return mx.runtime.Features().is_enabled('CUDA')


def obstacle_of_gpu(number: int, answer: gpus.CardsFound) -> Obstacle | None:
    """Why MXNet cannot compute on GPU `number`, in a sentence of its own for each cause; None where it can."""
    devices = environment.visible_devices()
    cards = gpus.visible(answer.cards, devices)
    obstacle = gpus.obstacle_of_card(number, cards[number]) if number < len(cards) else None
    if obstacle:        # such a card is never touched: one that MXNet has no kernels for may end the process
        return obstacle
    seen = _num_gpus()
    if number < seen:
        return _obstacle_at_the_first_array(number)
    obstacle = gpus.obstacle_of_build(answer, wheels.installed()) or gpus.obstacle_of_driver(answer)
    hidden = len(answer.cards) > len(cards)
    return obstacle or Obstacle(f'gpu({number}) was asked for and MXNet sees {seen or "no"} GPU{"s" * (seen != 1)}',
                                f'change CUDA_VISIBLE_DEVICES, which is {devices!r}' if hidden else
                                'look at `python -m gluon_rnn.runtime`')


def _obstacle_at_the_first_array(number: int) -> Obstacle | None:
    import mxnet as mx
    try:
        mx.nd.zeros((1,), ctx=mx.gpu(number)).wait_to_read()
    except mx.base.MXNetError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = [line for line in lines if 'Check failed' in line or 'Error: ' in line] or lines or ['it does not say why']
        return Obstacle(f'GPU {number} does not compute ({said[0].rpartition("Check failed: ")[2]})')
    return None


def _num_gpus() -> int:
    import mxnet as mx
    try:
        return mx.context.num_gpus()
    except mx.base.MXNetError:      # a CUDA build without a working driver
        return 0
