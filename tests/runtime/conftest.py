"""Machines that are not here: an nvidia-smi that answers as told, and Pythons of their own."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """nvidia_smi('name, uuid, driver, capability', ...): the machine has these cards. nvidia_smi(script='...'): in shell."""
    def put(*cards: str, script: str = '') -> Path:
        folder = tmp_path / 'bin'
        folder.mkdir(exist_ok=True)
        lines = '\n'.join(f'echo "{card}"' for card in cards)
        (folder / 'nvidia-smi').write_text(f'#!/bin/sh\n{script or lines}\n')
        (folder / 'nvidia-smi').chmod(0o755)
        monkeypatch.setenv('PATH', f'{folder}:{os.environ["PATH"]}')
        return folder
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    return put


@pytest.fixture
def no_nvidia_smi(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))


@pytest.fixture
def python():
    """python('code', NAME='value') -> what a Python of its own prints, with only these environment variables."""
    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, '-W', 'ignore', *arguments], env=variables, cwd=ROOT, text=True,
                              capture_output=True)
    return run


@pytest.fixture
def packages(tmp_path):
    """packages('numpy', 'source') -> a folder for PYTHONPATH with such a module in it."""
    folder = tmp_path / 'packages'

    def put(name: str, source: str) -> str:
        folder.mkdir(exist_ok=True)
        (folder / f'{name}.py').write_text(source)
        return str(folder)
    return put
