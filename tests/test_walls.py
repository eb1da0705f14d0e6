"""The walls of the house, read from the imports: who may know of whom."""
import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'gluon_rnn'
MODULES = sorted(PACKAGE.rglob('*.py'))
PARITY = PACKAGE / 'torch_parity'


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding='utf-8'))


@functools.cache
def imports(path: Path) -> frozenset:
    """Every module that a file imports, absolute; `from a import b` counts as a and as a.b."""
    package = path.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else ()
            module = '.'.join([*base, *([node.module] if node.module else [])])
            found |= {module} | {f'{module}.{alias.name}' for alias in node.names}
    return frozenset(found)


def reaches(path: Path, *targets: str) -> set:
    """Those of a file's imports that are one of the targets or inside one."""
    return {module for module in imports(path) for target in targets if module == target or module.startswith(target + '.')}


def files(room: str) -> list:
    """The files of a room, which has some."""
    found = sorted((PACKAGE / room).rglob('*.py'))
    assert found
    return found


def breaches(paths: list, broken) -> dict:
    """The files that a wall stops, each with what it does there."""
    return {name(path): found for path in paths if (found := broken(path))}


def test_reads_every_kind_of_import(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), 'ROOT', tmp_path)
    file = tmp_path / 'gluon_rnn' / 'cells' / 'x.py'
    file.parent.mkdir(parents=True)
    file.write_text('import a.b as c\nfrom ..corpus import encode\nfrom .. import training\nfrom . import ops\n'
                    'def f():\n    from torch import nn\n')
    assert imports(file) == {'a.b', 'gluon_rnn.corpus', 'gluon_rnn.corpus.encode', 'gluon_rnn', 'gluon_rnn.training',
                             'gluon_rnn.cells', 'gluon_rnn.cells.ops', 'torch', 'torch.nn'}


def test_library_imports_no_script():
    assert breaches(MODULES, lambda path: reaches(path, 'scripts')) == {}


def test_torch_stays_in_its_room():
    others = [path for path in MODULES if PARITY not in path.parents]
    assert breaches(others, lambda path: reaches(path, 'torch', 'gluon_rnn.torch_parity')) == {}


@pytest.mark.parametrize('library, room', [('onnx', 'exchange/to_onnx.py'), ('onnxruntime', 'exchange/onnx_model.py')])
def test_onnx_stays_in_its_rooms(library, room):
    assert [path for path in MODULES if reaches(path, library)] == [PACKAGE / room]


def test_text_is_written_without_mxnet():
    """What an exported model needs to be read and run."""
    rooms = ('gluon_rnn.runtime', 'gluon_rnn.corpora', 'gluon_rnn.models.generation')
    for file in ('models/generation.py', 'models/scoring.py', 'exchange/onnx_model.py', 'corpora/corpus.py', 'corpora/tokens.py',
                 'corpora/reading.py', 'corpora/indices.py', 'version.py'):
        assert not reaches(PACKAGE / file, 'mxnet')
        assert reaches(PACKAGE / file, 'gluon_rnn') <= {'gluon_rnn', *reaches(PACKAGE / file, *rooms)}


def test_only_runtime_touches_the_environment():
    def touched(path):
        attributes = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        return (attributes & {'environ', 'environb', 'getenv', 'putenv', 'unsetenv'}
                | reaches(path, 'os.environ', 'os.getenv', 'os.putenv'))
    room = PACKAGE / 'runtime' / 'environment.py'
    assert 'environ' in touched(room)
    assert breaches([path for path in MODULES if path != room], touched) == {}


def others(path: Path, *rooms: str) -> set:
    """What a file imports of this package but from these rooms."""
    return reaches(path, 'gluon_rnn') - {'gluon_rnn'} - reaches(path, *(f'gluon_rnn.{room}' for room in rooms))


# Each room imports only from those before it; plots.py and tables.py are rooms of one file.
ROOMS = ('runtime', 'tables', 'corpora', 'kernels', 'cells', 'plots', 'training', 'models', 'runs', 'exchange', 'benchmark',
         'torch_parity', 'book')
FOR_ALL = tuple(f'gluon_rnn.runs.{name}' for name in ('files', 'arrays', 'checksum'))    # they know no room
SHOWS = {'gluon_rnn/runtime/diagnosis.py': ('gluon_rnn.corpora',)}      # the diagnosis lists the corpora


def test_imports_go_one_way():
    def against(path):
        room = path.relative_to(PACKAGE).parts[0].removesuffix('.py')
        later = [f'gluon_rnn.{other}' for other in ROOMS[ROOMS.index(room) + 1:]] if room in ROOMS else []
        return reaches(path, *later) - reaches(path, *FOR_ALL, *SHOWS.get(name(path), ())) - {'gluon_rnn.runs'}
    assert breaches(MODULES, against) == {}
    assert {path.relative_to(PACKAGE).parts[0] for path in MODULES if path.parent != PACKAGE} <= set(ROOMS)
    assert all(others(PACKAGE / 'runs' / f'{file.rpartition(".")[2]}.py', 'runs') == set() for file in FOR_ALL)


def test_cells_know_nothing_but_the_machine():
    assert breaches(files('cells'), lambda path: others(path, 'cells', 'runtime')) == {}


def test_trainer_knows_no_network():
    rooms = [f'gluon_rnn.{room}' for room in ('cells', 'kernels', 'models', 'runs', 'book')]
    assert breaches(files('training'), lambda path: reaches(path, *rooms)) == {}


