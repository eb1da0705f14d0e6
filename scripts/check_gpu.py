"""Prove an installation for NVIDIA GPUs on a machine without one.

    make gpu-check      # a minute for this script, some for the tests behind it; 11 of 11 checks passed

It runs in an environment with requirements-gpu.txt, with the driver that scripts/libcuda_stub.c makes on LD_LIBRARY_PATH. MXNet's
CUDA build must load with NVIDIA's wheels alone, find no GPU, and train on the CPU; and what keeps it from a GPU must be said in
one line each, out of a made-up nvidia-smi and an environment that lacks a library.
"""
from __future__ import annotations

import re
import site
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import _cli

import gluon_rnn  # before MXNet, which loads only where this has prepared the machine

# isort: split
import mxnet as mx

from gluon_rnn import ModelConfig, TrainConfig, runtime
from gluon_rnn.runtime import wheels

ROOT = Path(__file__).resolve().parent.parent
NO_KERNELS = 'NVIDIA H100 PCIe, GPU-1, 550.54.15, 9.0'
TRAIN = [str(ROOT / 'scripts' / 'train.py'), '--ctx', 'gpu', '--max-chars', '400', '--num-hiddens', '8', '--num-epochs', '1']


class Failed(Exception):
    """A check that did not hold."""


def main() -> int:
    _cli.ArgumentParser(description=__doc__).parse_args()
    failed = 0
    for name, check in CHECKS.items():
        try:
            print(f'ok      {name}: {check()}', flush=True)
        except Exception as error:      # whatever a broken installation raises is what this command is there to show
            print(f'failed  {name}: {type(error).__name__}: {_cli.one_line(error)}', flush=True)
            failed += 1
    print(f'{len(CHECKS) - failed} of {len(CHECKS)} checks passed')
    return 1 if failed else 0


def wheel() -> str:
    expect([wheels.WHEEL], wheels.installed())
    return f'{wheels.WHEEL} {mx.__version__} imports'


def features() -> str:
    found = mx.runtime.Features()
    missing = [name for name in ('CUDA', 'CUDNN', 'NCCL', 'CUDA_RTC') if not found.is_enabled(name)]
    expect([], missing)
    return 'CUDA, cuDNN, NCCL and run-time compilation are built in'


def libraries() -> str:
    """The libraries that libmxnet.so names, and the files that this process has loaded for them."""
    library = Path(mx.__file__).with_name('libmxnet.so')
    listed = subprocess.run(['readelf', '-d', str(library)], capture_output=True, text=True, check=True).stdout
    needed = [name for name in re.findall(r'NEEDED.*\[(.+)\]', listed) if re.match(r'libcu|libnv|libnccl', name)]
    mapped = {Path(line.split(maxsplit=5)[5]).name: Path(line.split(maxsplit=5)[5])
              for line in Path('/proc/self/maps').read_text().splitlines() if len(line.split(maxsplit=5)) == 6}
    unknown = set(needed) - {*wheels.CUDA_LIBRARIES, wheels.DRIVER}
    expect(set(), unknown)
    folder = Path(site.getsitepackages()[0]) / 'nvidia'
    for name in needed:
        found = wheels.load_library(name)
        if found.error:
            raise Failed(f'{name} does not load: {found.error}')
        if name != wheels.DRIVER and (found.path is None or folder not in found.path.parents):
            raise Failed(f'{name} comes from {found.path or "the system"}, not from {folder}')
        if name not in mapped and (found.path is None or found.path.resolve().name not in mapped):
            raise Failed(f'{name} is not in the process')
    return f'all {len(needed)} that libmxnet.so needs, {len(needed) - 1} of them from {folder.relative_to(ROOT)}'


def contexts() -> str:
    expect(0, mx.context.num_gpus())
    expect(mx.cpu(), gluon_rnn.try_gpu())
    expect([mx.cpu()], gluon_rnn.try_all_gpus())
    return f'no GPU is found, try_gpu() gives {gluon_rnn.try_gpu()}'


