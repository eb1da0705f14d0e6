"""What the tried faults share: how often each is tried, and the table of what was done and what was lost.

`make faults` sets FAULTS=full and FAULTS_TABLE=FILE (`count.py`); the suite tries everything less often.
"""
from __future__ import annotations

import json
import os
from pathlib import Path

import harness
import pytest

FULL = os.environ.get('FAULTS') == 'full'
_rows = []


@pytest.fixture(scope='session')
def count():
    """count(12, 50): how often to try something, in the suite and in full."""
    return lambda few, many: many if FULL else few


@pytest.fixture(scope='session')
def tally():
    """tally('what was done', {'what came of it': times, ...}, lost='nothing'): a row of the table."""
    def add(done, outcomes, *, lost='nothing'):
        outcomes = {what: times for what, times in outcomes.items() if times}
        _rows.append({'done': done, 'times': sum(outcomes.values()), 'outcomes': outcomes, 'lost': lost})
        print(f'{done}: {outcomes}')
    return add


@pytest.fixture(scope='module')
def starter(tmp_path_factory):
    """What starts trainings that are to be killed."""
    starter = harness.Starter(tmp_path_factory.mktemp('starter'))
    yield starter
    starter.end()


def pytest_sessionfinish():
    if os.environ.get('FAULTS_TABLE'):
        Path(os.environ['FAULTS_TABLE']).write_text(json.dumps(_rows, ensure_ascii=False, indent=1), encoding='utf-8')
