"""What is refused or stopped says so in one line: what a new user met, and its siblings."""
import importlib
import io
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import _cli
import pytest
import train
from _paste import to_paste
from _runs import resume_command
from hypothesis import given, settings
from hypothesis import strategies as st
from mxnet import gluon

from gluon_rnn.cells.gluon_layer import GluonLayer
from gluon_rnn.runs.folder import read_metrics

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / 'scripts').glob('[!_]*.py'))


def start(*arguments, **variables):
    return subprocess.Popen([sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, **variables}, text=True)


def test_a_layer_that_reads_rows_first_is_refused():
    with pytest.raises(ValueError, match="must have layout 'TNC', steps before rows, got 'NTC'"):
        GluonLayer(gluon.rnn.LSTM(4, layout='NTC', input_size=3), 'lstm')


def test_resume_alone_starts_no_other_training(refused, tmp_path):
    for flags in ((), ('--num-epochs', 3, '--lr', 1, '--ctx', 'cpu')):       # no kind of network among them
        (tmp_path / 'run').mkdir()
        refused('holds no run to go on with: give all its flags again', 'train', '--out', tmp_path / 'run', '--resume', *flags)


def test_a_clockwork_rnn_for_pytorch_is_refused_in_one_line(script, refused, small, tmp_path):
    flags = ('--cell', 'clockwork', '--impl', 'scratch', '--num-epochs', 1, '--out', tmp_path / 'run')
    assert script('train', *small, *flags).status == 0
    refused('no counterpart in PyTorch', 'export', tmp_path / 'run', '--format', 'torch')


def test_a_flag_that_is_misspelt(refused):
    refused('did you mean --num-epochs for --epochs?', 'train', '--epochs', 3)
    refused('did you mean --num-hiddens for --num-hidden?', 'train', '--num-hidden', 3)
    refused('did you mean --lr for --learning-rate?', 'train', '--learning-rate', 3)


@pytest.mark.parametrize('name', SCRIPTS)
def test_every_script_names_the_flag_that_was_meant(refused, name):
    """Of each of its flags, with a letter left out, and without the word that it begins with."""
    module = importlib.import_module(name)
    if not hasattr(module, 'parser'):
        return
    flags = {flag for flag in _cli.all_flags(module.parser()) if len(flag) > 6}
    for flag in flags:
        wrong = flag[:-1]
        assert _cli.nearest(wrong, sorted(flags)).startswith(wrong), wrong
    for flag, wrong in (('--num-epochs', '--epochs'), ('--num-hiddens', '--num-hidden'), ('--num-hiddens', '--hiddens')):
        if flag in flags:
            command = COMMANDS.get(name, ())
            refused(f'did you mean {flag} for {wrong}?', name, *command, wrong, 3)


# what stands before the flags of a script that has commands, or needs something
COMMANDS = {'benchmark': ('epochs',), 'fill_in': ('train',), 'alphabet': ('--out', 'x'), 'compare_torch': ('curves',)}


def test_a_text_whose_name_is_not_utf8(refused, tmp_path):
    path = os.fsdecode(bytes(tmp_path) + b'/\xff.txt')
    Path(path).write_text('some text ' * 100)
    refused("udcff.txt' is not UTF-8: rename the file", 'train', '--corpus', path, '--out', tmp_path / 'run')


@pytest.mark.slow
def test_a_waveform_that_is_stopped_is_drawn(tmp_path):
    process = start('scripts/waveform.py', '--num-epochs', 100000, '--period', 1, '--num-samples', 40, '--out', tmp_path / 'out')
    assert process.stdout.readline().startswith('clockwork') and process.stdout.readline().startswith('epoch 1,')
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    picture = tmp_path / 'out' / 'waveform.png'
    assert (process.returncode, err) == (130, f'waveform.py: stopped; the waves as they were then are in {picture}\n')
    assert picture.read_bytes().startswith(b'\x89PNG')


# Ctrl-C while a module of that name is looked for; where none is named, the first after _cli, which is there at once.
PRESSED = '''import os, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ['AT'] or (not os.environ['AT'] and sys.excepthook is not sys.__excepthook__):
            sys.meta_path.remove(self)
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
'''


@pytest.fixture
def pressed(tmp_path):
    """pressed('train', at='mxnet'): start a script during whose imports Ctrl-C is pressed."""
    (tmp_path / 'sitecustomize.py').write_text(PRESSED)
    return lambda name, at='': start(f'scripts/{name}.py', '--help', AT=at, PYTHONPATH=str(tmp_path))


