"""What `python -m gluon_rnn.runtime` prints."""
import re

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.runtime import contexts, diagnosis, environment, wheels

V100, H100 = 'Tesla V100-SXM2-16GB, GPU-1, 535.54.03, 7.0', 'NVIDIA H100 PCIe, GPU-2, 550.54.15, 9.0'


def lines(found):
    return dict(found.lines)


cpu_build = pytest.mark.skipif(contexts.built_with_cuda(), reason='of the CPU build')


@cpu_build
def test_this_machine(no_nvidia_smi, needs_corpus):
    needs_corpus('jaychou')
    found = diagnosis.examine()
    said = lines(found)
    assert said['NumPy'] == np.__version__
    assert said['MXNet'] == f'{mx.__version__}, mxnet, built with oneDNN'
    assert said['threads'].endswith(f'(of {environment.usable_cpus()} CPUs)')
    assert said['BLAS kernel'] == diagnosis.blas_in_use() != ''
    assert said['GPUs'] == 'none (no nvidia-smi, no driver)'
    assert said['CUDA'] == 'not in this MXNet, and no GPU that would need it'
    assert said['lyrics'].endswith('data/lyrics.txt') and said['jaychou'].endswith('jaychou_lyrics.txt.zip')
    assert (found.advice, found.refusal) == ((), '') and found.text().endswith('\n\nNothing needs to be done.')


def test_corpora_that_are_not_here(monkeypatch, tmp_path, no_nvidia_smi):
    (tmp_path / 'mnist').mkdir()
    monkeypatch.setattr(environment, 'data_folders', lambda: [tmp_path / 'nowhere', tmp_path])
    said = lines(diagnosis.examine())
    assert said['jaychou'] == 'not here, fetched when asked for' and said['lyrics'] == 'not here'
    assert said['mnist'] == str(tmp_path / 'mnist')


@cpu_build
def test_a_cpu_build_where_there_is_a_gpu(nvidia_smi, monkeypatch):
    nvidia_smi(V100, H100)
    monkeypatch.setattr(wheels, 'DRIVER', 'libcuda.so.none')       # a real one may be here
    found = diagnosis.examine()
    said = lines(found)
    assert said['GPU 0'] == 'Tesla V100-SXM2-16GB, compute capability 7.0, driver 535.54.03'
    assert said['GPU 1'].startswith('NVIDIA H100 PCIe, compute capability 9.0')
    for library, package in wheels.CUDA_LIBRARIES.items():
        assert re.match(rf'{re.escape(package)} +(missing \(|/|found on the system)', said[f'  {library}'])
    assert re.match(r"the NVIDIA driver's +missing", said['  libcuda.so.none'])
    assert [sentence.partition(',')[0] for sentence in found.advice] == ['this MXNet is built without CUDA',
                                                                         'GPU 1 (NVIDIA H100 PCIe']


@pytest.mark.parametrize('cards, sentence', [
    (['Tesla V100, GPU-1, 440.33.01'], 'the NVIDIA driver is 440.33.01, too old for CUDA 11: install 450.80.02 or a newer one'),
    ([H100], 'GPU 0 (NVIDIA H100 PCIe, compute capability 9.0) is newer than MXNet 1.9.1, whose kernels are built for compute '
     'capability 5.0 to 8.9: train on the CPU')])
def test_its_sentences_with_a_cuda_build(nvidia_smi, monkeypatch, cards, sentence):
    monkeypatch.setattr(wheels, 'installed', lambda: ['mxnet-cu112'])
    nvidia_smi(*cards)
    assert diagnosis.examine().advice == (sentence,)


def test_a_driver_that_does_not_work(nvidia_smi):
    nvidia_smi(script='echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18')
    found = diagnosis.examine()
    assert lines(found)['GPUs'] == 'none (nvidia-smi: Failed to initialize NVML: Driver/library version mismatch)'
    assert found.advice[0].startswith('nvidia-smi finds no GPU that works (Failed to initialize NVML')


def test_hidden_gpus(nvidia_smi, monkeypatch):
    nvidia_smi(V100, V100)
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '1')
    monkeypatch.setattr(wheels, 'installed', lambda: ['mxnet-cu112'])
    assert diagnosis.examine().advice == ("CUDA_VISIBLE_DEVICES, which is '1', hides 1 of 2 GPUs: unset it to use them all",)


@pytest.mark.parametrize('module, source, said', [
    ('mxnet', 'raise OSError("libnccl.so.2: cannot open shared object file: No such file or directory")',
     'MXNet cannot be loaded (libnccl.so.2: cannot open shared object file: No such file or directory): install it again'),
    ('numpy', 'raise ModuleNotFoundError(name="numpy")', 'NumPy is not installed: pip install -r requirements.txt')])
def test_what_is_broken_is_told_with_the_rest(python, packages, module, source, said):
    """And no traceback."""
    ended = python('-m', 'gluon_rnn.runtime', PYTHONPATH=packages(module, source))
    assert (ended.returncode, ended.stderr) == (2, '')
    assert ended.stdout.splitlines()[0].startswith('Python ')
    assert ended.stdout.split('\n\n')[1].startswith(said)


@pytest.mark.slow
def test_from_the_command_line(python):
    ended = python('-m', 'gluon_rnn.runtime')
    assert (ended.returncode, ended.stderr) == (0, '') and ended.stdout.startswith('Python ')
