"""What is made of the machine: BLAS kernels, threads, NumPy's names, contexts, and what is said where it cannot work."""
import random
import re
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

from gluon_rnn import runtime

ROOT = Path(__file__).resolve().parent.parent
AVX2 = {'sse2', 'avx', 'avx2', 'fma'}
AVX512 = AVX2 | {'avx512f', 'avx512dq', 'avx512bw', 'avx512cd', 'avx512vl'}


@pytest.mark.parametrize('flags, vendor, kernel', [
    (AVX512, 'GenuineIntel', 'SKYLAKEX'),
    (AVX512, 'AuthenticAMD', 'SKYLAKEX'),               # Zen 4 and later
    (AVX512 - {'avx512vl'}, 'GenuineIntel', 'HASWELL'),  # Knights Landing
    (AVX2, 'GenuineIntel', 'HASWELL'),
    (AVX2, 'AuthenticAMD', ''),                         # Zen is known to it
    (AVX2 - {'fma'}, 'GenuineIntel', ''),
    ({'fp', 'asimd'}, '', ''),                          # ARM
    (set(), '', ''),                                    # no /proc/cpuinfo
])
def test_blas_kernel(flags, vendor, kernel):
    assert runtime.blas_kernel(flags, vendor) == kernel


def python(code, **variables):
    """What a Python of its own prints, with only these environment variables."""
    return subprocess.run([sys.executable, '-W', 'ignore', '-c', code], env=variables, cwd=ROOT, check=True, text=True,
                          capture_output=True).stdout.strip()


def test_variables_of_the_user_are_not_changed():
    code = ("import os, runpy; runpy.run_path('gluon_rnn/runtime.py')['prepare']()\n"
            "print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_CORETYPE'])")
    assert python(code, OMP_NUM_THREADS='3', OPENBLAS_CORETYPE='SANDYBRIDGE') == '3 SANDYBRIDGE'


def test_variables_that_are_set_before_mxnet_loads():
    """And nothing else: an import of the package leaves the other variables as they were."""
    code = ('import os; before = dict(os.environ); import gluon_rnn.runtime as r; after = dict(os.environ)\n'
            "new = {k: v for k, v in after.items() if before.get(k) != v and k in ('OMP_NUM_THREADS', 'OPENBLAS_CORETYPE')}\n"
            'assert before.items() <= after.items()\n'
            "kernel = r.blas_kernel(r._cpu_flags(), r._cpu_vendor())\n"
            "wanted = {'OMP_NUM_THREADS': str(r.usable_cpus()), **({'OPENBLAS_CORETYPE': kernel} if kernel else {})}\n"
            "print(new == wanted, r.blas_in_use())")
    answer, _, kernel = python(code).partition(' ')
    assert answer == 'True'
    wanted = runtime.blas_kernel(runtime._cpu_flags(), runtime._cpu_vendor())
    assert not kernel or not wanted or kernel.upper() == wanted


@pytest.mark.slow
def test_works_where_mxnet_was_imported_first_too():
    """A reader's `import mxnet` may stand above ours, on a NumPy that still has `numpy.bool`."""
    code = 'import numpy; numpy.bool = bool; import mxnet, gluon_rnn; print(len(gluon_rnn.load_corpus()) > 0)'
    assert python(code) == 'True'


@pytest.mark.parametrize('version', [(3, 8), (3, 13), (3, 14), (4, 0)])
def test_python_that_mxnet_cannot_run_on(monkeypatch, version):
    monkeypatch.setattr(sys, 'version_info', (*version, 1, 'final', 0))
    with pytest.raises(ImportError, match=rf'runs here on Python 3\.9 to 3\.12, this is {version[0]}\.{version[1]}'):
        runtime.prepare()


@pytest.mark.parametrize('version', ['2.0.0', '2.4.0rc1', '10.1'])
def test_numpy_that_mxnet_cannot_work_with(monkeypatch, version):
    monkeypatch.setattr(np, '__version__', version)
    with pytest.raises(ImportError, match=rf"needs NumPy below 2, found {re.escape(version)}: pip install 'numpy<2'"):
        runtime.prepare()


