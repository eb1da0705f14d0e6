"""`from mxnet import nd` first and alone: a hook in this environment that prepares the machine when MXNet is imported.

`python -m gluon_rnn.runtime install` leaves two small files among the environment's packages, `uninstall` takes them away. Python
reads the first at its start; nothing is imported until a program asks for mxnet or d2lzh. Where this project has been moved or
deleted since, the hook does nothing and says nothing.
"""
from __future__ import annotations

import contextlib
import importlib
import sysconfig
from pathlib import Path
from typing import List

NAMES = ('gluon_rnn_hook.pth', '_gluon_rnn_hook.py')
_LINE = r'import sys; exec("try:\n import _gluon_rnn_hook\nexcept Exception:\n pass")' + '\n'
_MODULE = '''"""Prepares the machine for MXNet. Written by `python -m gluon_rnn.runtime install`, removed by `uninstall`."""
import os
import sys

PROJECT = {project!r}


class Finder:
    """Finds nothing itself: before mxnet or d2lzh is looked for, gluon_rnn makes ready what they need."""

    def find_spec(self, name, path=None, target=None):
        if name == 'mxnet' and 'gluon_rnn' not in sys.modules and os.path.isdir(os.path.join(PROJECT, 'gluon_rnn')):
            self.prepare()
        if name == 'd2lzh' and os.path.isdir(os.path.join(PROJECT, 'gluon_rnn')):
            self.prepare().hook.restore_ipython_names()

    def prepare(self):
        sys.path.append(PROJECT)
        try:
            import gluon_rnn.runtime.hook
            return gluon_rnn.runtime
        finally:
            sys.path.remove(PROJECT)


sys.meta_path.insert(0, Finder())
'''


def install(folder: Path | None = None) -> List[Path]:
    """Write the hook among the packages of this environment, or into `folder`. Returns its files."""
    folder = folder or _packages()
    contents = (_LINE, _MODULE.format(project=str(Path(__file__).resolve().parents[2])))
    for name, text in reversed(list(zip(NAMES, contents))):     # the module first: the line alone would find none
        (folder / name).write_text(text, encoding='utf-8')
    return [folder / name for name in NAMES]


def uninstall(folder: Path | None = None) -> List[Path]:
    """Remove the hook. Returns the files that were there."""
    removed = [path for path in ((folder or _packages()) / name for name in NAMES) if path.exists()]
    for path in removed:
        path.unlink()
    return removed


def _packages() -> Path:
    return Path(sysconfig.get_path('purelib'))


def restore_ipython_names() -> None:
    """Give IPython.display `set_matplotlib_formats` back, which IPython 9 has dropped and d2lzh's plots use."""
    with contextlib.suppress(ImportError):
        display = importlib.import_module('IPython.display')
        if not hasattr(display, 'set_matplotlib_formats'):
            inline = importlib.import_module('matplotlib_inline.backend_inline')
            display.set_matplotlib_formats = inline.set_matplotlib_formats      # type: ignore[attr-defined]
