"""Diagnosis of this environment and machine, with advice, as `python -m gluon_rnn.runtime` prints it."""
from __future__ import annotations

import ctypes
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Tuple

from . import contexts, environment, gpus, wheels
from .gpus import CardsFound, Obstacle


@dataclass(frozen=True)
class Diagnosis:
    """The findings. refusal: why MXNet cannot run here, '' if it can; libraries: of CUDA, if they matter."""
    lines: Tuple[Tuple[str, str], ...]
    advice: Tuple[str, ...]
    refusal: str = ''

    def text(self) -> str:
        found = [f'{name:20} {value}' for name, value in self.lines]
        return '\n'.join([*found, '', *(self.advice or ('Nothing needs to be done.',))])


def examine() -> Diagnosis:
    """Examine everything; a missing part does not hide the rest."""
    mx, refusal = None, ''
    try:
        environment.prepare()
        mx = importlib.import_module('mxnet')
    except (ImportError, OSError, RuntimeError) as error:       # the latter two of its library
        why = (str(error).splitlines() or [repr(error)])[0]
        refusal = why if isinstance(error, ImportError) else f'MXNet cannot be loaded ({why}): install it again'
    answer, packages = gpus.ask(), wheels.installed()
    libraries = wheels.load_cuda() if any(package != 'mxnet' for package in packages) or answer.cards else []
    lines = [('Python', f'{sys.version.split()[0]} ({sys.executable})'),
             ('NumPy', _version('numpy')),
             ('MXNet', _mxnet(mx, packages)),
             ('threads', f'{environment.num_threads()} (of {environment.usable_cpus()} CPUs)'),
             ('BLAS kernel', (mx and blas_in_use()) or 'unknown'),
             *_cards(answer),
             *_cuda(libraries),
             *_corpora()]
    return Diagnosis(tuple(lines), tuple(_advice(mx, answer, packages, refusal)), refusal)


def _advice(mx: Any, answer: CardsFound, packages: List[str], refusal: str) -> List[str]:
    """Advice, most needed first, a sentence each."""
    cards = gpus.visible(answer.cards, environment.visible_devices())
    obstacles = [gpus.obstacle_of_build(answer, packages), gpus.obstacle_of_driver(answer)]
    obstacles += [gpus.obstacle_of_card(i, card) for i, card in enumerate(cards)]
    if len(cards) < len(answer.cards):
        obstacles.append(Obstacle(f'CUDA_VISIBLE_DEVICES, which is {environment.visible_devices()!r}, hides '
                                  f'{len(answer.cards) - len(cards)} of {len(answer.cards)} GPUs', 'unset it to use them all'))
    if mx and contexts.built_with_cuda() and not any(obstacles):
        obstacles = [contexts.obstacle_of_gpu(i, answer) for i in range(len(cards))]
    said = [str(obstacle) for obstacle in obstacles if obstacle]
    return [refusal, *said] if refusal else said


def _version(name: str) -> str:
    try:
        return importlib.import_module(name).__version__
    except ImportError:
        return 'not installed'


def _mxnet(mx: Any, packages: List[str]) -> str:
    wheel = ' and '.join(packages)
    if not mx:
        return f'{wheel}, cannot be loaded' if wheel else 'not installed'
    features, names = mx.runtime.Features(), (('CUDA', 'CUDA'), ('CUDNN', 'cuDNN'), ('MKLDNN', 'oneDNN'))
    built = [name for feature, name in names if features.is_enabled(feature)]
    return f'{mx.__version__}, {wheel or "from source"}, built with {" and ".join(built) or "neither CUDA nor oneDNN"}'


def _cards(answer: CardsFound) -> List[Tuple[str, str]]:
    if not answer.cards:
        return [('GPUs', f'none (nvidia-smi: {answer.complaint})' if answer.complaint else 'none (no nvidia-smi, no driver)')]
    return [(f'GPU {i}', str(card)) for i, card in enumerate(answer.cards)]


def _cuda(libraries: List[wheels.Library]) -> List[Tuple[str, str]]:
    if not libraries:
        return [('CUDA', 'not in this MXNet, and no GPU that would need it')]
    lines = [('CUDA', 'libraries, and the packages that bring them')]
    for library in libraries:
        package = library.package or "the NVIDIA driver's"
        where = f'missing ({library.error})' if library.error else str(library.path or 'found on the system')
        lines.append((f'  {library.name}', f'{package:28} {where}'))
    return lines


def _corpora() -> List[Tuple[str, str]]:
    """Each named text, and MNIST, and where they are."""
    try:
        from ..corpora.corpus import CORPORA
        folders = environment.data_folders()
    except ImportError:     # a package is missing, and the advice says so
        return []
    lines = []
    for name, file, fetched in [(name, known.file, known.url) for name, known in CORPORA.items()] + [('mnist', 'mnist', None)]:
        found = next((folder / file for folder in folders if (folder / file).exists()), None)
        lines.append((name, str(found) if found else 'not here' + (', fetched when asked for' if fetched else '')))
    return lines


def blas_in_use() -> str:
    """The name of the kernel that MXNet's OpenBLAS runs, '' where it cannot be asked."""
    import mxnet as mx
    try:
        corename = ctypes.CDLL(str(Path(mx.__file__).with_name('libmxnet.so'))).openblas_get_corename
    except (OSError, AttributeError):
        return ''
    corename.restype = ctypes.c_char_p
    return corename().decode()
