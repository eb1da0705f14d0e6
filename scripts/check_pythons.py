"""Run a short set of tests on every CPython 3.9 to 3.12 of this machine, each in an environment of its own.

    make test-pythons       # some minutes for each Python, later about one; all passed, or refused as they must be

Interpreters are looked for on PATH as python3.9 to python3.12, and where pyenv and uv put theirs; of several with one version
the newest counts. An environment .venv-py39, .venv-py310, ... is made once, and again when the requirements change. What MXNet
cannot run on must be refused with the reason, at install and at import: a newer Python, where one is found, and NumPy 2, which is
put beside the newest environment. Needs nothing but a Python.
"""
from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

import _cli

ROOT = Path(__file__).resolve().parent.parent
WANTED = ('3.9', '3.10', '3.11', '3.12')
REFUSED = ('3.13', '3.14')
TESTS = ('tests/test_walls.py', 'tests/runtime', 'tests/corpora/test_sampling.py', 'tests/corpora/test_corpus.py',
         'tests/training/test_trainer.py', 'tests/models/test_generation.py', 'tests/cells/test_gluon_layer.py',
         'tests/cells/test_gru.py',
         'tests/scripts/test_train.py::test_generate', 'tests/scripts/test_train.py::test_a_run_in_two_parts_ends_as_one_in_one')
# The kernels, with the newest Numba that pip finds for a Python, and with the first that has wheels for it and works with the
# NumPy that today's Matplotlib and SciPy ask for
KERNELS = ('tests/kernels', 'tests/models/test_whole_step.py')
OLDEST_NUMBA = {'3.9': '0.56.4', '3.10': '0.56.4', '3.11': '0.58.1', '3.12': '0.59.0'}
SECONDS = 300       # that a command which is to be refused may take; where it is not, pip would build NumPy from source
PIP = ('-m', 'pip', '--disable-pip-version-check', 'install', '--quiet')
IMPORT = ('-c', 'import gluon_rnn')
NAME = ('-c', 'import gluon_rnn; gluon_rnn.train')
TRAIN = ('scripts/train.py', '--help')
DIAGNOSIS = ('-m', 'gluon_rnn.runtime')
PYTHON_REASON = 'MXNet 1.9.1 runs here on Python 3.9 to 3.12, this is '
NUMPY_REASON = 'MXNet 1.9.1 needs NumPy below 2, found '


@dataclass(frozen=True)
class Interpreter:
    version: str        # as 3.9.18
    path: str

    @property
    def short(self) -> str:
        return '.'.join(self.version.split('.')[:2])


@dataclass(frozen=True)
class Row:
    """A line of the table at the end."""
    what: str
    result: str
    failed: bool = False


@dataclass(frozen=True)
class Refusal:
    """A command that must end with an error that says this. lines: how many it may print on standard error; 0: any number."""
    what: str
    command: Tuple[str, ...]
    said: str
    lines: int = 0


def main() -> int:
    parser = _cli.ArgumentParser(description=__doc__)
    parser.add_argument('--only', nargs='+', choices=WANTED + REFUSED, metavar='3.x', help='these versions alone')
    args = parser.parse_args()
    rows: List[Row] = []
    tested: List[Interpreter] = []
    for version in WANTED + REFUSED:
        if args.only and version not in args.only:
            continue
        found = find(version)
        if found is None:
            rows.append(Row(f'Python {version}', 'not found'))
            continue
        print(f'--- Python {found.version}, {found.path}', flush=True)
        try:
            if version in WANTED:
                rows += [test(found), oldest_numba(found)]
                tested.append(found)
            else:
                rows.append(refused(f'Python {found.version}', *newer_python(found)))
        except subprocess.CalledProcessError as error:
            rows.append(Row(f'Python {found.version}', f'failed: no environment (status {error.returncode})', failed=True))
    if tested:
        try:
            rows.append(refused(f'NumPy 2 on {tested[-1].short}', *newer_numpy(tested[-1])))
        except subprocess.CalledProcessError as error:
            rows.append(Row('NumPy 2', f'failed: could not be installed (status {error.returncode})', failed=True))
    print(*(f'{row.what:17} {row.result}' for row in rows), sep='\n')
    if not tested and not (args.only and set(args.only) <= set(REFUSED)):
        print('none of Python 3.9 to 3.12 could be tested: install one')
        return 1
    return int(any(row.failed for row in rows))


