"""The one room that touches the machine: it makes MXNet 1.9.1 load, and load fast, on today's machines.

`prepare()` runs before MXNet is imported (`gluon_rnn/__init__.py` calls it) and never changes a variable that
the user has set. `python -m gluon_rnn.runtime` prints what it found and did.
"""
from __future__ import annotations

import ctypes
import os
import platform
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import platformdirs

# Library -> the PyPI package that brings it, in the order in which they must be loaded (a library after its own needs).
CUDA_LIBRARIES = {
    'libcudart.so.11.0': 'nvidia-cuda-runtime-cu11',
    'libcublasLt.so.11': 'nvidia-cublas-cu11',
    'libcublas.so.11': 'nvidia-cublas-cu11',
    'libnvrtc.so.11.2': 'nvidia-cuda-nvrtc-cu11',
    'libcudnn.so.8': 'nvidia-cudnn-cu11',
    'libcufft.so.10': 'nvidia-cufft-cu11',
    'libcurand.so.10': 'nvidia-curand-cu11',
    'libcusolver.so.11': 'nvidia-cusolver-cu11',
    'libnccl.so.2': 'nvidia-nccl-cu11',
    'libnvToolsExt.so.1': 'nvidia-nvtx-cu11',
}
_THREAD_VARIABLES = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
_JOB_VARIABLES = ('DMLC_NUM_WORKER', 'DMLC_NUM_SERVER', 'DMLC_PS_ROOT_URI', 'DMLC_PS_ROOT_PORT')
_chosen: Dict[str, str] = {}    # the variables that prepare() has set, and to what
_NUMPY_ALIASES = {'bool': bool, 'object': object}   # removed from NumPy in 1.24; MXNet and its ONNX exporter use them


def prepare() -> None:
    """Make `import mxnet` work and be fast; called once, before it.

    Raises ImportError where the Python or NumPy at hand cannot work with MXNet 1.9.1.
    """
    if not (3, 9) <= sys.version_info[:2] <= (3, 12):
        raise ImportError(f'MXNet 1.9.1 runs here on Python 3.9 to 3.12, this is {sys.version_info[0]}.{sys.version_info[1]}: '
                          f'make an environment with one of those')
    if int(np.__version__.split('.')[0]) >= 2:
        raise ImportError(f"MXNet 1.9.1 needs NumPy below 2, found {np.__version__}: pip install 'numpy<2'")
    for name, kind in _NUMPY_ALIASES.items():
        if name not in np.__dict__:
            setattr(np, name, kind)
    if 'mxnet' in sys.modules:      # already loaded: it has read its variables, nothing more can be done
        return
    for name, value in (('OMP_NUM_THREADS', str(usable_cpus())), ('OPENBLAS_CORETYPE', blas_kernel_here())):
        if value and name not in os.environ:
            os.environ[name] = _chosen[name] = value
    _load_cuda_wheels()


class _Refusal:
    """Says why MXNet cannot be loaded, where it is asked for."""

    def __init__(self, why: str):
        self.why = why

    def find_spec(self, name: str, *_: Any) -> None:
        if name == 'mxnet':
            raise ImportError(self.why)


def refuse_mxnet(why: str) -> None:
    """Let `import mxnet` fail with this reason; what needs no MXNet works all the same."""
    sys.meta_path.insert(0, _Refusal(why))      # type: ignore[arg-type]


def child_environment(threads: int) -> Dict[str, str]:
    """The variables for another process that is to compute with `threads` threads, whichever library computes.

    What `prepare()` has set for this process is not handed on: that process prepares itself, or is one that does without. This
    project can be imported there.
    """
    environment = {name: value for name, value in os.environ.items() if _chosen.get(name) != value}
    environment.update({name: str(threads) for name in _THREAD_VARIABLES})
    root = str(Path(__file__).resolve().parent.parent)
    environment['PYTHONPATH'] = os.pathsep.join(filter(None, (root, environment.get('PYTHONPATH'))))
    return environment


