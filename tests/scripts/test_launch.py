"""scripts/launch.py with commands that take a moment, and with processes in the place of MXNet's servers that only wait."""
from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import launch
import pytest

SCRIPT = Path(launch.__file__)
WAIT = (sys.executable, '-c', 'import time; time.sleep(600)')
END = (sys.executable, '-c', '')


@pytest.fixture
def token(monkeypatch):
    """What marks all processes that a test starts, on whichever machine; none of them may outlive it."""
    value = uuid.uuid4().hex
    monkeypatch.setenv('GLUON_RNN_TEST', value)
    yield value
    deadline = time.monotonic() + 5
    while alive(value) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(value) == {}


def alive(token: str) -> dict[int, dict[str, str]]:
    """The environment of each process that has the token in it."""
    found = {}
    for process in Path('/proc').glob('[0-9]*'):
        try:
            lines = (process / 'environ').read_bytes().decode(errors='replace').split('\0')
        except OSError:
            continue
        if f'GLUON_RNN_TEST={token}' in lines:
            found[int(process.name)] = dict(line.partition('=')[::2] for line in lines)
    return found


@pytest.fixture
def launched(script, monkeypatch, token):
    """launched('-n', 2, Python code, arguments) -> how the job ended."""
    monkeypatch.setattr(launch, 'SERVE', END)

    def call(*flags, code, arguments=()):
        return script('launch', *flags, '--grace', 2, '--', sys.executable, '-c', code, *arguments)
    return call


def test_it_is_never_silent_for_long(launched, monkeypatch):
    monkeypatch.setattr(launch, 'SILENCE', 0.3)
    ended = launched('-n', 2, code='import time; time.sleep(1.5)')
    assert ended.status == 0
    assert ended.err.startswith('launch.py: worker 0, worker 1 at work, ')


def test_starts_all_and_says_who_speaks(launched):
    ended = launched('-n', 3, '-s', 2, code='import sys, os; print("I am", os.environ["GLUON_RNN_RANK"], *sys.argv[1:])\n'
                     'print("note", file=sys.stderr)', arguments=('--', '-x', 'two words'))
    assert ended.status == 0
    assert sorted(ended.out.splitlines()) == ['I am 0 -- -x two words', 'worker 1: I am 1 -- -x two words',
                                              'worker 2: I am 2 -- -x two words']
    assert sorted(ended.err.splitlines()) == ['note', 'worker 1: note', 'worker 2: note']


def test_what_workers_print_is_read_as_they_print_it(launched, monkeypatch):
    monkeypatch.setenv('PYTHONIOENCODING', 'gbk')
    ended = launched('-n', 2, code='print("分开")')
    assert sorted(ended.out.splitlines()) == ['worker 1: 分开', '分开']


def test_the_command_that_goes_on_with_a_job(tmp_path, monkeypatch):
    """It can be pasted, whatever the names."""
    hosts = tmp_path / 'my hosts'
    hosts.write_text('localhost')
    for flags in (['-n', '2', '-s', '1'], ['-n', '3', '-s', '2', '--hostfile', str(hosts), '--address', '127.0.0.1']):
        monkeypatch.setattr(sys, 'argv', ['launch.py', *flags, '--', 'python', 'x.py', '--resume'])
        args = launch.parser().parse_args()
        for process in launch.plan(args, []):
            assert shlex.split(process.variables['GLUON_RNN_LAUNCHER']) == [sys.executable, launch.__file__, *flags, '--']


