"""The notebooks from their sources: `python notebooks/_make.py [NAME ...]` writes each .ipynb anew, executed, outputs and all.

A source is a .py in jupytext's percent format, and that is what is read in review. GLUON_RNN_QUICK=1 shortens all trainings.
"""
from __future__ import annotations

import sys
import time
from pathlib import Path

import jupytext
import nbclient
import nbformat

FOLDER = Path(__file__).resolve().parent
TIMEOUT = 600
WIDGET = 'application/vnd.jupyter.widget-view+json'
FIRST = (FOLDER / '_first_cell.py').read_text(encoding='utf-8').strip()


def sources() -> list[Path]:
    return sorted(path for path in FOLDER.glob('*.py') if not path.name.startswith('_'))


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook of a source, without outputs; the first cell for Colab and Kaggle is the same in all."""
    notebook = jupytext.reads(path.read_text(encoding='utf-8'), fmt='py:percent')
    notebook.cells.insert(1, nbformat.v4.new_code_cell(FIRST))
    notebook.metadata = {'kernelspec': {'name': 'python3', 'display_name': 'Python 3', 'language': 'python'},
                         'language_info': {'name': 'python'}}
    for k, cell in enumerate(notebook.cells):
        cell.id = f'{path.stem[:40]}-{k}'.replace('.', '-')
    return notebook


def execute(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run all cells, in this folder. Bars, which are gone at the end, leave nothing.

    Raises nbclient's CellExecutionError where a cell fails.
    """
    nbclient.NotebookClient(notebook, timeout=TIMEOUT, kernel_name='python3', record_timing=False, store_widget_state=False,
                            resources={'metadata': {'path': str(FOLDER)}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == 'code':
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get('data', {})]
    return notebook


def main() -> None:
    wanted = sys.argv[1:] or [path.stem for path in sources()]
    for name in wanted:
        start = time.perf_counter()
        notebook = execute(read(FOLDER / f'{name}.py'))
        text = nbformat.writes(notebook) + '\n'
        (FOLDER / f'{name}.ipynb').write_text(text, encoding='utf-8')
        print(f'{name}: {time.perf_counter() - start:.0f} s, {len(text) // 1000} kB', flush=True)


if __name__ == '__main__':
    main()