def test_trainer_prints_nothing():
    def printed(path):
        calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        return [call.lineno for call in calls if getattr(call.func, 'id', '') == 'print']
    assert breaches(files('training'), printed) == {}


def test_kernels_are_numpy_and_numba():
    known = {'__future__', 'concurrent', 'contextlib', 'dataclasses', 'functools', 'math', 'mmap', 'threading', 'types', 'typing',
             'llvmlite', 'numba', 'numpy', 'scipy', 'gluon_rnn'}
    assert breaches(files('kernels'), lambda path: {module.partition('.')[0] for module in imports(path)} - known) == {}
    assert breaches(files('kernels'), lambda path: others(path, 'kernels')) == {}


def test_bptt_is_numpy_alone():
    known = {'__future__', 'numpy', 'typing', 'dataclasses', 'math'}
    assert {module.partition('.')[0] for module in imports(PACKAGE / 'bptt.py')} <= known


def test_no_circle():
    """No module reaches itself by imports, those inside functions included."""
    paths = {'.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__'): path for path in MODULES}
    arrows = {module: imports(path) & set(paths) - {module, 'gluon_rnn'} for module, path in paths.items()}
    del arrows['gluon_rnn']                         # imports the names that it gives away, on demand
    arrows = {module: {target for target in targets if not module.startswith(target + '.')} for module, targets in arrows.items()}
    ended: set = set()

    def walk(module, behind):
        assert module not in behind, ' → '.join([*behind[behind.index(module):], module])
        if module not in ended:
            for target in sorted(arrows.get(module, ())):
                walk(target, [*behind, module])
            ended.add(module)

    for module in arrows:
        walk(module, [])


# Files whose names are those of what they mirror, the book's equations in NumPy, Numba and PyTorch and d2lzh's functions; and
# those that are each a program of its own.
MIRRORS = ('bptt.py', 'd2lzh.py', 'kernels/', 'torch_parity/modules.py', 'torch_parity/torch_trainer.py')
PROGRAMS = ('benchmark/workers/', 'book/exercises/', 'torch_parity/worker.py')


def test_one_name_is_one_thing():
    """No two public classes or functions of one name: a search for it ends at one definition."""
    found: dict = {}
    for path in MODULES:
        inside = str(path.relative_to(PACKAGE))
        if not inside.startswith((*MIRRORS, *PROGRAMS)):
            for node in tree(path).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith('_'):
                    found.setdefault(node.name, []).append(inside)
    assert found['LanguageModel'] == ['models/language_model.py']
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


# Tests of several files at once, and what they share.
SHARED = {'cells/test_dropout.py', 'runtime/test_threads.py'}
# Of these the test lies elsewhere: where it is the command that shows what they do, or one test holds them all.
ELSEWHERE = {
    'benchmark/workers/*': 'benchmark/test_workers.py',                 # programs, most of them for another environment
    'corpora/download.py': 'faults/test_download.py',
    'corpora/indices.py': 'faults/test_indices.py',
    'corpora/device_indices.py': 'faults/test_indices.py',
    'runs/digits.py': 'scripts/test_classify_digits.py',
    'runs/fill_in.py': 'scripts/test_fill_in.py',
    'runtime/__main__.py': 'runtime/test_hook.py',
}
NOTHING = {'version.py'}        # a number


def test_tests_mirror_the_library():
    """A test lies where what it tests lies, under its name: tests/cells/test_gru.py is of gluon_rnn/cells/gru.py."""
    rooms = {path.parent.relative_to(PACKAGE) for path in MODULES} - {Path('.')}
    tests = {path.relative_to(ROOT / 'tests') for room in rooms for path in (ROOT / 'tests' / room).glob('test_*.py')}
    names = {test: PACKAGE / test.parent / test.stem[len('test_'):] for test in tests if str(test) not in SHARED}
    assert names and [str(test) for test, file in names.items() if not (file.is_dir() or file.with_suffix('.py').is_file())] == []


def test_every_file_of_the_library_has_its_test():
    places = [(file.relative_to(PACKAGE), next((test for part, test in ELSEWHERE.items() if file.match(part)), None))
              for file in MODULES if file.name != '__init__.py']
    missing = [str(file) for file, test in places if str(file) not in NOTHING
               and not (ROOT / 'tests' / (test or file.with_name(f'test_{file.name}'))).is_file()]
    assert places and missing == []
    unused = [part for part in ELSEWHERE if not any(file.match(part) for file, _ in places)]
    assert unused == [] and {str(file) for file, _ in places} >= NOTHING


# Tests longer than 250 lines from before there was a limit; no other file is.
LONGER = {
    'tests/cells/test_hybrid.py': 321,
    'tests/faults/test_damage.py': 266,
    'tests/scripts/test_launch.py': 296,
    'tests/scripts/test_train.py': 322,
    'tests/test_bptt.py': 356,
    'tests/test_d2lzh.py': 340,
    'tests/training/test_trainer.py': 263,
}


def test_files_are_short():
    paths = [path for part in ('gluon_rnn', 'scripts', 'tests') for path in sorted((ROOT / part).rglob('*.py'))]
    lines = {name(path): len(path.read_text(encoding='utf-8').splitlines()) for path in paths}
    assert {file: number for file, number in lines.items() if number > LONGER.get(file, 250)} == {} != lines
