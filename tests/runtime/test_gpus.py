"""What nvidia-smi says, and what is said of it."""
import pytest

from gluon_rnn.runtime import gpus
from gluon_rnn.runtime.gpus import Card, CardsFound

V100 = 'Tesla V100-SXM2-16GB, GPU-11aa, 535.54.03, 7.0'
H100 = 'NVIDIA H100 PCIe, GPU-22bb, 550.54.15, 9.0'


def card(capability, driver='535.54.03', name='Some GPU', uuid='GPU-1'):
    return Card(name, uuid, driver, capability)


def test_cards(nvidia_smi):
    nvidia_smi(V100, H100)
    answer = gpus.ask()
    assert answer == CardsFound((Card('Tesla V100-SXM2-16GB', 'GPU-11aa', '535.54.03', (7, 0)),
                             Card('NVIDIA H100 PCIe', 'GPU-22bb', '550.54.15', (9, 0))))
    assert str(answer.cards[1]) == 'NVIDIA H100 PCIe, compute capability 9.0, driver 550.54.15'


def test_a_driver_that_does_not_know_compute_capability(nvidia_smi):
    nvidia_smi(script='''case "$1" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;; esac
echo "Tesla K80, GPU-1, 440.33.01"''')
    assert gpus.ask() == CardsFound((card(None, '440.33.01', 'Tesla K80'),))
    assert str(gpus.ask().cards[0]) == 'Tesla K80, compute capability unknown, driver 440.33.01'


def test_a_capability_that_is_not_told(nvidia_smi):
    nvidia_smi('Odd GPU, GPU-1, 535.54.03, [N/A]')
    assert gpus.ask().cards[0].capability is None


def test_no_nvidia_smi(no_nvidia_smi):
    assert gpus.ask() == CardsFound()


@pytest.mark.parametrize('script, complaint', [
    ("echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'; echo more; exit 9",
     'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'),
    ("echo 'Failed to initialize NVML: Driver/library version mismatch' >&2; exit 18",
     'Failed to initialize NVML: Driver/library version mismatch'),
    ('exit 3', 'exit status 3'), ('sleep 5', 'no answer in 0.2 seconds')])
def test_an_nvidia_smi_that_fails(nvidia_smi, monkeypatch, script, complaint):
    monkeypatch.setattr(gpus, '_SECONDS', 0.2 if 'sleep' in script else 30)
    nvidia_smi(script=script)
    assert gpus.ask() == CardsFound(complaint=complaint)
    assert complaint.rstrip('.') in str(gpus.obstacle_of_driver(gpus.ask()))


def test_an_nvidia_smi_that_cannot_be_run(nvidia_smi):
    (nvidia_smi(V100) / 'nvidia-smi').write_bytes(b'\x7fELF nothing')
    assert 'Exec format error' in gpus.ask().complaint


@pytest.mark.parametrize('devices, numbers', [
    (None, [0, 1, 2]), ('', []), ('1', [1]), ('2,0', [2, 0]), ('0, 1', [0, 1]), ('-1', []), ('0,7,1', [0]), ('GPU-b', [1]),
    ('GPU-a', []), ('GPU-a2,1', [2, 1]), ('NoDevFiles', [])])
def test_visible(devices, numbers):
    cards = [card((8, 0), uuid=uuid) for uuid in ('GPU-a1', 'GPU-b1', 'GPU-a2')]
    assert gpus.visible(cards, devices) == [cards[number] for number in numbers]


@pytest.mark.parametrize('capability', [(5, 0), (5, 2), (6, 1), (7, 5), (8, 0), (8, 6), (8, 9), None])
def test_cards_that_serve(capability):
    assert gpus.obstacle_of_card(0, card(capability)) is None


@pytest.mark.parametrize('capability, text, age', [
    ((9, 0), '9.0', 'newer'), ((10, 0), '10.0', 'newer'), ((12, 0), '12.0', 'newer'), ((3, 5), '3.5', 'older'),
    ((3, 7), '3.7', 'older')])
def test_cards_that_do_not(capability, text, age):
    assert str(gpus.obstacle_of_card(1, card(capability))) == (
        f'GPU 1 (Some GPU, compute capability {text}) is {age} than MXNet 1.9.1, whose kernels are built for compute capability '
        f'5.0 to 8.9: train on the CPU')


@pytest.mark.parametrize('driver, serves', [('450.80.02', True), ('450.80.1', False), ('450.51.06', False), ('440.33.01', False),
                                           ('460.27', True), ('580.65.06', True), ('N/A', True)])
def test_driver(driver, serves):
    obstacle = gpus.obstacle_of_driver(CardsFound((card((7, 0), driver),)))
    assert (obstacle is None) == serves
    assert serves or str(obstacle) == (f'the NVIDIA driver is {driver}, too old for CUDA 11: install 450.80.02 or a newer one')


def test_no_card_no_driver():
    assert gpus.obstacle_of_driver(CardsFound()) is None


@pytest.mark.parametrize('cards, packages, said', [
    ([(7, 0)], ['mxnet'], 'this MXNet is built without CUDA, and the machine has a GPU (Some GPU): pip uninstall -y mxnet && '
     'pip install -r requirements-gpu.txt'),
    ([(7, 0)], ['mxnet-cu112'], ''), ([], ['mxnet'], ''), ([(9, 0)], ['mxnet'], ''), ([], ['mxnet-cu112'], ''),
    ([(7, 0)], ['mxnet', 'mxnet-cu112'], 'mxnet and mxnet-cu112 are both installed and have overwritten each other: '
     'pip uninstall -y mxnet mxnet-cu112 && pip install -r requirements-gpu.txt'),
    ([], ['mxnet', 'mxnet-cu112'], 'mxnet and mxnet-cu112 are both installed and have overwritten each other: '
     'pip uninstall -y mxnet mxnet-cu112 && pip install -r requirements.txt')])
def test_build(cards, packages, said):
    obstacle = gpus.obstacle_of_build(CardsFound(tuple(card(capability) for capability in cards)), packages)
    assert str(obstacle or '') == said
