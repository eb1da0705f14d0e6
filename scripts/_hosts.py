"""The machines of a job for launch.py: the hostfile, addresses and ports."""
from __future__ import annotations

import socket
from pathlib import Path
from typing import List


def read_hosts(path: Path) -> List[str]:
    """The machines of a hostfile; what follows a name and what follows # is left out."""
    hosts = [line.partition('#')[0].split()[0] for line in path.read_text(encoding='utf-8').splitlines()
             if line.partition('#')[0].strip()]
    if not hosts:
        raise ValueError(f'{path} names no machine: write one a line')
    if any(host.startswith('-') for host in hosts):
        raise ValueError(f'{path} must name machines, got {next(host for host in hosts if host.startswith("-"))!r}')
    return hosts


def free_port(address: str) -> int:
    with socket.socket() as s:
        s.bind((address, 0))
        return s.getsockname()[1]


def address_of(host: str) -> str:
    """The address of a machine of the hostfile, '' where only ssh knows it."""
    try:
        return socket.gethostbyname(host.rpartition('@')[2])
    except OSError:
        return ''


def address_towards(host: str) -> str:
    """This machine's address on the way to another; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect((host.rpartition('@')[2], 9))
        except OSError as error:
            raise ValueError(f'{host} has no address here ({error}): give this machine\'s by --address') from None
        return s.getsockname()[0]