def test_names_that_numpy_has_dropped_come_back(monkeypatch):
    monkeypatch.delattr(np, 'object', raising=False)
    runtime.prepare()
    assert np.object is object and np.bool is bool


def test_usable_cpus():
    assert 1 <= runtime.usable_cpus() <= 4096


def test_seed_seeds_everything():
    draws = []
    for _ in range(2):
        runtime.seed(2 ** 31 - 1)
        draws.append((random.random(), np.random.random(), nd.random.normal(shape=(3,)).asnumpy().tolist(),
                      nd.random.normal(shape=(3,), ctx=mx.cpu(1)).asnumpy().tolist()))
    assert draws[0] == draws[1]


def test_data_folders(monkeypatch, tmp_path):
    monkeypatch.setenv('GLUON_RNN_DATA', str(tmp_path))
    folders = runtime.data_folders()
    assert folders[0] == tmp_path and ROOT / 'data' in folders
    monkeypatch.delenv('GLUON_RNN_DATA')
    assert runtime.data_folders() == folders[1:]
    assert ROOT not in folders[-1].parents      # the last one is the user's cache, and may be written to


# ----------------------------------------------------------------------------------------------------------------- contexts

@pytest.mark.parametrize('text, expected', [('cpu', mx.cpu()), ('cpu(0)', mx.cpu()), ('cpu(1)', mx.cpu(1))])
def test_parse_ctx(text, expected):
    assert runtime.parse_ctx(text) == expected


@pytest.mark.parametrize('text', ['', 'tpu', 'cpu(-1)', 'cpu 1', 'CPU', 'gpu(a)', 'cpu(0', 'cpu(99999)'])
def test_no_such_ctx(text):
    with pytest.raises(ValueError, match=r"ctx must be 'auto', 'cpu', 'gpu' or one with a number"):
        runtime.parse_ctx(text)


@pytest.mark.parametrize('found, asked, said', [(0, 'gpu', 'no GPUs'), (0, 'gpu(3)', 'no GPUs'), (1, 'gpu(1)', '1 GPU:'),
                                                (2, 'gpu(2)', '2 GPUs:')])
def test_gpu_that_is_not_there(monkeypatch, found, asked, said):
    monkeypatch.setattr(runtime, '_num_gpus', lambda: found)
    with pytest.raises(ValueError, match=f'ctx {re.escape(asked)} was asked for and MXNet sees {said}.* --ctx cpu'):
        runtime.parse_ctx(asked)


def test_gpu_that_is_there(monkeypatch):
    monkeypatch.setattr(runtime, '_num_gpus', lambda: 2)
    monkeypatch.setattr(runtime, '_gpu_works', lambda number: True)
    assert runtime.parse_ctx('gpu') == mx.gpu(0) and runtime.parse_ctx('gpu(1)') == mx.gpu(1)


def test_gpu_that_is_seen_but_too_new(monkeypatch):
    monkeypatch.setattr(runtime, '_num_gpus', lambda: 1)     # what is no GPU here fails at its first array, as such a card does
    with pytest.raises(ValueError, match=r'GPU 0 cannot run MXNet 1\.9\.1, .*capability 5\.0 to 8\.9: use --ctx cpu'):
        runtime.parse_ctx('gpu')


def without_gpus(monkeypatch):
    monkeypatch.setattr(runtime, '_num_gpus', lambda: 0)


def with_gpus_that_do_not_answer(monkeypatch):
    def no_kernel_image(*_, **__):
        raise mx.base.MXNetError('no kernel image is available for execution on the device')
    monkeypatch.setattr(runtime, '_num_gpus', lambda: 2)
    monkeypatch.setattr(nd, 'zeros', no_kernel_image)


