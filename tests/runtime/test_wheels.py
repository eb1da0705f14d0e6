"""Which MXNet is installed, NVIDIA's wheels, and what is said where something of them is missing."""
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gluon_rnn.runtime import wheels
from gluon_rnn.runtime.wheels import Library

ROOT = Path(__file__).resolve().parents[2]
HERE = [Library(name, None, '') for name in (*wheels.CUDA_LIBRARIES, wheels.DRIVER)]


def lacking(*names, path=None, error='cannot open shared object file: No such file or directory'):
    return [Library(library.name, path, error) if library.name in names else library for library in HERE]


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An environment of its own, in which site('mxnet_cu112-1.9.1') is installed."""
    monkeypatch.setattr(sys, 'path', [str(tmp_path), str(tmp_path / 'not-there.zip')])

    def install(*distributions):
        for name in distributions:
            (tmp_path / f'{name}.dist-info').mkdir()
    return install


def test_requirements_bring_every_library():
    listed = (ROOT / 'requirements-gpu.txt').read_text().splitlines()
    assert {line for line in listed if line.startswith('nvidia-')} == set(wheels.CUDA_LIBRARIES.values())
    assert f'{wheels.WHEEL}==1.9.1' in listed


def test_the_two_requirements_differ_only_in_the_build():
    def others(file):
        lines = (ROOT / file).read_text().splitlines()
        return [line for line in lines if not line.startswith(('#', 'nvidia-', 'mxnet'))]
    assert others('requirements.txt') == others('requirements-gpu.txt')


@pytest.mark.parametrize('file, package', [('requirements.txt', 'mxnet'), ('requirements-gpu.txt', wheels.WHEEL)])
def test_requirements_refuse_other_pythons_first(file, package):
    """pip gives up at the first line that it cannot have; what follows would build NumPy from source."""
    first = Requirement(next(line for line in (ROOT / file).read_text().splitlines() if not line.startswith('#')))
    assert (first.name, str(first.specifier)) == (package, '==1.9.1+runs.on.Python.3.9.to.3.12.only')
    refused = [version for version in ('3.8', '3.9', '3.10', '3.11', '3.12', '3.13', '3.14')
               if first.marker.evaluate({'python_version': version})]
    assert refused == ['3.8', '3.13', '3.14']


@pytest.mark.parametrize('distributions, found', [
    (['mxnet-1.9.1'], ['mxnet']), (['mxnet_cu112-1.9.1'], ['mxnet-cu112']), ([], []),
    (['mxnet_cu112-1.9.1', 'mxnet-1.9.1'], ['mxnet', 'mxnet-cu112']), (['mxnet_model_server-1.0.8', 'numpy-1.26.4'], [])])
def test_installed(site, distributions, found):
    site(*distributions)
    assert wheels.installed() == found


def test_libraries_are_found_and_loaded_in_order(monkeypatch, tmp_path, site):
    """Wheels put them into nvidia/<package>/lib of an environment; what no wheel has is asked of the system."""
    for library in list(wheels.CUDA_LIBRARIES)[:-1]:
        folder = tmp_path / 'nvidia' / library.partition('.')[0] / 'lib'
        folder.mkdir(parents=True)
        (folder / library).write_bytes(b'')
    loaded = []

    def load(path, mode):
        loaded.append(path)
        raise OSError('no library')
    monkeypatch.setattr(wheels.ctypes, 'CDLL', load)
    libraries = wheels.load_cuda()
    assert [Path(path).name for path in loaded] == [*wheels.CUDA_LIBRARIES, 'libcuda.so.1']
    assert [Path(path).is_absolute() for path in loaded] == [True] * (len(loaded) - 2) + [False] * 2
    assert all(library.error == 'no library' for library in libraries)


def installs(monkeypatch, *missing):
    find = wheels.importlib.util.find_spec
    monkeypatch.setattr(wheels.importlib.util, 'find_spec', lambda name: None if name in missing else find('json'))


def test_the_cpu_build_loads_no_cuda(monkeypatch, site):
    site('mxnet-1.9.1')
    installs(monkeypatch)
    monkeypatch.setattr(wheels, 'load_cuda', lambda: pytest.fail('loaded'))
    wheels.check()


@pytest.mark.parametrize('libraries, said', [
    (lacking('libcudnn.so.8'), 'mxnet-cu112 needs libcudnn.so.8, which cannot be found: pip install nvidia-cudnn-cu11==8.9.6.50'),
    (lacking('libcublas.so.11', 'libcublasLt.so.11', 'libnccl.so.2'),
     'mxnet-cu112 needs libcublasLt.so.11, libcublas.so.11 and libnccl.so.2, which cannot be found: '
     'pip install nvidia-cublas-cu11 nvidia-nccl-cu11'),
    (lacking('libnccl.so.2', 'libcuda.so.1'),
     'mxnet-cu112 needs libnccl.so.2, which cannot be found: pip install nvidia-nccl-cu11'),
    (lacking('libcufft.so.10', path=Path('/env/libcufft.so.10'), error='file too short'),
     'mxnet-cu112 needs libcufft.so.10, which cannot be loaded from /env/libcufft.so.10 (file too short): '
     'pip install --force-reinstall nvidia-cufft-cu11'),
    (lacking('libcuda.so.1'),
     'mxnet-cu112 needs the NVIDIA driver (libcuda.so.1), which is not on this machine: install it, or, where there is no GPU, '
     'pip uninstall -y mxnet-cu112 && pip install -r requirements.txt')])
def test_why_it_does_not_load(libraries, said):
    assert wheels.why_it_does_not_load(libraries) == said


def test_another_cuda_build_is_left_to_find_its_own(monkeypatch, site):
    site('mxnet_cu102-1.9.1')
    installs(monkeypatch)
    monkeypatch.setattr(wheels, 'load_cuda', lambda: lacking(*wheels.CUDA_LIBRARIES))
    wheels.check()


@pytest.mark.parametrize('missing, said', [
    ('mxnet', 'MXNet is not installed: pip install -r requirements.txt, with an NVIDIA GPU -r requirements-gpu.txt'),
    ('distutils', 'needs distutils, which Python 3.12 no longer has: pip install setuptools')])
def test_what_is_not_installed(monkeypatch, site, missing, said):
    installs(monkeypatch, missing)
    with pytest.raises(ImportError, match=re.escape(said)):
        wheels.check()


def test_a_cuda_build_that_lacks_a_library(monkeypatch, site):
    site('mxnet_cu112-1.9.1')
    installs(monkeypatch)
    monkeypatch.setattr(wheels, 'load_cuda', lambda: lacking('libnccl.so.2', 'libcuda.so.1'))
    with pytest.raises(ImportError, match=r'^mxnet-cu112 needs libnccl\.so\.2, which cannot be found: pip install nvidia-nccl'):
        wheels.check()
