"""Preparation of a process before MXNet loads, and the user's settings: the only reader of environment variables."""
from __future__ import annotations

import contextlib
import importlib
import os
import platform
import re
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List

from . import lean_mxnet, wheels

PYTHONS = ((3, 9), (3, 12))     # the first and the last that MXNet 1.9.1 runs on here
_THREAD_VARIABLES = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
_JOB_VARIABLES = ('DMLC_NUM_WORKER', 'DMLC_NUM_SERVER', 'DMLC_PS_ROOT_URI', 'DMLC_PS_ROOT_PORT')
_LAST_ZEN_KNOWN = 25        # the family of AMD's CPUs that the OpenBLAS in MXNet still knows
_chosen: Dict[str, str] = {}    # the variables that prepare() has set, and to what
_NUMPY_ALIASES = {'bool': bool, 'object': object}   # removed from NumPy in 1.24; MXNet and its ONNX exporter use them


def prepare() -> None:
    """Make `import mxnet` work and be fast; called once, before it.

    Raises ImportError, in one plain sentence, where the Python, the NumPy or the MXNet at hand cannot work.
    """
    _check_python()
    _check_numpy()
    # Deprecations inside MXNet itself will not be mended any more; where warnings are errors they would keep it from loading.
    warnings.filterwarnings('ignore', category=DeprecationWarning, module=r'mxnet(\.|$)')
    if 'mxnet' in sys.modules:      # already loaded: it has read its variables, nothing more can be done
        return
    # Threads that wait for each other spin before they sleep: briefly, or on a busy machine they keep the CPU from those that
    # they wait for. A copy of a large array in the main thread must be one thread's: a team of its own there, beside that of
    # MXNet's thread, is more threads than CPUs, and from then on none spins at all. nvidia-smi counts cards by their place on
    # the bus, CUDA by its own guess of their speed unless told. That cuDNN is 8.9, and not the 8.1 that MXNet was built with, is
    # meant and needs no warning.
    for name, value in (('OMP_NUM_THREADS', str(usable_cpus())), ('OPENBLAS_CORETYPE', blas_kernel_here()),
                        ('GOMP_SPINCOUNT', '' if 'OMP_WAIT_POLICY' in os.environ else '5000'),
                        ('MXNET_CPU_PARALLEL_SIZE', '2000000000'), ('CUDA_DEVICE_ORDER', 'PCI_BUS_ID'),
                        ('MXNET_CUDNN_LIB_CHECKING', '0')):
        if value and name not in os.environ:
            os.environ[name] = _chosen[name] = value
    wheels.check()
    lean_mxnet.load_lean()


class _Refusal:
    """Raises the reason why MXNet cannot be loaded, when it is imported."""

    def __init__(self, why: str):
        self.why = why

    def find_spec(self, name: str, *_: Any) -> None:
        if name == 'mxnet':
            raise ImportError(self.why)


def refuse_mxnet(why: str) -> None:
    """Let `import mxnet` fail with this reason; what needs no MXNet works all the same."""
    sys.meta_path.insert(0, _Refusal(why))      # type: ignore[arg-type]


def _check_python() -> None:
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        raise ImportError(f'MXNet 1.9.1 runs here on Python 3.9 to 3.12, this is {sys.version_info[0]}.{sys.version_info[1]}: '
                          f'make an environment with one of those')
    if sys.flags.optimize > 1:
        raise ImportError('MXNet 1.9.1 reads its own docstrings, which python -OO and PYTHONOPTIMIZE=2 leave out: run '
                          'without them')


def _check_numpy() -> None:
    """Give NumPy the names that it has dropped."""
    try:
        np = importlib.import_module('numpy')       # only now: an older or newer Python may have none
    except ModuleNotFoundError:
        raise ImportError('NumPy is not installed: pip install -r requirements.txt') from None
    if int(np.__version__.split('.')[0]) >= 2:
        raise ImportError(f"MXNet 1.9.1 needs NumPy below 2, found {np.__version__}: pip install 'numpy<2'")
    for name, kind in _NUMPY_ALIASES.items():
        if name not in np.__dict__:
            setattr(np, name, kind)


def child_environment(threads: int) -> Dict[str, str]:
    """The variables for another process that is to compute with `threads` threads, whichever library computes.

    What `prepare()` has set for this process is not handed on: that process prepares itself, or is one that does without. This
    project can be imported there.
    """
    environment = {name: value for name, value in os.environ.items() if _chosen.get(name) != value}
    environment.update({name: str(threads) for name in _THREAD_VARIABLES})
    root = str(Path(__file__).resolve().parents[2])
    environment['PYTHONPATH'] = os.pathsep.join(filter(None, (root, environment.get('PYTHONPATH'))))
    return environment