def find(version: str) -> Interpreter | None:
    """The newest CPython of this version, '3.9', on the machine."""
    found = []
    for path in candidates(version):
        code = 'import platform as p; print(p.python_implementation(), p.python_version())'
        try:        # a file of that name may be pyenv's, and start nothing
            said = subprocess.run([path, '-c', code], capture_output=True, text=True, timeout=60).stdout.split()
        except (OSError, subprocess.TimeoutExpired):
            continue
        if len(said) == 2 and said[0] == 'CPython' and said[1].startswith(f'{version}.'):
            found.append((tuple(map(int, re.findall(r'\d+', said[1])[:3])), Interpreter(said[1], path)))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def candidates(version: str) -> Iterator[str]:
    """Files that may be that Python."""
    for folder in os.get_exec_path():
        path = shutil.which(f'python{version}', path=folder)
        if path:
            yield path
    home = Path(os.path.expanduser('~'))        # as it stands where the user has none
    for root in (Path(os.environ.get('PYENV_ROOT', home / '.pyenv')) / 'versions', home / '.local' / 'share' / 'uv' / 'python'):
        yield from map(str, sorted(root.glob(f'*/bin/python{version}')))


def test(interpreter: Interpreter) -> Row:
    """Make the environment, unless it is there, and run the tests in it."""
    python, made = environment(interpreter, *packages())
    return run_tests(f'Python {interpreter.version}', python, (*TESTS, *KERNELS), made)


def oldest_numba(interpreter: Interpreter) -> Row:
    """The same environment with the oldest Numba before its own, and the tests of the kernels alone."""
    python, _ = environment(interpreter, *packages())
    wanted = OLDEST_NUMBA[interpreter.short]
    folder = Path(python).parents[1] / f'numba-{wanted}'
    if not (folder / 'numba').is_dir():
        subprocess.run([python, *PIP, '--target', str(folder), f'numba=={wanted}', 'numpy<2'], check=True)
    return run_tests(f'{interpreter.short}, Numba {wanted}', python, KERNELS, 'the oldest', PYTHONPATH=str(folder))


def run_tests(what: str, python: str, tests: Sequence[str], remark: str, **variables: str) -> Row:
    done = subprocess.run([python, '-m', 'pytest', '-m', 'not slow', *tests], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          env={**os.environ, 'OMP_NUM_THREADS': os.environ.get('OMP_NUM_THREADS', '1'), **variables})
    print(done.stdout, flush=True)
    ends = [line for line in done.stdout.splitlines() if re.search(r'\d+ (passed|failed|errors?)\b', line)]
    said = ends[-1] if ends else f'failed: pytest ended with status {done.returncode}'
    return Row(what, f'{said}, {remark}', failed=done.returncode != 0)


