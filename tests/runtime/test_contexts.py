"""Contexts that work, and the sentence for each thing that keeps MXNet from a GPU."""
import random
import re
import warnings

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

from gluon_rnn import runtime
from gluon_rnn.runtime import GPUWarning, contexts, gpus, wheels
from gluon_rnn.runtime.gpus import Card, CardsFound

V100, A100 = Card('Tesla V100', 'GPU-1', '535.54.03', (7, 0)), Card('NVIDIA A100', 'GPU-2', '535.54.03', (8, 0))
H100 = Card('NVIDIA H100', 'GPU-3', '550.54.15', (9, 0))
TOO_NEW = r'GPU 0 \(NVIDIA H100, compute capability 9\.0\) is newer than MXNet 1\.9\.1'


class Array:
    def wait_to_read(self):
        pass


@pytest.fixture
def machine(monkeypatch):
    """machine(V100, ...): these cards, a CUDA build that sees them all (or `seen`), and arrays that work on them."""
    def make(*cards, complaint='', cuda=True, seen=None, packages=None, works=True, devices=None):
        def zeros(shape, ctx):
            if not works:
                raise mx.base.MXNetError('[10:00:00] src/storage/storage.cc:97: Check failed: err == cudaSuccess (2 vs. 0) : out '
                                         'of memory\nStack trace:\n  [bt] (0) libmxnet.so(+0x1)')
            assert ctx.device_type == 'gpu'
            return Array()
        monkeypatch.setattr(gpus, 'ask', lambda: CardsFound(cards, complaint))
        monkeypatch.setattr(contexts, 'built_with_cuda', lambda: cuda)
        monkeypatch.setattr(mx.context, 'num_gpus', lambda: (len(cards) if cuda else 0) if seen is None else seen)
        monkeypatch.setattr(wheels, 'installed', lambda: packages or [wheels.WHEEL if cuda else 'mxnet'])
        monkeypatch.setattr(nd, 'zeros', zeros)
        monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
        if devices is not None:
            monkeypatch.setenv('CUDA_VISIBLE_DEVICES', devices)
    return make


def test_seed_seeds_everything():
    draws = []
    for _ in range(2):
        runtime.seed(2 ** 31 - 1)
        draws.append((random.random(), np.random.random(), nd.random.normal(shape=(3,)).asnumpy().tolist(),
                      nd.random.normal(shape=(3,), ctx=mx.cpu(1)).asnumpy().tolist()))
    assert draws[0] == draws[1]


@pytest.mark.parametrize('text, expected', [('cpu', mx.cpu()), ('cpu(0)', mx.cpu()), ('cpu(1)', mx.cpu(1))])
def test_parse_ctx(text, expected):
    assert runtime.parse_ctx(text) == expected


@pytest.mark.parametrize('text', ['', 'tpu', 'cpu(-1)', 'cpu 1', 'CPU', 'gpu(a)', 'cpu(0', 'cpu(99999)'])
def test_no_such_ctx(text):
    with pytest.raises(ValueError, match=r"ctx must be 'auto', 'cpu', 'gpu' or one with a number"):
        runtime.parse_ctx(text)


def test_gpus_that_work(machine):
    machine(V100, A100)
    assert runtime.parse_ctx('gpu') == runtime.parse_ctx('auto') == runtime.try_gpu() == mx.gpu(0)
    assert runtime.parse_ctx('gpu(1)') == mx.gpu(1)
    assert runtime.try_all_gpus() == [mx.gpu(0), mx.gpu(1)]


def test_gpus_that_nvidia_smi_does_not_tell_of(machine):
    """A container may have the driver without its tools: what MXNet can do decides."""
    machine(seen=2)
    assert runtime.try_all_gpus() == [mx.gpu(0), mx.gpu(1)] and runtime.parse_ctx('gpu(1)') == mx.gpu(1)


