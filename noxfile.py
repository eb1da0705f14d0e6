"""A short set of tests on every CPython 3.9 to 3.12 of this machine, each in an environment of its own.

    make test-pythons               # some minutes for each Python, later about one; all passed, or refused as they must be
    .venv/bin/nox -p 3.11 3.13      # those alone, once make has put nox there; .venv/bin/nox -l lists the sessions

A Python that is not there is skipped, and nox says so. What MXNet cannot run on must be refused with the reason, at install and
at import: a newer Python, where one is found, and NumPy 2.
"""
import os
from pathlib import Path

import nox

# The first Numba that has wheels for a Python and works with the NumPy that today's Matplotlib and SciPy ask for
OLDEST_NUMBA = {'3.9': '0.56.4', '3.10': '0.56.4', '3.11': '0.58.1', '3.12': '0.59.0'}
KERNELS = ('tests/kernels', 'tests/models/test_whole_step.py')
TESTS = ('tests/test_walls.py', 'tests/runtime', 'tests/corpora/test_sampling.py', 'tests/corpora/test_corpus.py',
         'tests/training/test_trainer.py', 'tests/models/test_generation.py', 'tests/cells/test_gluon_layer.py',
         'tests/cells/test_gru.py',
         'tests/scripts/test_train.py::test_generate', 'tests/scripts/test_train.py::test_a_run_in_two_parts_ends_as_one_in_one')

nox.options.default_venv_backend = 'venv'
nox.options.reuse_venv = 'yes'
nox.options.download_python = 'never'
os.environ.setdefault('OMP_NUM_THREADS', '1')
# The Pythons of pyenv and uv, before pyenv's shims of the same names
HOME = Path(os.path.expanduser('~'))        # as it stands where the user has none
for root in (Path(os.environ.get('PYENV_ROOT', HOME / '.pyenv')) / 'versions', HOME / '.local' / 'share' / 'uv' / 'python'):
    os.environ['PATH'] = os.pathsep.join([*map(str, sorted(root.glob('*/bin'))), os.environ['PATH']])


@nox.session(python=list(OLDEST_NUMBA))
def tests(session):
    """Run the tests, with the newest Numba that pip finds."""
    install(session)
    session.run('pytest', '-m', 'not slow', *TESTS, *KERNELS)


@nox.session(python=list(OLDEST_NUMBA))
def oldest_numba(session):
    """Run the tests of the kernels with the oldest Numba."""
    install(session, f'numba=={OLDEST_NUMBA[session.python]}')
    session.run('pytest', '-m', 'not slow', *KERNELS)


@nox.session(python=['3.13', '3.14'])
def newer_python(session):
    """Must be refused at install and at import, with a NumPy of such Pythons."""
    session.install('numpy')
    reason = f'MXNet 1.9.1 runs here on Python 3.9 to 3.12, this is {session.python}'
    refused(session, "not in '<3.13,>=3.9'", '-m', 'pip', 'install', '.')
    for file, package in (('requirements.txt', 'mxnet'), ('requirements-gpu.txt', 'mxnet-cu112')):
        refused(session, f'No matching distribution found for {package}==1.9.1+runs.on.Python.3.9.to.3.12.only',
                '-m', 'pip', 'install', '-r', file)
    refused(session, reason, '-S', '-c', 'import gluon_rnn')      # without NumPy
    refused_at_import(session, reason)


@nox.session
def newer_numpy(session):
    """Must be refused at install and at import, with NumPy 2 where all else is as it should be."""
    install(session)
    session.install('--no-deps', 'numpy>=2')
    refused(session, 'ResolutionImpossible', '-m', 'pip', 'install', '--dry-run', '.', 'numpy>=2')
    refused(session, 'ResolutionImpossible', '-m', 'pip', 'install', '--dry-run', '-r', 'requirements.txt', 'numpy>=2')
    refused_at_import(session, 'MXNet 1.9.1 needs NumPy below 2, found ')


def install(session, *wanted):
    """Install the project's dependencies, the tests', and d2lzh with IPython alone of the hundred packages that it brings."""
    dependencies = nox.project.load_toml('pyproject.toml')['project']['dependencies']
    session.install(*dependencies, 'pytest', 'hypothesis', 'ipython', *wanted)
    session.install('--no-deps', 'd2lzh==1.0.0')


def refused(session, reason, *arguments):
    """Run a Python that must fail and say the reason; returns all that it printed."""
    said = session.run('python', *arguments, success_codes=range(1, 128), silent=True)
    if reason not in said:
        session.error(f'refused, but not with {reason!r}: {said}')
    session.log(next(line for line in said.splitlines() if reason in line))
    return said


def refused_at_import(session, reason):
    """The first name that needs MXNet, the diagnosis and a script must be refused, the script in one line."""
    refused(session, reason, '-c', 'import gluon_rnn; gluon_rnn.train')
    refused(session, reason, '-m', 'gluon_rnn.runtime')
    said = refused(session, f'train.py: {reason}', 'scripts/train.py', '--help')
    if len(said.splitlines()) != 1:
        session.error(f'a script must refuse in one line, got {said}')