def usable_cpus() -> int:
    """How many CPUs this process may use; MXNet left alone takes half of those that it sees."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def blas_kernel(flags: set[str], vendor: str) -> str:
    """The kernel that the OpenBLAS inside MXNet should use, or '' where it finds the right one itself.

    That OpenBLAS is of 2021. It knows AMD's Zen, and falls back to slow kernels on CPUs made after it.
    """
    if {'avx512f', 'avx512dq', 'avx512bw', 'avx512vl'} <= flags:
        return 'SKYLAKEX'
    if {'avx2', 'fma'} <= flags and vendor == 'GenuineIntel':
        return 'HASWELL'
    return ''


def blas_kernel_here() -> str:
    """`blas_kernel` of this machine."""
    return blas_kernel(_cpu_flags(), _cpu_vendor())


def machine() -> str:
    """The CPU, how many of it this process may use, and the system, in a line."""
    return f'{_cpuinfo("model name") or platform.processor() or "unknown CPU"}, {usable_cpus()} CPUs, {platform.platform()}'


def _cpuinfo(field: str) -> str:
    try:
        text = Path('/proc/cpuinfo').read_text()
    except OSError:
        return ''
    match = re.search(rf'^{field}\s*:\s*(.*)$', text, re.MULTILINE)
    return match.group(1) if match else ''


def _cpu_flags() -> set[str]:
    return set(_cpuinfo('flags').split())


def _cpu_vendor() -> str:
    return _cpuinfo('vendor_id')


def _load_cuda_wheels() -> None:
    """Load NVIDIA's CUDA 11 wheels, where installed, so that mxnet-cu112 finds them without a CUDA toolkit."""
    for library in CUDA_LIBRARIES:
        path = find_cuda_library(library)
        if path:
            try:
                ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
            except OSError:     # said by the diagnosis; a CPU build of MXNet does not need it
                continue


def find_cuda_library(library: str) -> Path | None:
    """Where a wheel has put `library` in this environment, or None."""
    for entry in sys.path:
        for path in Path(entry or '.').glob(f'nvidia/*/lib/{library}'):
            return path
    return None


def data_folders() -> List[Path]:
    """The folders where corpora are looked for, first to last; the last one may be written to."""
    package = Path(__file__).resolve().parent
    given = os.environ.get('GLUON_RNN_DATA')
    own = [package / 'data', package.parent / 'data']
    return ([Path(given)] if given else []) + own + [platformdirs.user_cache_path('gluon_rnn')]


@dataclass(frozen=True)
class Job:
    """The processes that this one was started with as a worker, by `scripts/launch.py` or another of MXNet's launchers."""
    num_workers: int
    rank: int | None        # from 0; None: MXNet is to say


def launched_job() -> Job | None:
    """The job that this process is a worker of, or None. Raises ValueError where it is only half described."""
    if os.environ.get('DMLC_ROLE') != 'worker':
        return None
    missing = [name for name in _JOB_VARIABLES if name not in os.environ]
    if missing:
        raise ValueError(f'DMLC_ROLE is worker and {missing[0]} is not set: start the workers by scripts/launch.py')
    rank = os.environ.get('GLUON_RNN_RANK')
    try:
        job = Job(int(os.environ['DMLC_NUM_WORKER']), None if rank is None else int(rank))
    except ValueError:
        raise ValueError(f'DMLC_NUM_WORKER and GLUON_RNN_RANK must be numbers, got {os.environ["DMLC_NUM_WORKER"]!r} and '
                         f'{rank!r}') from None
    if job.rank is not None and not 0 <= job.rank < job.num_workers:
        raise ValueError(f'GLUON_RNN_RANK must be below DMLC_NUM_WORKER, {job.num_workers}, got {job.rank}')
    return job


def seed(value: int) -> None:
    """Seed every random generator in use: Python's, NumPy's and MXNet's on all contexts."""
    import mxnet as mx
    random.seed(value)
    np.random.seed(value % 2 ** 32)
    mx.random.seed(value)


def try_gpu() -> Any:
    """The first GPU, or the CPU where there is none (section 6.4; `d2l.try_gpu`)."""
    return try_all_gpus()[0]


