"""Cells in a real kernel."""
from __future__ import annotations

import asyncio

import pytest


def kernel(*cells, interrupt=None, tmp_path):
    """Run cells in one kernel. interrupt: the number of the cell that is interrupted once it shows a picture."""
    nbclient, nbformat = (pytest.importorskip(name) for name in ('nbclient', 'nbformat'))     # they take 3 s to load
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(notebook, timeout=300, allow_errors=True, resources={'metadata': {'path': str(tmp_path)}})

    async def run():
        async with client.async_setup_kernel():
            for number, cell in enumerate(notebook.cells):
                running = asyncio.ensure_future(client.async_execute_cell(cell, number))
                while number == interrupt and not pictures(cell):
                    await asyncio.sleep(0.1)
                    assert not running.done(), cell.outputs
                if number == interrupt:
                    await asyncio.sleep(1)
                    await client.km.interrupt_kernel()
                await running
    asyncio.run(run())
    return notebook.cells


def pictures(cell):
    return [output for output in cell.outputs if 'image/png' in output.get('data', {})]


def stream(cell, name):
    return ''.join(output.text for output in cell.outputs if output.output_type == 'stream' and output.name == name)
