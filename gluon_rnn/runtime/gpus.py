"""The NVIDIA cards of this machine, and in plain words what keeps MXNet from computing on them.

nvidia-smi is asked, not MXNet: its CPU build sees no card, and its CUDA build fails on one that it has no kernels for.
"""
from __future__ import annotations

import csv
import re
import subprocess
from dataclasses import dataclass
from typing import List, Sequence, Tuple

from . import wheels

# Compute capabilities that the wheel's kernels run on: built for 5.0, 6.0, 7.0, 8.0 and 8.6, with no PTX for what comes after
OLDEST, NEWEST = (5, 0), (8, 9)
OLDEST_DRIVER = (450, 80, 2)        # for anything built with CUDA 11
_FIELDS = 'name,uuid,driver_version'
_SECONDS = 30       # that nvidia-smi may take; a card that wakes up takes a few


class GPUWarning(UserWarning):
    """A GPU is there and is not used."""


@dataclass(frozen=True)
class Card:
    """A card as nvidia-smi names it. driver: as '450.80.02'; capability: None where the driver is too old to tell."""
    name: str
    uuid: str
    driver: str
    capability: Tuple[int, int] | None = None

    def __str__(self) -> str:
        capability = 'unknown' if self.capability is None else '{}.{}'.format(*self.capability)
        return f'{self.name}, compute capability {capability}, driver {self.driver}'


@dataclass(frozen=True)
class Obstacle:
    """The reason why MXNet cannot use a GPU, and the remedy; '': there is none."""
    reason: str
    remedy: str = ''

    def __str__(self) -> str:
        return f'{self.reason}: {self.remedy or "train on the CPU"}'


@dataclass(frozen=True)
class CardsFound:
    """The answer of nvidia-smi. complaint: its own words, if it is there and lists no cards."""
    cards: Tuple[Card, ...] = ()
    complaint: str = ''


def ask() -> CardsFound:
    """The cards in the order of their places on the bus; none where there is no nvidia-smi."""
    said = ''
    for fields in (f'{_FIELDS},compute_cap', _FIELDS):      # drivers before 2021 do not know compute_cap
        try:
            done = subprocess.run(['nvidia-smi', f'--query-gpu={fields}', '--format=csv,noheader'], capture_output=True,
                                  text=True, errors='replace', timeout=_SECONDS)
        except FileNotFoundError:
            return CardsFound()
        except subprocess.TimeoutExpired:
            return CardsFound(complaint=f'no answer in {_SECONDS} seconds')
        except OSError as error:
            return CardsFound(complaint=str(error))
        if done.returncode == 0:
            rows = csv.reader(done.stdout.splitlines(), skipinitialspace=True)
            return CardsFound(tuple(_card(row) for row in rows if len(row) >= 3))
        said = next(iter((done.stdout + done.stderr).strip().splitlines()), f'exit status {done.returncode}')
        if 'compute_cap' not in said:
            break
    return CardsFound(complaint=said)


def _card(row: Sequence[str]) -> Card:
    capability = re.fullmatch(r'(\d+)\.(\d+)', row[3].strip()) if len(row) > 3 else None
    return Card(row[0], row[1], row[2], (int(capability[1]), int(capability[2])) if capability else None)


def visible(cards: Sequence[Card], devices: str | None) -> List[Card]:
    """The cards that CUDA sees where CUDA_VISIBLE_DEVICES is `devices`, in its order: MXNet's gpu(0), gpu(1), ...

    devices: numbers or beginnings of UUIDs; cards listed after one that does not exist are not seen. None: all.
    """
    if devices is None:
        return list(cards)
    seen: List[Card] = []
    for device in (part.strip() for part in devices.split(',')):
        if device.isdecimal():
            found = list(cards[int(device):int(device) + 1])
        else:
            found = [card for card in cards if device and card.uuid.startswith(device)]
        if len(found) != 1:
            break
        seen += found
    return seen


def obstacle_of_card(number: int, card: Card) -> Obstacle | None:
    """Why MXNet 1.9.1 cannot compute on this card, whatever is installed; None where it can."""
    if card.capability is None or OLDEST <= card.capability <= NEWEST:
        return None
    age = 'newer' if card.capability > NEWEST else 'older'
    return Obstacle('GPU {} ({}, compute capability {}.{}) is {} than MXNet 1.9.1, whose kernels are built for compute '
                    'capability 5.0 to 8.9'.format(number, card.name, *card.capability, age))


def obstacle_of_driver(answer: CardsFound) -> Obstacle | None:
    """Why the driver does not serve CUDA 11; None where it does, or where there is no card for it."""
    if answer.complaint:
        return Obstacle(f'nvidia-smi finds no GPU that works ({answer.complaint.rstrip(".:")})',
                        'load the driver, restart the machine after an update of it, or install it again')
    for card in answer.cards:
        version = tuple(int(part) for part in re.findall(r'\d+', card.driver))
        if version and version < OLDEST_DRIVER:
            return Obstacle(f'the NVIDIA driver is {card.driver}, too old for CUDA 11', 'install 450.80.02 or a newer one')
    return None


def obstacle_of_build(answer: CardsFound, packages: Sequence[str]) -> Obstacle | None:
    """Why the MXNet that is installed has nothing for the cards that are there; None where it has, or no card could use it.

    packages: as `wheels.installed` names them.
    """
    if len(packages) > 1:
        return Obstacle(f'{" and ".join(packages)} are both installed and have overwritten each other',
                        wheels.change(' '.join(packages), 'requirements-gpu.txt' if answer.cards else 'requirements.txt'))
    usable = [card for i, card in enumerate(answer.cards) if not obstacle_of_card(i, card)]
    if usable and not any(package != 'mxnet' for package in packages):
        return Obstacle(f'this MXNet is built without CUDA, and the machine has a GPU ({usable[0].name})',
                        wheels.change('mxnet', 'requirements-gpu.txt'))
    return None
