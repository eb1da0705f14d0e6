"""Every command's flags, at random: exit status 0 or 2 (130 where it was stopped), an error in one line, never a traceback.

The commands are the files of scripts/, and their flags are what their parsers say: a new one is tried without a word here.
"""
from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import os
import random
import runpy
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import _cli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gluon_rnn

SCRIPTS = Path(__file__).resolve().parents[2] / 'scripts'
COMMANDS = sorted(path.stem for path in SCRIPTS.glob('*.py') if not path.stem.startswith('_'))
SECONDS = 1.2       # then somebody presses Ctrl-C: some flags ask for years of work
# Where a command has these flags, it gets them first: it should come past its parser. What is drawn comes later and wins.
SMALL = {'--num-hiddens': '9', '--num-epochs': '1', '--max-chars': '400', '--batch-size': '4', '--num-steps': '5',
         '--length': '3', '--rounds': '1', '--ctx': 'cpu', '--vocab-size': '20', '--lockstep': '2', '--num-samples': '20',
         '--threads': '1', '--corpus': 'text.txt', '--prefix': '的', '--text': '的的的',
         '--out': 'new', '--impl': 'scratch'}
NUMBERS = ('1', '2', '3', '4', '7', '0', '-1', '0.5', '0.999', '1e-9', '1e300', 'nan', 'inf', '-inf', '2147483648',
           '1' + '0' * 30, '9223372036854775807', '')
PLACES = ('run', 'text.txt', 'new', 'lyrics', '6.5', '6.4.2', 'run/checkpoint.npz', 'run/config.json', 'noise.txt', 'noise.zip',
          'noise.npz', 'folder', 'missing/x', 'text.txt/x', '', '.', '/dev/null', '/dev/full', 'a' * 300, 'b\udcff', '-', '6.3',
          'list', '分开', 'mine.pt')
TEXTS = st.one_of(st.sampled_from(('', ' ', '的', '分开', '_', '的_的', '\udcff', '🎵', '--', '-1', 'x' * 1000, '\n', 'a\tb',
                                   'e\u0301')),
                  st.text(st.characters(exclude_characters='\0'), max_size=8))      # a command line holds no NUL


class Parsed(Exception):
    pass


