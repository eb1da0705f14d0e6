"""What is made of the machine before MXNet loads, and what is said where it cannot load."""
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from gluon_rnn import runtime
from gluon_rnn.runtime import environment

ROOT = Path(__file__).resolve().parents[2]
AVX2 = {'sse2', 'avx', 'avx2', 'fma'}
AVX512 = AVX2 | {'avx512f', 'avx512dq', 'avx512bw', 'avx512cd', 'avx512vl'}
# prepare() without what it prepares for, which takes seconds to load
ALONE = '''import sys, types
from os import environ as e
sys.modules['gluon_rnn'] = package = types.ModuleType('gluon_rnn')
package.__path__ = ['gluon_rnn']
from gluon_rnn.runtime import environment
environment.wheels.check = lambda: None
environment.prepare()
'''


@pytest.mark.parametrize('flags, vendor, family, kernel', [
    (AVX512, 'GenuineIntel', 6, 'SKYLAKEX'),
    (AVX512 - {'avx512vl'}, 'GenuineIntel', 6, 'HASWELL'),  # Knights Landing
    (AVX2, 'GenuineIntel', 6, 'HASWELL'),
    (AVX2, 'AuthenticAMD', 23, ''),                         # Zen 1 and 2 are known to it
    (AVX512, 'AuthenticAMD', 25, ''),                       # and 3 and 4
    (AVX512, 'AuthenticAMD', 26, 'ZEN'),                    # Zen 5 is not
    ({'sse2', 'avx'}, 'AuthenticAMD', 26, ''),
    (AVX2 - {'fma'}, 'GenuineIntel', 6, ''),
    ({'fp', 'asimd'}, '', 0, ''),                           # ARM
    (set(), '', 0, ''),                                     # no /proc/cpuinfo
])
def test_blas_kernel(flags, vendor, family, kernel):
    assert runtime.blas_kernel(flags, vendor, family) == kernel


def test_blas_kernel_is_chosen_by_what_the_cpu_says(monkeypatch):
    cpu = {'flags': ' '.join(AVX512), 'vendor_id': 'AuthenticAMD', 'cpu family': '26'}
    monkeypatch.setattr(environment, '_cpuinfo', lambda field: cpu.get(field, ''))
    assert runtime.blas_kernel_here() == 'ZEN'
    cpu.clear()
    assert runtime.blas_kernel_here() == ''


def test_variables_of_the_user_are_not_changed(python):
    given = {'OMP_NUM_THREADS': '3', 'OPENBLAS_CORETYPE': 'SANDYBRIDGE', 'GOMP_SPINCOUNT': '5',
             'MXNET_CPU_PARALLEL_SIZE': '7', 'CUDA_DEVICE_ORDER': 'FASTEST_FIRST'}
    ended = python('-c', f'{ALONE}print(*(e[name] for name in {list(given)}))', **given)
    assert ended.stdout.split() == list(given.values()), ended.stderr


def test_how_threads_wait_is_left_to_who_has_said_it(python):
    ended = python('-c', f"{ALONE}print(e.get('GOMP_SPINCOUNT'))", OMP_WAIT_POLICY='active')
    assert ended.stdout.split() == ['None'], ended.stderr


def test_variables_that_are_set_before_mxnet_loads(python):
    """And nothing else: an import of the package leaves the other variables as they were."""
    code = ('import os; before = dict(os.environ); import gluon_rnn.runtime as r; after = dict(os.environ)\n'
            "ours = ('OMP_NUM_THREADS', 'OPENBLAS_CORETYPE', 'GOMP_SPINCOUNT', 'CUDA_DEVICE_ORDER',\n"
            "        'MXNET_CPU_PARALLEL_SIZE')\n"
            'new = {k: v for k, v in after.items() if before.get(k) != v and k in ours}\n'
            'assert before.items() <= after.items()\n'
            'kernel = r.blas_kernel_here()\n'
            "wanted = {'OMP_NUM_THREADS': str(r.usable_cpus()), 'GOMP_SPINCOUNT': '5000',\n"
            "          'MXNET_CPU_PARALLEL_SIZE': '2000000000',\n"
            "          'CUDA_DEVICE_ORDER': 'PCI_BUS_ID', **({'OPENBLAS_CORETYPE': kernel} if kernel else {})}\n"
            'print(new == wanted)')
    ended = python('-c', code)
    assert ended.stdout.strip() == 'True', ended.stderr


@pytest.mark.slow
def test_works_where_mxnet_was_imported_first_too(python):
    """A reader's `import mxnet` may stand above ours, on a NumPy that still has `numpy.bool`."""
    code = 'import numpy; numpy.bool = bool; import mxnet, gluon_rnn; print(len(gluon_rnn.load_corpus()) > 0)'
    assert python('-c', code).stdout.strip() == 'True'


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


def test_a_numpy_too_new_is_one_line(python, packages):
    """The first name that needs MXNet says the reason, and the diagnosis goes on."""
    folder = packages('numpy', '__version__ = "2.1.3"')
    reason = "MXNet 1.9.1 needs NumPy below 2, found 2.1.3: pip install 'numpy<2'"
    assert python('-c', 'from gluon_rnn import train', PYTHONPATH=folder).stderr.splitlines()[-1] == f'ImportError: {reason}'
    ended = python('-m', 'gluon_rnn.runtime', PYTHONPATH=folder)
    assert (ended.returncode, ended.stderr) == (2, '')
    assert re.search(r'^NumPy +2\.1\.3$', ended.stdout, re.MULTILINE) and ended.stdout.rstrip().endswith(reason)


def test_usable_cpus():
    assert 1 <= runtime.usable_cpus() <= 4096


def test_data_folders(monkeypatch, tmp_path):
    monkeypatch.setenv('GLUON_RNN_DATA', str(tmp_path))
    folders = runtime.data_folders()
    assert folders[0] == tmp_path and ROOT / 'data' in folders
    monkeypatch.delenv('GLUON_RNN_DATA')
    assert runtime.data_folders() == folders[1:]
    assert ROOT not in folders[-1].parents      # the last one is the user's cache, and may be written to


def test_a_child_prepares_itself(monkeypatch):
    monkeypatch.setenv('CUDA_DEVICE_ORDER', 'PCI_BUS_ID')
    monkeypatch.setitem(environment._chosen, 'CUDA_DEVICE_ORDER', 'PCI_BUS_ID')
    child = runtime.child_environment(3)
    assert child['OMP_NUM_THREADS'] == '3' and 'CUDA_DEVICE_ORDER' not in child
    assert child['PYTHONPATH'].split(':')[0] == str(ROOT)


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