@pytest.mark.parametrize('machine', [without_gpus, with_gpus_that_do_not_answer])
def test_try_gpu_gives_the_cpu(monkeypatch, machine):
    machine(monkeypatch)
    assert runtime.try_gpu() == mx.cpu()
    assert runtime.try_all_gpus() == [mx.cpu()]
    assert runtime.parse_ctx('auto') == mx.cpu()


def test_try_gpu_gives_gpus(monkeypatch):
    monkeypatch.setattr(runtime, '_num_gpus', lambda: 2)
    monkeypatch.setattr(nd, 'zeros', lambda *_, **__: type('Array', (), {'wait_to_read': lambda self: None})())
    assert runtime.try_gpu() == mx.gpu(0)
    assert runtime.try_all_gpus() == [mx.gpu(0), mx.gpu(1)]


def test_a_driver_that_does_not_work_is_no_gpu(monkeypatch):
    def fail():
        raise mx.base.MXNetError('CUDA driver version is insufficient')
    monkeypatch.setattr(mx.context, 'num_gpus', fail)
    assert runtime._num_gpus() == 0


# --------------------------------------------------------------------------------------------------- CUDA wheels, diagnosis

def test_cuda_libraries_are_found_and_loaded_in_order(monkeypatch, tmp_path):
    """Wheels put them into nvidia/<package>/lib of an environment; what cannot be loaded is passed over."""
    for library in runtime.CUDA_LIBRARIES:
        folder = tmp_path / 'nvidia' / library.partition('.')[0] / 'lib'
        folder.mkdir(parents=True)
        (folder / library).write_bytes(b'')
    loaded = []

    def load(path, mode):
        loaded.append(Path(path).name)
        raise OSError('no library')
    monkeypatch.setattr(runtime.ctypes, 'CDLL', load)
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])
    runtime._load_cuda_wheels()
    assert loaded == list(runtime.CUDA_LIBRARIES)


def test_diagnosis():
    text = runtime.diagnosis()
    for part in ('Python', f'NumPy       {np.__version__}', f'MXNet       {mx.__version__}', 'threads', 'BLAS kernel', 'GPUs',
                 str(ROOT / 'data')):
        assert part in text


@pytest.mark.slow
def test_diagnosis_from_the_command_line():
    assert python('import runpy; runpy.run_module("gluon_rnn.runtime", run_name="__main__")').startswith('Python')


JOB = {'DMLC_ROLE': 'worker', 'DMLC_NUM_WORKER': '3', 'DMLC_NUM_SERVER': '1', 'DMLC_PS_ROOT_URI': '127.0.0.1',
       'DMLC_PS_ROOT_PORT': '9000'}


@pytest.mark.parametrize('changes, job', [
    ({}, runtime.Job(3, None)),
    ({'GLUON_RNN_RANK': '2'}, runtime.Job(3, 2)),
    ({'DMLC_ROLE': 'server'}, None),
    ({'DMLC_ROLE': None}, None),
])
def test_the_job_that_a_worker_belongs_to(monkeypatch, changes, job):
    set_variables(monkeypatch, changes)
    assert runtime.launched_job() == job


@pytest.mark.parametrize('changes, said', [
    ({'DMLC_PS_ROOT_URI': None}, 'DMLC_ROLE is worker and DMLC_PS_ROOT_URI is not set: start the workers by scripts/launch.py'),
    ({'DMLC_NUM_WORKER': 'three'}, "must be numbers, got 'three' and None"),
    ({'GLUON_RNN_RANK': '3'}, 'GLUON_RNN_RANK must be below DMLC_NUM_WORKER, 3, got 3'),
])
def test_a_job_that_is_none(monkeypatch, changes, said):
    set_variables(monkeypatch, changes)
    with pytest.raises(ValueError, match=said):
        runtime.launched_job()


def set_variables(monkeypatch, changes):
    monkeypatch.delenv('GLUON_RNN_RANK', raising=False)
    for name, value in {**JOB, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
