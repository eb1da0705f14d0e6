"""The whole comparison as one HTML page that holds its pictures and needs no network."""
from __future__ import annotations

import base64
import platform
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import jinja2

from .. import runtime
from ..benchmark.cases import REFERENCE, to_list
from ..benchmark.implementations import Setting
from ..benchmark.measuring import Measurement
from ..runs.files import write_whole
from ..version import __version__
from . import curves
from .parity import TOLERANCES

_PACKAGES = ('mxnet', 'd2lzh', 'torch', 'numpy')
Text = Tuple[str, str]
_QUANTITIES: Dict[str, Text] = {'logits': ('logits', '输出'), 'states': ('states', '状态'), 'gradients': ('gradients', '梯度'),
                                'losses': ('losses', '损失'), 'weights': ('weights', '权重')}
_SPEEDS: List[Text] = [('s / epoch', '秒 / 周期'), ('lowest', '最低'), ('highest', '最高'), ('characters / s', '字符 / 秒'),
                       ('times', '倍数'), ('first', '首轮'), ('memory, MiB', '内存，MiB'), ('libraries', '库')]
# The parts of a row's name in Chinese.
_CHINESE = {'GRU of the book': '书中的 GRU', 'GRU reset after': '先乘后重置的 GRU', '2 bidirectional layers': '两个双向层',
            '2 residual layers': '两个残差层', 'bidirectional, unequal': '双向，大小不等', 'bidirectional': '双向',
            '2 layers': '两层', '1 layer': '一层', 'by hand': '手写', 'none': '无', 'trained': '训练', 'frozen': '固定'}


def versions() -> Dict[str, str]:
    """The versions of everything compared, by name."""
    found = {'gluon_rnn': __version__}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {**found, 'python': platform.python_version()}


def write_page(folder: Path, parity: Dict[str, Any], found: Sequence[curves.Curves],
          measured: Sequence[Tuple[Setting, Sequence[Measurement]]], *, command: str, shortened: bool) -> None:
    """Write `folder`/index.html out of a run of all commands, whose pictures are in the folder already.

    command: what was run; shortened: whether it was run small, so that its figures say little.
    """
    environment = jinja2.Environment(loader=jinja2.PackageLoader('gluon_rnn'), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    page = environment.get_template('compare_torch.html.j2').render(
        parity=parity, groups=group(parity['rows']), tolerances=TOLERANCES, quantities=_QUANTITIES, speeds=_SPEEDS, zh=zh,
        equal=sum(row['verdict'] == 'equal' for row in parity['rows']), total=len(parity['rows']),
        curves=[one.to_dict() for one in found],
        epochs=[some_epochs(len(one.here)) for one in found], speed=to_list(measured), reference=REFERENCE,
        pictures={name: embedded(folder / f'{name}.png') for name in ('curves', 'speed')}, versions=versions(),
        machine=runtime.machine(), command=command, shortened=shortened)
    write_whole(folder / 'index.html', page)


def zh(words: str) -> str:
    """The Chinese of a part of a row's name; proper names stay."""
    return _CHINESE.get(words, words)


def group(rows: Sequence[Dict[str, Any]]) -> List[Tuple[Text, List[Dict[str, Any]]]]:
    """Rows by the network that they begin with, each with the parts of its name, in English and Chinese."""
    groups: Dict[Text, List[Dict[str, Any]]] = {}
    for row in rows:
        network, here, there = row['name'].split(' | ')
        kind, _, shape = network.partition(', ')
        words = {'shape': shape or '1 layer', 'there': there, 'second_bias': row['second_bias']}
        of_kind = groups.setdefault((kind, zh(kind)), [])
        of_kind.append({**row, 'here': here, **{name: (en, zh(en)) for name, en in words.items()}})
    return list(groups.items())


def some_epochs(number: int) -> List[int]:
    """About eight epochs of all, the last among them, counted from 1."""
    period = max(1, number // 8)
    return sorted({*range(period, number + 1, period), number})


def embedded(path: Path) -> str:
    """A PNG as the address of an img element."""
    return 'data:image/png;base64,' + base64.b64encode(path.read_bytes()).decode('ascii')