def training() -> str:
    """The songs' first 2,000 characters, for each implementation."""
    corpus = gluon_rnn.load_corpus('lyrics', max_chars=2000)
    ends = []
    for impl in ('scratch', 'hybrid', 'gluon'):
        runtime.seed(0)
        model = gluon_rnn.build_model(ModelConfig(cell='gru', impl=impl, num_hiddens=32, vocab_size=corpus.vocab_size),
                                      gluon_rnn.try_gpu())
        records = gluon_rnn.train(model, corpus.indices, TrainConfig(num_epochs=20))
        first, last = records[1].perplexity, records[20].perplexity
        if not last < first / 1.2:
            raise Failed(f'{impl} does not learn: perplexity {first:.1f} to {last:.1f}')
        ends.append(f'{impl} {first:.0f} to {last:.0f}')
    return f'perplexity over 20 epochs: {", ".join(ends)}'


def refusal(said: str, *, cards: str = '', without: str = '', driver: bool = True) -> Callable[[], str]:
    """A check that `train.py --ctx gpu` says this, in one line and with status 2."""
    def check() -> str:
        with tempfile.TemporaryDirectory() as folder:
            command, environment = made_up_machine(Path(folder), cards, without, driver)
            done = subprocess.run([*command, *TRAIN, '--out', f'{folder}/run'], capture_output=True, text=True, env=environment)
        lines = done.stderr.strip().splitlines()
        if done.returncode != 2 or len(lines) != 1 or said not in lines[0]:
            raise Failed(f'status {done.returncode}, wanted one line with {said!r}, got {done.stderr.strip()[-300:]!r}')
        return lines[0]
    return check


def made_up_machine(folder: Path, cards: str, without: str, driver: bool) -> Tuple[List[str], Dict[str, str]]:
    """The interpreter to call and the variables of a machine with these cards, lacking a library's package or the driver."""
    environment = runtime.child_environment(1)
    if cards:
        smi = folder / 'nvidia-smi'
        smi.write_text(f'#!/bin/sh\necho "{cards}"\n')
        smi.chmod(0o755)
        environment['PATH'] = f'{folder}:{environment["PATH"]}'
    if not driver:
        del environment['LD_LIBRARY_PATH']
    if not without:
        return [sys.executable], environment
    packages = folder / 'site-packages'     # all of this environment but one package
    (packages / 'nvidia').mkdir(parents=True)
    for path in Path(site.getsitepackages()[0]).iterdir():
        if path.name != 'nvidia':
            (packages / path.name).symlink_to(path)
            continue
        for part in path.iterdir():
            if part.name != without:
                (packages / 'nvidia' / part.name).symlink_to(part)
    environment['PYTHONPATH'] = f'{packages}:{environment["PYTHONPATH"]}'
    return [sys.executable, '-S'], environment


def diagnosis() -> str:
    done = subprocess.run([sys.executable, '-m', 'gluon_rnn.runtime'], capture_output=True, text=True, cwd=ROOT)
    expect((0, ''), (done.returncode, done.stderr))
    absent = [name for name in (*wheels.CUDA_LIBRARIES, wheels.DRIVER) if name not in done.stdout]
    expect([], absent)
    if 'missing' in done.stdout:
        raise Failed(done.stdout)
    return 'python -m gluon_rnn.runtime names every library'


def expect(wanted: object, found: object) -> None:
    if found != wanted:
        raise Failed(f'wanted {wanted}, found {found}')


CHECKS: Dict[str, Callable[[], str]] = {
    'wheel': wheel, 'features': features, 'libraries': libraries, 'contexts': contexts, 'training': training,
    'diagnosis': diagnosis,
    'no GPU': refusal('MXNet sees no GPUs'),
    'card too new': refusal('is newer than MXNet 1.9.1', cards=NO_KERNELS),
    'driver too old': refusal('too old for CUDA 11', cards='Tesla V100-SXM2-16GB, GPU-1, 440.33.01'),
    'no driver': refusal('needs the NVIDIA driver', driver=False),
    'missing library': refusal('needs libnccl.so.2, which cannot be found: pip install nvidia-nccl-cu11', without='nccl'),
}

if __name__ == '__main__':
    _cli.run(main)
