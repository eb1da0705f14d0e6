"""The installation for NVIDIA GPUs, proved on a machine without one. Only `make gpu-check` runs these tests, by the file's name.

They run in an environment with requirements-gpu.txt, with the driver that scripts/libcuda_stub.c makes on LD_LIBRARY_PATH.
MXNet's CUDA build must load with NVIDIA's wheels alone, find no GPU, and train on the CPU; and what keeps it from a GPU must be
said in one line each, out of a made-up nvidia-smi and an environment that lacks a library.
"""
from __future__ import annotations

import re
import site
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import pytest

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, runtime
from gluon_rnn.runtime import wheels

ROOT = Path(__file__).resolve().parents[2]
TRAIN = [str(ROOT / 'scripts' / 'train.py'), '--ctx', 'gpu', '--max-chars', '400', '--num-hiddens', '8', '--num-epochs', '1']
pytestmark = pytest.mark.filterwarnings('ignore::gluon_rnn.runtime.GPUWarning')


def test_the_cuda_build_is_installed_alone():
    assert wheels.installed() == [wheels.WHEEL]


@pytest.mark.parametrize('name', ['CUDA', 'CUDNN', 'NCCL', 'CUDA_RTC'])
def test_is_built_in(name):
    assert mx.runtime.Features().is_enabled(name)


def test_every_library_comes_from_the_wheels():
    """Those that libmxnet.so names, and the files that this process has loaded for them."""
    library = Path(mx.__file__).with_name('libmxnet.so')
    listed = subprocess.run(['readelf', '-d', str(library)], capture_output=True, text=True, check=True).stdout
    needed = {name for name in re.findall(r'NEEDED.*\[(.+)\]', listed) if re.match(r'libcu|libnv|libnccl', name)}
    assert wheels.DRIVER in needed <= {*wheels.CUDA_LIBRARIES, wheels.DRIVER}
    mapped = Path('/proc/self/maps').read_text()
    folder = Path(site.getsitepackages()[0]) / 'nvidia'
    for name in needed:
        found = wheels.load_library(name)
        assert not found.error
        assert name == wheels.DRIVER or (found.path is not None and folder in found.path.parents), found
        assert f'/{name}\n' in mapped or (found.path is not None and f'{found.path.resolve()}\n' in mapped), found


def test_no_gpu_is_found():
    assert mx.context.num_gpus() == 0
    assert gluon_rnn.try_gpu() == mx.cpu()
    assert gluon_rnn.try_all_gpus() == [mx.cpu()]


@pytest.mark.parametrize('impl', ['scratch', 'hybrid', 'gluon'])
def test_learns_on_the_cpu(impl):
    corpus = gluon_rnn.load_corpus('lyrics', max_chars=2000)
    model = gluon_rnn.build_model(ModelConfig(cell='gru', impl=impl, num_hiddens=32, vocab_size=corpus.vocab_size),
                                  gluon_rnn.try_gpu())
    records = gluon_rnn.train(model, corpus.indices, TrainConfig(num_epochs=20))
    assert records[20].perplexity < records[1].perplexity / 1.2


@pytest.fixture
def machine(tmp_path):
    """machine(cards, without, driver) -> the interpreter to call and the variables of a machine with these cards.

    without: the part of NVIDIA's wheels that its environment lacks; driver: whether it has one.
    """
    def made_up(cards='', without='', driver=True):
        environment = runtime.child_environment(1)
        if cards:
            smi = tmp_path / 'nvidia-smi'
            smi.write_text(f'#!/bin/sh\necho "{cards}"\n')
            smi.chmod(0o755)
            environment['PATH'] = f'{tmp_path}:{environment["PATH"]}'
        if not driver:
            del environment['LD_LIBRARY_PATH']
        if not without:
            return [sys.executable], environment
        packages = tmp_path / 'site-packages'       # all of this environment but one package
        (packages / 'nvidia').mkdir(parents=True)
        here = Path(site.getsitepackages()[0])
        for path in [*here.iterdir(), *(here / 'nvidia').iterdir()]:
            if path not in (here / 'nvidia', here / 'nvidia' / without):
                (packages / path.relative_to(here)).symlink_to(path)
        environment['PYTHONPATH'] = f'{packages}:{environment["PYTHONPATH"]}'
        return [sys.executable, '-S'], environment
    return made_up


@pytest.mark.parametrize('said, lacks', [
    ('MXNet sees no GPUs', {}),
    ('is newer than MXNet 1.9.1', {'cards': 'NVIDIA H100 PCIe, GPU-1, 550.54.15, 9.0'}),
    ('too old for CUDA 11', {'cards': 'Tesla V100-SXM2-16GB, GPU-1, 440.33.01'}),
    ('needs the NVIDIA driver', {'driver': False}),
    ('needs libnccl.so.2, which cannot be found: pip install nvidia-nccl-cu11', {'without': 'nccl'})])
def test_what_keeps_it_from_a_gpu_is_one_line(said, lacks, machine, tmp_path):
    command, environment = machine(**lacks)
    done = subprocess.run([*command, *TRAIN, '--out', tmp_path / 'run'], capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count('\n') == 1, done.stderr


def test_the_diagnosis_names_every_library():
    done = subprocess.run([sys.executable, '-m', 'gluon_rnn.runtime'], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, '')
    assert all(name in done.stdout for name in (*wheels.CUDA_LIBRARIES, wheels.DRIVER))
    assert 'missing' not in done.stdout
