"""`from mxnet import nd` and `import d2lzh as d2l` first and alone; what the book's cells call, each section in a new process."""
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gluon_rnn.runtime import hook

START = 'import site, sys; site.addsitedir({folder!r})\n'
CALLS = Path(__file__).parent / 'book_calls'      # what the cells of a section call, in words of our own


@pytest.fixture
def installed(tmp_path):
    """A folder of packages with the hook in it, and a text of a reader's own where the book's code looks for one."""
    folder, data = tmp_path / 'packages', tmp_path / 'data'
    for made in (folder, data, tmp_path / 'book'):
        made.mkdir()
    with zipfile.ZipFile(data / 'jaychou_lyrics.txt.zip', 'w') as zipped:
        zipped.writestr('jaychou_lyrics.txt', '想要有直升机\n不分开想要和你飞到宇宙去' * 20)
    hook.install(folder)
    return folder


def code_there(folder, code):
    return START.format(folder=str(folder)) + f'import os; os.chdir({str(folder.parent / "book")!r}); sys.path[:1] = []\n' + code


@pytest.mark.slow
@pytest.mark.parametrize('path', sorted(CALLS.glob('*.py')), ids=lambda path: path.stem)
def test_calls_of_the_book(installed, python, path):
    """The section's calls, MXNet or d2lzh imported first, on a text that the reader has where the book looks for it.

    d2lzh numbers the characters in the order of a set: one hash seed, one training.
    """
    ended = python('-c', code_there(installed, path.read_text(encoding='utf-8')), HOME=str(installed), PYTHONHASHSEED='0',
                   MXNET_HOME=str(installed / 'mxnet'), OMP_NUM_THREADS='1', MPLBACKEND='agg')
    assert ended.returncode == 0, ended.stderr


@pytest.mark.skipif(tuple(map(int, np.__version__.split('.')[:2])) < (1, 24), reason='this NumPy has all names yet')
def test_without_the_hook_it_fails(python):
    """That the calls above run is the hook's doing."""
    ended = python('-c', 'import sys\nsys.path[:1] = []\n'
                   'sys.meta_path = [finder for finder in sys.meta_path if type(finder).__name__ != "Finder"]\nimport mxnet')
    assert "module 'numpy' has no attribute 'bool'" in ended.stderr


def test_nothing_is_imported_before(installed, python):
    code = "print(sorted({'numpy', 'mxnet', 'gluon_rnn', 'IPython'} & sys.modules.keys()), sys.meta_path[0].__class__.__name__)"
    assert python('-c', code_there(installed, code)).stdout == '[] Finder\n'


@pytest.mark.slow
def test_a_project_that_is_gone(installed, python):
    module = installed / hook.NAMES[1]
    module.write_text(module.read_text(encoding='utf-8').replace(f'PROJECT = {str(hook.Path(hook.__file__).parents[2])!r}',
                                                                 "PROJECT = '/no/such/folder'"), encoding='utf-8')
    ended = python('-c', code_there(installed, "import json; print('gluon_rnn' in sys.modules)\ntry:\n import mxnet\n"
                                               "except Exception as e: print(type(e).__name__)"))
    assert ended.stdout.splitlines()[0] == 'False' and '/no/such' not in ended.stderr
    module.unlink()
    ended = python('-c', code_there(installed, 'print(1)'))
    assert (ended.stdout, ended.stderr) == ('1\n', '')


def test_uninstall(installed):
    assert [path.name for path in hook.uninstall(installed)] == list(hook.NAMES)
    assert list(installed.iterdir()) == [] and hook.uninstall(installed) == []