def packages() -> List[str]:
    """The packages of the tests: requirements.txt, hypothesis, and of the hundred packages that d2lzh brings IPython alone."""
    lines = (ROOT / 'requirements.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith(('#', 'd2lzh'))] + ['hypothesis', 'ipython']


def environment(interpreter: Interpreter, *wanted: str) -> Tuple[str, str]:
    """The Python of the version's environment with these packages, and whether it was made now."""
    folder = ROOT / f'.venv-py{interpreter.short.replace(".", "")}'
    python = str(folder / 'bin' / 'python')
    stamp, digest = folder / '.installed', hashlib.sha256(f'{interpreter} {wanted}'.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return python, 'in the environment of before'
    subprocess.run([interpreter.path, '-m', 'venv', '--clear', str(folder)], check=True)
    subprocess.run([python, *PIP, *wanted], cwd=ROOT, check=True)
    if 'ipython' in wanted:
        subprocess.run([python, *PIP, '--no-deps', 'd2lzh==1.0.0'], check=True)
    stamp.write_text(digest)
    return python, 'in a new environment'


def newer_python(interpreter: Interpreter) -> Tuple[str, str, List[Refusal]]:
    """Checks of what is refused on a Python that MXNet cannot run on, in an environment with a NumPy of such Pythons."""
    python, _ = environment(interpreter, 'numpy')
    reason = PYTHON_REASON + interpreter.short
    none, only = 'No matching distribution found for', '==1.9.1+runs.on.Python.3.9.to.3.12.only'
    return python, '', [
        Refusal('install', (*PIP, '.'), f"requires a different Python: {interpreter.version} not in '<3.13,>=3.9'"),
        Refusal('requirements', (*PIP, '-r', 'requirements.txt'), f'{none} mxnet{only}'),
        Refusal('requirements-gpu', (*PIP, '-r', 'requirements-gpu.txt'), f'{none} mxnet-cu112{only}'),
        Refusal('import without NumPy', ('-S', *IMPORT), reason),
        Refusal('first name', NAME, reason),
        Refusal('script', TRAIN, f'train.py: {reason}', lines=1),
        Refusal('diagnosis', DIAGNOSIS, reason)]


def newer_numpy(interpreter: Interpreter) -> Tuple[str, str, List[Refusal]]:
    """Checks of what is refused with NumPy 2 beside an MXNet: the environment of the tests with NumPy 2 before it."""
    python, _ = environment(interpreter, *packages())
    folder = Path(python).parents[1] / 'numpy2'
    if not (folder / 'numpy').is_dir():
        subprocess.run([python, *PIP, '--no-deps', '--target', str(folder), 'numpy>=2'], check=True)
    return python, str(folder), [
        Refusal('install', (*PIP, '--dry-run', '.', 'numpy>=2'), 'ResolutionImpossible'),
        Refusal('requirements', (*PIP, '--dry-run', '-r', 'requirements.txt', 'numpy>=2'), 'ResolutionImpossible'),
        Refusal('first name', NAME, NUMPY_REASON),
        Refusal('script', TRAIN, f'train.py: {NUMPY_REASON}', lines=1),
        Refusal('diagnosis', DIAGNOSIS, NUMPY_REASON)]


def refused(what: str, python: str, before: str, refusals: Sequence[Refusal]) -> Row:
    """Run these commands; each must fail, and say why. before: a folder for PYTHONPATH."""
    variables: Dict[str, str] = {**os.environ, **({'PYTHONPATH': before} if before else {})}
    wrong: List[str] = []
    for refusal in refusals:
        begun = time.monotonic()
        try:
            done = subprocess.run([python, *refusal.command], cwd=ROOT, env=variables, capture_output=True, text=True,
                                  timeout=SECONDS)
            status, lines = done.returncode, (done.stderr.strip() or done.stdout.strip()).splitlines() or ['nothing']
        except subprocess.TimeoutExpired:
            status, lines = 0, [f'still at work after {SECONDS} seconds']
        line = next((line for line in reversed(lines) if refusal.said in line), '')
        held = status != 0 and line and len(lines) == (refusal.lines or len(lines))
        if not held:
            wrong.append(refusal.what)
        print(f'{what}, {refusal.what}, {"status" if held else "NOT REFUSED AS IT SHOULD BE, status"} {status} after '
              f'{time.monotonic() - begun:.1f} s: {line or lines[-1]}', flush=True)
    if wrong:
        return Row(what, f'failed: not refused as it should be: {", ".join(wrong)}', failed=True)
    return Row(what, f'refused with the reason, as it must be: {", ".join(refusal.what for refusal in refusals)}')


if __name__ == '__main__':
    _cli.run(main)
