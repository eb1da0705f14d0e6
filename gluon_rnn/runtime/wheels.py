"""Which MXNet is installed, and the libraries that its CUDA build loads: NVIDIA's wheels, no toolkit on the system."""
from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence

# Library -> the package that brings it, in the order in which they must be loaded (a library after its own needs).
CUDA_LIBRARIES = {
    'libcudart.so.11.0': 'nvidia-cuda-runtime-cu11',
    'libcublasLt.so.11': 'nvidia-cublas-cu11',
    'libcublas.so.11': 'nvidia-cublas-cu11',
    'libnvrtc.so.11.2': 'nvidia-cuda-nvrtc-cu11',
    'libcudnn.so.8': 'nvidia-cudnn-cu11==8.9.6.50',
    'libcufft.so.10': 'nvidia-cufft-cu11',
    'libcurand.so.10': 'nvidia-curand-cu11',
    'libcusolver.so.11': 'nvidia-cusolver-cu11',
    'libnccl.so.2': 'nvidia-nccl-cu11',
    'libnvToolsExt.so.1': 'nvidia-nvtx-cu11',
}
DRIVER = 'libcuda.so.1'
WHEEL = 'mxnet-cu112'


@dataclass(frozen=True)
class Library:
    """A CUDA library as this process finds it. path: in a wheel, None: of the system; error: why it does not load, or ''."""
    name: str
    path: Path | None
    error: str

    @property
    def package(self) -> str:
        return CUDA_LIBRARIES.get(self.name, '')


def installed() -> List[str]:
    """The packages of MXNet in this environment: 'mxnet', which has no CUDA, 'mxnet-cu112'."""
    names = {path.name.partition('-')[0].replace('_', '-').lower()
             for entry in sys.path for path in Path(entry or '.').glob('mxnet*-*.dist-info')}
    return sorted(name for name in names if re.fullmatch(r'mxnet(-cu\d+)?', name))


def find_library(name: str) -> Path | None:
    """The path of a CUDA library that a wheel has brought into this environment, or None."""
    for entry in sys.path:
        for path in Path(entry or '.').glob(f'nvidia/*/lib/{name}'):
            return path
    return None


def load_library(name: str) -> Library:
    """Load a CUDA library, out of a wheel or, where none has it, as the system finds it, for all that is loaded later."""
    path = find_library(name)
    try:
        ctypes.CDLL(str(path or name), ctypes.RTLD_GLOBAL)
    except OSError as error:
        return Library(name, path, str(error))
    return Library(name, path, '')


def load_cuda() -> List[Library]:
    """All that a CUDA build of MXNet needs, in order, the driver last."""
    return [load_library(name) for name in (*CUDA_LIBRARIES, DRIVER)]


def check() -> None:
    """See that what `import mxnet` loads is there, and load the CUDA libraries for it.

    Raises ImportError that says which package or library is missing and what to install.
    """
    if not importlib.util.find_spec('mxnet'):
        raise ImportError('MXNet is not installed: pip install -r requirements.txt, with an NVIDIA GPU -r requirements-gpu.txt')
    if not importlib.util.find_spec('distutils'):
        raise ImportError('MXNet 1.9.1 needs distutils, which Python 3.12 no longer has: pip install setuptools')
    built_for_cuda = [name for name in installed() if name != 'mxnet']
    if built_for_cuda:
        libraries = load_cuda()
        if WHEEL in built_for_cuda and any(library.error for library in libraries):
            raise ImportError(why_it_does_not_load(libraries))


def why_it_does_not_load(libraries: Sequence[Library]) -> str:
    """The reason why `mxnet-cu112` does not load, and the remedy, in a sentence."""
    absent = [library for library in libraries if library.error and library.name != DRIVER]
    if not absent:
        return (f'{WHEEL} needs the NVIDIA driver ({DRIVER}), which is not on this machine: install it, or, where there is no '
                f'GPU, {change(WHEEL, "requirements.txt")}')
    names = ' and '.join(filter(None, (', '.join(library.name for library in absent[:-1]), absent[-1].name)))
    packages = ' '.join(dict.fromkeys(library.package for library in absent))
    broken = [library for library in absent if library.path]
    how = f'be loaded from {broken[0].path} ({broken[0].error})' if broken else 'be found'
    return f'{WHEEL} needs {names}, which cannot {how}: pip install {"--force-reinstall " if broken else ""}{packages}'


def change(wheels: str, requirements: str) -> str:
    """The command from one build of MXNet to another: they have the same files, and cannot stand beside each other."""
    return f'pip uninstall -y {wheels} && pip install -r {requirements}'