def parser_of(name):
    """The parser that a command first asks to parse its flags."""
    def parse_args(self, *args, **options):
        raise Parsed(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(argparse.ArgumentParser, 'parse_args', parse_args)
        patched.setattr(sys, 'argv', [f'{name}.py'])
        with pytest.raises(Parsed) as parsed:
            runpy.run_path(str(SCRIPTS / f'{name}.py'), run_name='__main__')
    return parsed.value.args[0]


def values(action):
    """Strategies of what may stand for one value of a flag, sensible as often as not."""
    numbers, places = (st.one_of(st.sampled_from(every[:6]), st.sampled_from(every)) for every in (NUMBERS, PLACES))
    if action.choices and not isinstance(action, argparse._SubParsersAction):
        return st.one_of(st.sampled_from([str(choice) for choice in action.choices]), TEXTS)
    if action.type in (int, float):
        return numbers
    if action.type is Path:
        return places
    if action.type:     # a function of the command's own
        return st.one_of(numbers, TEXTS)
    return st.one_of(places, TEXTS, numbers)


@st.composite
def command_lines(draw, parser):
    """Flags for a parser: the small ones, then some drawn."""
    flags, positionals, commands = [], [], None
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            commands = action
        elif isinstance(action, (argparse._HelpAction, argparse._VersionAction)):
            continue
        elif action.option_strings:
            flags.append(action)
        else:
            positionals.append(action)
    words = [word for action in flags for name in action.option_strings if name in SMALL for word in (name, SMALL[name])]
    # few: more would never come past the parser
    chosen = draw(st.sets(st.sampled_from(range(len(flags))), max_size=3)) if flags else ()
    for i, action in enumerate(flags):
        needed = action.required and not SMALL.keys() & set(action.option_strings)
        if i in chosen or (needed and draw(st.integers(0, 9)) < 9):
            words.append(draw(st.sampled_from(action.option_strings)))
            words += draw(given_values(action))
    for action in positionals:
        words += draw(given_values(action))
    if draw(st.integers(0, 19)) == 19:
        words.append(draw(st.sampled_from(('--unknown', '-x', '--help', '--', '--out', '--seed', '--'))))
    if commands:
        command = draw(st.sampled_from(sorted(commands.choices)))
        words += [command, *draw(command_lines(commands.choices[command]))]
    return words


def given_values(action):
    one = values(action)
    if action.nargs == 0:
        return st.just([])
    if action.nargs in ('+', '*', argparse.REMAINDER):
        return st.lists(one, min_size=0 if action.nargs != '+' else 1, max_size=3)
    if isinstance(action.nargs, int):
        return st.lists(one, min_size=action.nargs, max_size=action.nargs)
    return st.lists(one, min_size=1, max_size=1)


@pytest.fixture(scope='module')
def places(tmp_path_factory):
    """The folder in which the commands are run, with something of everything in it."""
    folder = tmp_path_factory.mktemp('places')
    corpus = gluon_rnn.load_corpus('lyrics', max_chars=1300)
    (folder / 'text.txt').write_text(corpus.decode(corpus.indices), encoding='utf-8')
    noise = random.Random(0).randbytes(2000)
    for name in ('noise.txt', 'noise.zip', 'noise.npz', 'mine.pt'):
        (folder / name).write_bytes(noise)
    (folder / 'folder').mkdir()
    (folder / 'folder' / 'thesis.tex').write_text('years of work')
    subprocess.run([sys.executable, SCRIPTS / 'train.py', '--corpus', 'text.txt', '--num-hiddens', '4', '--num-epochs', '1',
                    '--num-steps', '5', '--out', 'run', '--ctx', 'cpu', '--impl', 'scratch'],
                    cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture
def alone(places, monkeypatch):
    """In that folder, without a network or other processes."""
    def no_process(*args, **options):
        raise OSError('no process is started here')

    def no_network(*args, **options):
        raise urllib.error.URLError('no network here')

    import matplotlib.figure  # noqa: F401  (before anything is stopped in the middle of importing it)
    import sklearn.datasets  # noqa: F401
    import torch._dynamo  # noqa: F401

    import gluon_rnn.benchmark.workers.book
    import gluon_rnn.d2lzh
    import gluon_rnn.torch_parity.page  # noqa: F401
    monkeypatch.chdir(places)
    monkeypatch.setenv('XDG_CACHE_HOME', str(places / 'cache'))
    monkeypatch.setattr(subprocess, 'Popen', no_process)
    monkeypatch.setattr(os, '_exit', sys.exit)
    monkeypatch.setattr(urllib.request, 'urlopen', no_network)
    return places


def remove(path):
    """What an earlier command has left there, so that the next one may begin."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def pressed_after(seconds):
    """Ctrl-C after so many seconds, and again until it is heard."""
    def press(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.3)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def forget_what_is_pressed_again(lost):
    """What the scripts have in place of pytest's; and a Ctrl-C that came while hypothesis counted garbage."""
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        _cli.forget_half_made_arrays(lost)


def run(name, words, capsys, stopped=contextlib.nullcontext):
    """Run a command in this process, as the command line does, and within `stopped()`.

    Returns its exit status and what it wrote to standard error.
    """
    capsys.readouterr()
    sys.stderr.reconfigure(errors='backslashreplace')       # as Python's own
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, 'argv', [f'scripts/{name}.py', *words])
        patched.setattr(_cli, '_end_at_once', False)
        patched.setattr(sys, 'unraisablehook', forget_what_is_pressed_again)
        try:
            with stopped():
                runpy.run_path(str(SCRIPTS / f'{name}.py'), run_name='__main__')
            status = 0
        except SystemExit as ended:
            status = ended.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return status, capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize('name', COMMANDS)
def test_flags_at_random(name, alone, capsys, count, tally):
    outcomes = collections.Counter()
    parser = parser_of(name)

    @settings(max_examples=count(3, 25) if len(parser._actions) > 1 else 3, suppress_health_check=list(HealthCheck))
    @given(command_lines(parser))
    def check(words):
        remove(alone / 'new')
        status, err = run(name, words, capsys, functools.partial(pressed_after, SECONDS))
        # status 1 of what compares and checks is an answer: not the same, not proved
        assert status in (0, None, 2, 130) or (status == 1 and name.startswith(('check_', 'compare_'))), (status, err)
        assert 'Traceback' not in err
        said = [line for line in err.splitlines() if line.startswith(f'{name}.py: ')]
        assert len(said) == (status in (2, 130)), err
        outcomes[{2: 'refused in one line', 130: f'at work when stopped after {SECONDS} s'}.get(status, 'done')] += 1

    check()
    tally(f'`scripts/{name}.py`', outcomes)


def test_every_command_has_help(capsys):
    for name in COMMANDS:
        status, err = run(name, ['--help'], capsys)
        # status 1 of what compares and checks is an answer: not the same, not proved
        assert status in (0, None) and not err, name
        status, err = run(name, ['--no-such-flag'], capsys)
        assert status == 2 and len(err.splitlines()) == 1 and err.startswith(f'{name}.py: '), err