def try_all_gpus() -> List[Any]:
    """Every GPU, or `[mx.cpu()]` where there is none (`d2l.try_all_gpus`)."""
    import mxnet as mx
    return [mx.gpu(i) for i in range(_num_gpus()) if _gpu_works(i)] or [mx.cpu()]


def _gpu_works(number: int) -> bool:
    """Whether MXNet can compute there: a card newer than its kernels is seen, and fails at the first array."""
    import mxnet as mx
    try:
        mx.nd.zeros((1,), ctx=mx.gpu(number)).wait_to_read()
    except mx.base.MXNetError:
        return False
    return True


def _num_gpus() -> int:
    import mxnet as mx
    try:
        return mx.context.num_gpus()
    except mx.base.MXNetError:      # a CUDA build without a working driver
        return 0


def parse_ctx(text: str) -> Any:
    """'auto' (a GPU if there is one), 'cpu', 'gpu' or either with a number, as 'gpu(1)' -> an MXNet context.

    Raises ValueError for anything else, and where the GPU asked for is not there.
    """
    import mxnet as mx
    if text == 'auto':
        return try_gpu()
    match = re.fullmatch(r'(cpu|gpu)(?:\((\d{1,4})\))?', text)
    if not match:
        raise ValueError(f"ctx must be 'auto', 'cpu', 'gpu' or one with a number such as 'gpu(1)', got {text!r}")
    kind, number = match.group(1), int(match.group(2) or 0)
    if kind == 'gpu' and number >= _num_gpus():
        found = _num_gpus()
        raise ValueError(f'ctx {text} was asked for and MXNet sees {found or "no"} GPU{"s" * (found != 1)}: use --ctx cpu, '
                         f'or look at `python -m gluon_rnn.runtime`')
    if kind == 'gpu' and not _gpu_works(number):
        raise ValueError(f'GPU {number} cannot run MXNet 1.9.1, whose kernels are built for compute capability 5.0 to 8.9: use '
                         f'--ctx cpu, or look at `python -m gluon_rnn.runtime`')
    return mx.Context(kind, number)


def parse_contexts(text: str) -> List[Any]:
    """Several contexts with commas between them, as 'gpu(0),gpu(1)', or one, each as `parse_ctx` takes it.

    Raises ValueError as `parse_ctx` does, and where one is named twice.
    """
    contexts = [parse_ctx(part.strip()) for part in text.split(',')]
    if len(set(contexts)) < len(contexts):
        raise ValueError(f'ctx must name each context once, got {text!r}')
    return contexts


def blas_in_use() -> str:
    """The name of the kernel that MXNet's OpenBLAS runs, '' where it cannot be asked."""
    import mxnet as mx
    try:
        corename = ctypes.CDLL(str(Path(mx.__file__).with_name('libmxnet.so'))).openblas_get_corename
    except (OSError, AttributeError):
        return ''
    corename.restype = ctypes.c_char_p
    return corename().decode()


def diagnosis() -> str:
    """What this environment is and what of it matters here, a line each."""
    import mxnet as mx
    features = mx.runtime.Features()
    lines = [f'Python      {sys.version.split()[0]}',
             f'NumPy       {np.__version__}',
             f'MXNet       {mx.__version__} ({"CUDA" if features.is_enabled("CUDA") else "CPU"} build)',
             f'threads     {os.environ.get("OMP_NUM_THREADS")} (of {usable_cpus()} CPUs)',
             f'BLAS kernel {blas_in_use() or "unknown"}',
             f'GPUs        {_num_gpus()}',
             'corpora in  ' + ', '.join(str(folder) for folder in data_folders() if folder.is_dir())]
    if features.is_enabled('CUDA'):
        for library, package in CUDA_LIBRARIES.items():
            found = find_cuda_library(library)
            lines.append(f'  {library:20} {found or f"not found: pip install {package}"}')
    return '\n'.join(lines)


if __name__ == '__main__':
    print(diagnosis())
