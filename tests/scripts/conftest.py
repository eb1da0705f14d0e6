"""Running a script's main() in this process, as if from the command line."""
from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass

import _cli
import pytest


@dataclass
class Ended:
    status: int
    out: str
    err: str


@pytest.fixture
def script(monkeypatch, capsys):
    """script('train', '--out', folder, ...) -> how it ended, and what it printed."""
    def call(name: str, *args) -> Ended:
        monkeypatch.setattr(sys, 'argv', [f'scripts/{name}.py', *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            _cli.run(importlib.import_module(name).main)
        printed = capsys.readouterr()
        return Ended(ended.value.code, printed.out, printed.err)
    return call


@pytest.fixture
def refused(script):
    """refused('what is said', 'train', ...): the script says so in one line and ends with status 2."""
    def call(said: str, name: str, *args) -> None:
        ended = script(name, *args)
        assert ended.status == 2
        assert said in ended.err
        assert len(ended.err.strip().splitlines()) == 1, ended.err
        assert ended.err.startswith(f'{name}.py: ')
    return call


SMALL = ('--corpus', 'lyrics', '--max-chars', 400, '--num-hiddens', 8, '--num-steps', 8, '--batch-size', 8, '--length', 5,
         '--num-epochs', 4, '--period', 2, '--ctx', 'cpu')


@pytest.fixture
def small() -> tuple:
    """Flags of a training that takes a moment."""
    return SMALL