@contextlib.contextmanager
def child_variables(threads: int) -> Iterator[None]:
    """Give processes started meanwhile the variables of `child_environment`."""
    before = dict(os.environ)

    def become(variables: Dict[str, str]) -> None:
        os.environ.clear()
        os.environ.update(variables)
    become(child_environment(threads))
    try:
        yield
    finally:
        become(before)


def quick_notebooks() -> bool:
    """Whether notebooks are to be short: GLUON_RNN_QUICK is set, and not to 0."""
    return os.environ.get('GLUON_RNN_QUICK', '0') not in ('', '0')


def num_threads() -> int:
    """The number of threads of the kernels: MXNet's if it was told one, else one for each CPU."""
    given = os.environ.get('OMP_NUM_THREADS', '').split(',')[0]
    return int(given) if given.isdigit() and int(given) else usable_cpus()


def visible_devices() -> str | None:
    """The cards that CUDA may see, by number or UUID; None: all."""
    return os.environ.get('CUDA_VISIBLE_DEVICES')


def usable_cpus() -> int:
    """The number of CPUs that this process may use; MXNet left alone takes half of those that it sees."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def blas_kernel(flags: set[str], vendor: str, family: int = 0) -> str:
    """The kernel that the OpenBLAS inside MXNet should use, or '' where it finds the right one itself.

    That OpenBLAS, 0.3.13 of 2020, tells CPUs by their numbers, and takes its oldest kernels where it does not know one. It knows
    AMD's Zen up to family 25 (Zen 4), and of Intel's some: there the answer is what it would find. family: as the CPU tells it.
    """
    if vendor == 'GenuineIntel' and {'avx512f', 'avx512dq', 'avx512bw', 'avx512vl'} <= flags:
        return 'SKYLAKEX'
    if vendor == 'GenuineIntel' and {'avx2', 'fma'} <= flags:
        return 'HASWELL'
    if vendor == 'AuthenticAMD' and {'avx2', 'fma'} <= flags and family > _LAST_ZEN_KNOWN:
        return 'ZEN'
    return ''


def blas_kernel_here() -> str:
    """`blas_kernel` of this machine."""
    return blas_kernel(set(_cpuinfo('flags').split()), _cpuinfo('vendor_id'), int(_cpuinfo('cpu family') or 0))


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


def data_folders() -> List[Path]:
    """The folders where corpora are looked for, first to last; the last one may be written to."""
    package = Path(__file__).resolve().parents[1]
    given = os.environ.get('GLUON_RNN_DATA')
    own = [package / 'data', package.parent / 'data']
    return ([Path(given)] if given else []) + own + [user_cache() or Path(tempfile.gettempdir()) / 'gluon_rnn']


def user_cache() -> Path | None:
    """This project's folder in the user's cache; None for a user without a home, as in a container with a plain uid."""
    import platformdirs
    try:
        return platformdirs.user_cache_path('gluon_rnn')
    except RuntimeError:
        return None


@dataclass(frozen=True)
class Job:
    """The processes that this one was started with as a worker, by `scripts/launch.py` or another of MXNet's launchers."""
    num_workers: int
    rank: int | None        # from 0; None: MXNet is to say
    launcher: str = ''      # the command that started it, up to the worker's own; '': not known


def launched_job() -> Job | None:
    """The job that this process is a worker of, or None. Raises ValueError if it is only half described."""
    if os.environ.get('DMLC_ROLE') != 'worker':
        return None
    missing = [name for name in _JOB_VARIABLES if name not in os.environ]
    if missing:
        raise ValueError(f'DMLC_ROLE is worker and {missing[0]} is not set: start the workers by scripts/launch.py')
    rank = os.environ.get('GLUON_RNN_RANK')
    try:
        job = Job(int(os.environ['DMLC_NUM_WORKER']), None if rank is None else int(rank),
                  os.environ.get('GLUON_RNN_LAUNCHER', ''))
    except ValueError:
        raise ValueError(f'DMLC_NUM_WORKER and GLUON_RNN_RANK must be numbers, got {os.environ["DMLC_NUM_WORKER"]!r} and '
                         f'{rank!r}') from None
    if job.rank is not None and not 0 <= job.rank < job.num_workers:
        raise ValueError(f'GLUON_RNN_RANK must be below DMLC_NUM_WORKER, {job.num_workers}, got {job.rank}')
    return job