# the machine, what `--ctx gpu` says there, and whether 'auto' warns of it
OBSTACLES = {
    'card too new': ([H100], {}, TOO_NEW + ', .*5.0 to 8.9: use ctx=.cpu.$', True),
    'card too new, CPU build': ([H100], {'cuda': False}, TOO_NEW, False),
    'driver too old': ([Card('Tesla V100', 'GPU-1', '440.33.01')], {'seen': 0},
                       r'the NVIDIA driver is 440\.33\.01, too old for CUDA 11: use ctx=.cpu., or install 450\.80\.02 or a newer '
                       r'one$', True),
    'driver that does not answer': ([], {'complaint': 'NVIDIA-SMI has failed.', 'seen': 0},
                                    r'nvidia-smi finds no GPU that works \(NVIDIA-SMI has failed\): use ctx=.cpu.', True),
    'CPU build': ([V100], {'cuda': False},
                  r'this MXNet is built without CUDA, and the machine has a GPU \(Tesla V100\): use ctx=.cpu., or '
                  r'pip uninstall -y mxnet && pip install -r requirements-gpu\.txt$', False),
    'both builds': ([V100], {'seen': 0, 'packages': ['mxnet', 'mxnet-cu112']}, 'mxnet and mxnet-cu112 are both installed', True),
    'hidden': ([V100], {'seen': 0, 'devices': ''},
               r"gpu\(0\) was asked for and MXNet sees no GPUs: use ctx=.cpu., or change CUDA_VISIBLE_DEVICES, which is ''$",
               False),
    'no GPU': ([], {}, r'gpu\(0\) was asked for and MXNet sees no GPUs: use ctx=.cpu., or look at `python -m', False),
    'no memory': ([V100], {'works': False},
                  r'GPU 0 does not compute \(err == cudaSuccess \(2 vs\. 0\) : out of memory\): use ctx=.cpu.$', True)}


@pytest.mark.parametrize('name', OBSTACLES)
def test_what_keeps_mxnet_from_a_gpu(machine, name):
    cards, facts, said, _ = OBSTACLES[name]
    machine(*cards, **facts)
    with pytest.raises(ValueError, match=f'^{said}') as error:
        runtime.parse_ctx('gpu')
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize('name', OBSTACLES)
def test_auto_takes_the_cpu_and_says_why_where_a_gpu_was_to_be_expected(machine, name):
    cards, facts, said, warns = OBSTACLES[name]
    machine(*cards, **facts)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        assert runtime.parse_ctx('auto') == mx.cpu()
    assert [warning.category for warning in caught] == [GPUWarning] * warns
    assert all(re.match(said.partition(': use')[0], str(warning.message)) for warning in caught)


def test_a_card_without_kernels_is_never_touched(machine, monkeypatch):
    machine(H100, V100)
    monkeypatch.setattr(nd, 'zeros', lambda shape, ctx: pytest.fail('touched') if ctx.device_id == 0 else Array())
    with pytest.warns(GPUWarning, match=TOO_NEW):
        assert runtime.try_all_gpus() == [mx.gpu(1)]
    with pytest.warns(GPUWarning, match=TOO_NEW):
        assert runtime.try_gpu() == mx.gpu(1)


def test_cards_are_counted_as_cuda_counts_them(machine):
    machine(H100, V100, devices='1', seen=1)
    assert runtime.parse_ctx('gpu') == runtime.parse_ctx('auto') == mx.gpu(0)       # the V100


@pytest.mark.parametrize('cards, asked, said', [([V100], 'gpu(1)', '1 GPU:'), ([V100, A100], 'gpu(2)', '2 GPUs:')])
def test_a_number_too_high(machine, cards, asked, said):
    machine(*cards)
    with pytest.raises(ValueError, match=f'{re.escape(asked)} was asked for and MXNet sees {said} use ctx=.cpu.'):
        runtime.parse_ctx(asked)


def test_one_warning_for_what_all_cards_share(machine):
    machine(*[Card('Tesla V100', f'GPU-{i}', '440.33.01') for i in range(2)], seen=0)
    with pytest.warns(GPUWarning) as caught:
        assert runtime.try_all_gpus() == [mx.cpu()]
    assert len(caught) == 1


def test_a_driver_that_does_not_work_is_no_gpu(machine, monkeypatch):
    def fail():
        raise mx.base.MXNetError('CUDA driver version is insufficient')
    machine()
    monkeypatch.setattr(mx.context, 'num_gpus', fail)
    assert runtime.try_all_gpus() == [mx.cpu()]


def test_this_build():
    assert contexts.built_with_cuda() == mx.runtime.Features().is_enabled('CUDA')
