"""Every notebook runs from top to bottom in its quick form, and what is committed is made from its source."""
from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'notebooks'
NAMES = sorted(path.stem for path in FOLDER.glob('[!_]*.py'))
WANTED = {*(f'6.{k}' for k in range(1, 11)), 'second-edition-gru', 'with-pytorch', 'your-own-text'}


@pytest.fixture(scope='module')
def nbformat():
    return pytest.importorskip('nbformat')


@pytest.fixture(scope='module')
def make(nbformat):
    """notebooks/_make.py, where its libraries are here; they take 3 s to load."""
    for name in ('jupytext', 'nbclient'):
        pytest.importorskip(name)
    spec = importlib.util.spec_from_file_location('make_notebooks', FOLDER / '_make.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_one_for_each_section(make):
    assert [path.stem for path in make.sources()] == NAMES
    assert {name if name[0].isalpha() else name.partition('-')[0] for name in NAMES} == WANTED


@pytest.mark.parametrize('name', NAMES)
def test_committed_as_its_source_says(make, nbformat, name):
    committed = nbformat.read(FOLDER / f'{name}.ipynb', as_version=4)
    source = make.read(FOLDER / f'{name}.py')
    assert [(cell.cell_type, cell.source) for cell in committed.cells] == [(cell.cell_type, cell.source) for cell in source.cells]
    assert (FOLDER / f'{name}.ipynb').stat().st_size < 1_000_000
    code = [cell for cell in committed.cells if cell.cell_type == 'code']
    assert all(cell.execution_count for cell in code)
    assert sum(bool(cell.outputs) for cell in code) > len(code) / 2
    assert not [out for cell in code for out in cell.outputs if out.output_type == 'error']
    assert not any(str(ROOT) in str(cell.outputs) for cell in code)


@pytest.mark.slow
@pytest.mark.parametrize('name', NAMES)
def test_runs(make, name, monkeypatch):
    monkeypatch.setenv('GLUON_RNN_QUICK', '1')
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    make.execute(make.read(FOLDER / f'{name}.py'))


def test_a_cell_that_fails_is_seen(make, nbformat):
    nbclient = pytest.importorskip('nbclient')
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('1 / 0')])
    with pytest.raises(nbclient.exceptions.CellExecutionError, match='ZeroDivisionError'):
        make.execute(notebook)

