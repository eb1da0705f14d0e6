"""What a command says while it works: the header, a line whenever it was silent, and each line as soon as it is printed."""
from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import _progress
import pytest
from _progress import Progress

SCRIPTS = Path(_progress.__file__).parent


def test_it_speaks_after_silence_alone(monkeypatch, capsys):
    monkeypatch.setattr(_progress, 'SILENCE', 8)
    progress, now = Progress(4, 'beginning', done=1), time.monotonic()
    looks = []
    for second, what in ((7, ''), (8, 'epoch 2'), (12, ''), (15, 'write'), (17, ''), (22, ''), (23.5, ''), (24, '')):
        monkeypatch.setattr(_progress.time, 'monotonic', lambda at=second: now + at)
        if what == 'write':
            progress.write('a line')
        elif what:
            progress.at(2, what)
        looks.append(round(progress.break_silence()))
    printed = capsys.readouterr()
    assert printed.out == 'a line\n'
    assert printed.err == 'epoch 2, 8 s so far, 16 s left\nepoch 2, 24 s so far, 47 s left\n'
    assert looks == [1, 8, 4, 8, 6, 1, 8, 8]


def test_it_speaks_while_others_work(monkeypatch, capsys):
    monkeypatch.setattr(_progress, 'SILENCE', 0.05)
    said, end = '', time.monotonic() + 60
    with Progress(0, 'working'):
        while not said and time.monotonic() < end:
            time.sleep(0.01)
            said = capsys.readouterr().err
    assert said.startswith('working, ')
    capsys.readouterr()
    time.sleep(0.2)
    assert len(capsys.readouterr().err.splitlines()) <= 1       # one may have been on its way


def test_the_seconds_left_are_those_of_the_rest(monkeypatch):
    progress = Progress(10, 'x', done=4)
    monkeypatch.setattr(_progress.time, 'monotonic', lambda: progress.started + 30)
    progress.at(7, 'seven')
    assert progress.line() == 'seven, 30 s so far, 30 s left'


@pytest.mark.slow
def test_each_line_reaches_a_pipe_as_it_is_printed(small, tmp_path):
    """Without PYTHONUNBUFFERED, while the training goes on; the end of silence does, too."""
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONUNBUFFERED'}
    command = [sys.executable, SCRIPTS / 'train.py', *small, '--num-epochs', 10 ** 6, '--period', 1, '--out', tmp_path / 'run']
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding='utf-8',
                          env=environment) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(6)]
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
    assert lines[0].startswith('text: lyrics') and lines[5].startswith('epoch 1, ')
    assert process.returncode == 130 and 'epochs are saved in' in error


@pytest.mark.slow
def test_the_waveform_is_never_silent_for_long(script, tmp_path, monkeypatch):
    monkeypatch.setattr(_progress, 'SILENCE', 0)
    ended = script('waveform', '--periods', 1, 2, '--num-hiddens', 4, '--num-samples', 25, '--num-epochs', 8, '--out',
                   tmp_path / 'wave')
    assert ended.status == 0
    assert re.search(r'\w+, epoch \d+ of 8, error [\d.]+, \d+ s so far', ended.err)