def test_ctrl_c_while_modules_load(pressed):
    for name, process in {name: pressed(name) for name in SCRIPTS}.items():
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (130, '', f'{name}.py: stopped\n')


@pytest.mark.slow
@pytest.mark.parametrize('at', ['numpy', 'numpy.random', 'mxnet', 'mxnet.numpy', 'mxnet.gluon.rnn', 'filelock', 'tqdm.std',
                                'gluon_rnn.runs.settings'])
def test_ctrl_c_while_a_library_loads(pressed, at):
    process = pressed('train', at)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, '', 'train.py: stopped\n')


def test_ctrl_c_where_nobody_reads_what_is_printed():
    """The pipe is full, and what waits for it is stopped all the same."""
    code = ('import sys; sys.argv = ["train.py"]; sys.path.insert(0, "scripts"); import _cli\n'
            '_cli.run(lambda: (_cli.stop_on_sigterm(), print("x" * 10 ** 7)))')
    process = start('-c', code)
    select.select([process.stdout], [], [])
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert process.communicate()[1] == 'train.py: stopped\n'


@pytest.mark.skipif(not shutil.which('bash'), reason='there is no bash')
@settings(max_examples=10)
@given(st.lists(st.one_of(st.binary(max_size=6), st.text(max_size=6).map(str.encode)), min_size=1, max_size=8))
def test_a_command_is_pasted_whatever_the_names(names):
    names = [name.replace(b'\0', b' ') for name in names]
    line = to_paste([os.fsdecode(name) for name in names])
    assert line.isprintable()
    found = subprocess.run(['bash', '-c', f"printf '%s\\0' {line}"], capture_output=True, check=True, timeout=60).stdout
    assert found == b''.join(name + b'\0' for name in names)


def test_a_command_to_paste_on_a_terminal_without_chinese(monkeypatch):
    assert to_paste(['a', '分 开']) == "a '分 开'"
    monkeypatch.setattr(sys, 'stderr', io.TextIOWrapper(io.BytesIO(), 'ascii'))
    assert to_paste(['a', '分 开']) == r"a $'\xe5\x88\x86\x20\xe5\xbc\x80'"


@pytest.mark.parametrize('folder', ['-x', "a 'b\"", '分开', '--out'])
def test_the_command_that_goes_on_names_the_folder(folder):
    _, script, *flags = shlex.split(resume_command(Path(folder), 'train.py'))
    assert script == 'train.py' and train.parser().parse_args(flags).out == Path(folder)


@pytest.mark.slow
def test_a_user_without_home_and_name_on_a_narrow_terminal(small, tmp_path):
    """As in a container that is given a plain uid: no home, output that cannot hold Chinese; and warnings are errors."""
    flags = [*map(str, small), '--out', str(tmp_path / 'run')]
    code = ('import os, pwd, runpy, sys\ndef nobody(_):\n    raise KeyError\npwd.getpwuid = nobody\n'
            'os.environ.pop("HOME", None)\nos.environ.pop("XDG_CACHE_HOME", None)\n'
            'sys.path.insert(0, "scripts")\n'
            f'sys.argv = ["scripts/train.py", *{flags!r}]\nrunpy.run_path("scripts/train.py", run_name="__main__")')
    process = start('-W', 'error', '-c', code, PYTHONIOENCODING='ascii')
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert 'epoch 4, perplexity' in out and '\\u' in out and 'Traceback' not in err


@pytest.mark.slow
def test_closed_streams(small, tmp_path):
    """No file that is opened takes their place, and what is refused while modules load is no traceback."""
    flags = map(str, (*small, '--num-epochs', 1, '--out', tmp_path / 'run'))
    command = shlex.join([sys.executable, 'scripts/train.py', *flags])
    ended = subprocess.run(['sh', '-c', f'{command} <&- >&- 2>&-'], cwd=ROOT, capture_output=True, timeout=300)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b'', b'')
    assert len(read_metrics(tmp_path / 'run')) == 1
    ended = subprocess.run(['sh', '-c', f'{command} >&-'], cwd=ROOT, capture_output=True, timeout=300,
                           env={**os.environ, 'PYTHONOPTIMIZE': '2'})
    assert ended.returncode == 2 and ended.stderr.startswith(b'train.py: MXNet') and ended.stderr.count(b'\n') == 1


def test_a_python_without_docstrings_is_refused_in_one_line(tmp_path):
    process = start('scripts/train.py', '--out', tmp_path / 'run', PYTHONOPTIMIZE='2')
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == ('train.py: MXNet 1.9.1 reads its own docstrings, which python -OO and PYTHONOPTIMIZE=2 leave out: '
                   'run without them\n')
