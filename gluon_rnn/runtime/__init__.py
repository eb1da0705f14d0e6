"""The one room that touches the machine: it makes MXNet 1.9.1 load, and load fast, on today's machines.

    environment.py    `prepare()`: the Python, the variables and the names that MXNet needs; where data are; a launched job
    wheels.py         which MXNet is installed, and the CUDA libraries that a CUDA build loads
    gpus.py           the cards and the driver, asked of nvidia-smi; why MXNet cannot use them, in plain words
    contexts.py       `try_gpu()`, `parse_ctx()`, `seed()`
    kernel_cache.py   where compiled kernels are kept
    diagnosis.py      what `python -m gluon_rnn.runtime` prints

`prepare()` runs before MXNet is imported (`gluon_rnn/__init__.py` calls it) and never changes a variable that the user has set.
"""
from .contexts import parse_contexts, parse_ctx, seed, try_all_gpus, try_gpu
from .environment import (
    Job,
    blas_kernel,
    blas_kernel_here,
    child_environment,
    child_variables,
    data_folders,
    launched_job,
    machine,
    num_threads,
    prepare,
    quick_notebooks,
    refuse_mxnet,
    usable_cpus,
)
from .gpus import GPUWarning
from .kernel_cache import has_numba, kernel_cache

__all__ = [
    'GPUWarning', 'Job', 'blas_kernel', 'blas_kernel_here', 'child_environment', 'child_variables', 'data_folders', 'has_numba',
    'kernel_cache', 'launched_job', 'machine', 'num_threads', 'parse_contexts', 'parse_ctx', 'prepare', 'quick_notebooks',
    'refuse_mxnet', 'seed', 'try_all_gpus', 'try_gpu', 'usable_cpus',
]