def test_what_mxnet_is_told(launched, monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    code = 'import os; print(*(f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(("DMLC", "OMP"))))'
    monkeypatch.setattr(launch, 'SERVE', (sys.executable, '-c', code))
    ended = launched('-n', 1, '-s', 2, code=code)
    lines = {line.partition('DMLC')[0]: dict(word.split('=') for word in line.partition(': ')[2].split() or line.split())
             for line in ended.out.splitlines()}
    assert set(lines) == {'', 'scheduler: ', 'server 0: ', 'server 1: '}
    assert {told.pop('DMLC_ROLE') for told in lines.values()} == {'worker', 'scheduler', 'server'}
    port = lines['']['DMLC_PS_ROOT_PORT']
    for told in lines.values():
        assert told == {'DMLC_NUM_SERVER': '2', 'DMLC_NUM_WORKER': '1', 'DMLC_NODE_HOST': '127.0.0.1', 'DMLC_PS_ROOT_PORT': port,
                        'DMLC_PS_ROOT_URI': '127.0.0.1', 'OMP_NUM_THREADS': str(len(os.sched_getaffinity(0)))}


@pytest.mark.parametrize('end, status, said', [
    ('sys.exit("it broke")', 1, 'ended with status 1, and with it the job: it broke'),
    ('sys.exit(7)', 7, 'ended with status 7, and with it the job'),
    ('os.kill(os.getpid(), 9)', 137, 'ended by SIGKILL, and with it the job'),
])
def test_one_that_fails_ends_all(launched, monkeypatch, end, status, said):
    monkeypatch.setattr(launch, 'SERVE', WAIT)
    start = time.monotonic()
    ended = launched('-n', 3, code=f'import os, sys, time\nif os.environ["GLUON_RNN_RANK"] == "1": {end}\ntime.sleep(600)')
    assert ended.status == status
    assert ended.err.splitlines()[-1] == f'launch.py: worker 1 {said}'
    assert time.monotonic() - start < 200        # nobody has slept to the end


@pytest.mark.slow
def test_one_that_does_not_listen_is_killed(launched):
    code = ('import os, signal, sys, time\nif os.environ["GLUON_RNN_RANK"] == "0": time.sleep(0.5); sys.exit(3)\n'
            'signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)')
    assert launched('-n', 2, code=code).status == 3


def test_what_a_worker_has_started_ends_with_it(launched):
    """The fixture looks for what is left."""
    code = 'import subprocess, sys; subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])'
    assert launched('-n', 1, code=code).status == 0


def test_a_server_that_dies_ends_all(launched, monkeypatch):
    monkeypatch.setattr(launch, 'SERVE', (sys.executable, '-c', 'import os, sys, time; os.environ["DMLC_ROLE"] == "server" and '
                                                                'sys.exit("no memory"); time.sleep(60)'))
    ended = launched('-n', 1, code='import time; time.sleep(60)')
    assert ended.status == 1
    assert ended.err.splitlines()[-1] == 'launch.py: server 0 ended with status 1, and with it the job: no memory'


LISTENS = '''import os, signal, sys, time
def heard(number, _):
    print(f'heard {number}', flush=True)
    time.sleep(0.3)
    sys.exit(STATUS)
signal.signal(signal.SIGINT, heard)
signal.signal(signal.SIGTERM, heard)
print('ready', flush=True)
time.sleep(60)
'''


@pytest.mark.parametrize('number, own, status', [(signal.SIGINT, 130, 130), (signal.SIGTERM, 130, 143), (signal.SIGTERM, 2, 2)])
def test_signals_are_passed_on(token, number, own, status):
    with start('-n', '2', '--', sys.executable, '-c', LISTENS.replace('STATUS', str(own))) as process:
        wait_for(process, 'ready', 2)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert sorted(out.splitlines()) == [f'heard {int(number)}', f'worker 1: heard {int(number)}']
    assert ('with it the job' in err) == (own == 2)


def test_a_second_signal_kills(token):
    with start('-n', '2', '--', sys.executable, '-c', LISTENS.replace('sys.exit(STATUS)', 'time.sleep(60)')) as process:
        wait_for(process, 'ready', 2)
        process.send_signal(signal.SIGINT)
        wait_for(process, 'heard', 2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130


def test_a_launcher_that_is_killed_leaves_nothing_behind(token):
    """The fixture looks for what is left."""
    with start('-n', '2', '--', *WAIT) as process:
        deadline = time.monotonic() + 20
        while len(alive(token)) < 9 and time.monotonic() < deadline:      # the launcher, and 4 processes with their keepers
            time.sleep(0.05)
        assert len(alive(token)) == 9
        process.kill()
        process.communicate()


def start(*flags: str) -> subprocess.Popen:
    """The launcher in a process of its own, its servers only waiting."""
    code = f'import sys; sys.argv[0] = "scripts/launch.py"; import _cli, launch; launch.SERVE = {WAIT!r}; _cli.run(launch.main)'
    return subprocess.Popen([sys.executable, '-c', code, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, 'PYTHONPATH': str(SCRIPT.parent)})


def wait_for(process: subprocess.Popen, text: str, times: int) -> None:
    timer = threading.Timer(30, process.kill)
    timer.start()
    for _ in range(times):
        assert text in process.stdout.readline()
    timer.cancel()


# ------------------------------------------------------------------------------------------------------------- other machines

@pytest.fixture
def ssh(tmp_path, monkeypatch):
    """An `ssh` that writes down whom it is asked for and runs the command here, with nothing of this environment."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    (folder / 'ssh').write_text('#!/bin/sh\n[ "$1 $2" = "-o BatchMode=yes" ] || exit 255\n'
                                f'echo "$3" >> {tmp_path}/hosts_asked\nshift 3\nexec env -i PATH=/usr/bin:/bin sh -c "$*"\n')
    (folder / 'ssh').chmod(0o755)
    monkeypatch.setenv('PATH', str(folder), prepend=os.pathsep)
    return tmp_path / 'hosts_asked'


def test_over_ssh(launched, ssh, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MXNET_TEST', "it's")
    (tmp_path / 'hosts').write_text('127.0.0.1 slots=2   # the first\n\n# none\nlocalhost\n')
    code = ('import os, sys; e = os.environ; '
            'print(os.getcwd(), e["GLUON_RNN_RANK"], e["MXNET_TEST"], sys.argv[1], e["DMLC_PS_ROOT_URI"])')
    ended = launched('-n', 3, '-s', 1, '--hostfile', tmp_path / 'hosts', arguments=('$HOME "quoted"',), code=code)
    assert (ended.status, ended.err) == (0, '')
    expected = [f'{tmp_path} {i} it\'s $HOME "quoted" 127.0.0.1' for i in range(3)]
    assert sorted(ended.out.splitlines()) == sorted([expected[0], f'worker 1: {expected[1]}', f'worker 2: {expected[2]}'])
    assert sorted(ssh.read_text().split()) == ['127.0.0.1'] * 3 + ['localhost']      # a server, and workers in turn


def test_who_listens_where(monkeypatch):
    """Each at its machine's address in the hostfile; nothing is started here."""
    addresses = {'localhost': '127.0.0.1', 'me@far': '10.0.0.2', 'farther': '10.0.0.3', 'alias': ''}
    monkeypatch.setattr(launch, 'address_of', addresses.get)
    monkeypatch.setattr(launch, 'address_towards', {'me@far': '10.0.0.1'}.get)
    monkeypatch.setattr(launch, 'free_port', lambda address: 1234)
    monkeypatch.setenv('MXNET_KVSTORE_BIGARRAY_BOUND', '77')
    args = launch.parser().parse_args(['-n', '5', '-s', '2', '--', 'train', '-x'])
    planned = {process.name: process for process in launch.plan(args, list(addresses))}
    assert len(planned) == 8
    assert {process.variables['DMLC_PS_ROOT_URI'] for process in planned.values()} == {'10.0.0.1'}
    assert {process.variables['MXNET_KVSTORE_BIGARRAY_BOUND'] for process in planned.values()} == {'77'}
    listens = {name: (process.host, process.variables.get('DMLC_NODE_HOST')) for name, process in planned.items()}
    assert listens == {'scheduler': ('', '10.0.0.1'), 'server 0': ('localhost', '10.0.0.1'), 'server 1': ('me@far', '10.0.0.2'),
                       'worker 0': ('localhost', '10.0.0.1'), 'worker 1': ('me@far', '10.0.0.2'),
                       'worker 2': ('farther', '10.0.0.3'), 'worker 3': ('alias', None), 'worker 4': ('localhost', '10.0.0.1')}
    assert [planned[f'worker {i}'].share for i in range(5)] == [2, 1, 1, 1, 2]
    assert planned['worker 3'].command == ('train', '-x')
    monkeypatch.setenv('DMLC_INTERFACE', 'eth1')
    assert not any('DMLC_NODE_HOST' in process.variables for process in launch.plan(args, list(addresses)))


def test_a_failure_over_ssh_names_the_machine(launched, ssh, tmp_path, monkeypatch):
    monkeypatch.setattr(launch, 'SERVE', WAIT)
    (tmp_path / 'hosts').write_text('127.0.0.1\nlocalhost\n')
    ended = launched('-n', 2, '--hostfile', tmp_path / 'hosts',
                     code='import os, sys, time\nif os.environ["GLUON_RNN_RANK"] == "1": sys.exit("no")\ntime.sleep(60)')
    assert ended.status == 1
    assert ended.err.splitlines()[-1] == 'launch.py: worker 1 on localhost ended with status 1, and with it the job: no'


def test_signals_go_over_ssh(token, ssh, tmp_path):
    (tmp_path / 'hosts').write_text('127.0.0.1\n')
    with start('-n', '1', '--hostfile', str(tmp_path / 'hosts'), '--', sys.executable, '-c',
               LISTENS.replace('STATUS', '130')) as process:
        wait_for(process, 'ready', 1)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (143, 'heard 15\n')


# --------------------------------------------------------------------------------------------------------------------- errors

@pytest.mark.parametrize('said, flags', [
    ('--workers must be 1 or more, got 0', ('-n', 0)),
    ('--servers must be 1 or more, got -1', ('-n', 2, '-s', -1)),
    ('--grace must be 0 seconds or more, got -1.0', ('-n', 1, '--grace', -1)),
    ('required: -n/--workers', ()),
    ('nowhere: No such file', ('-n', 1, '--hostfile', 'nowhere')),
])
def test_bad_flags(refused, token, said, flags):
    refused(said, 'launch', *flags, '--', 'true')


def test_no_command(refused):
    refused('required: COMMAND', 'launch', '-n', 1)


@pytest.mark.parametrize('text, said', [('# none\n', 'names no machine'),
                                        ('-oProxyCommand=x\n', "must name machines, got '-oProxy"),
                                        ('no.such.machine.invalid\n', 'has no address here')])
def test_bad_hostfiles(refused, tmp_path, text, said):
    (tmp_path / 'hosts').write_text(text)
    refused(said, 'launch', '-n', 1, '--hostfile', tmp_path / 'hosts', '--', 'true')


def test_no_such_command(script, token, monkeypatch):
    monkeypatch.setattr(launch, 'SERVE', WAIT)
    ended = script('launch', '-n', 1, '--', './no-such-command')
    assert ended.status == 127
    assert ended.err.splitlines()[-1].endswith('and with it the job: ./no-such-command: No such file or directory')
