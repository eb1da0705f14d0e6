"""The learning curve while it is learned, in a notebook: the book's Animator, one picture that is replaced."""
from __future__ import annotations

import sys
import time
from typing import Any, List

_PAUSE = 0.5        # seconds between two pictures


class LiveCurve:
    """Subscribes to a training: call it with each record, and `finish` at the end.

    In a notebook one picture grows; elsewhere nothing is shown, and `figure()` has the picture all the same.
    """

    def __init__(self, title: str = ''):
        self.title = title
        self.records: List[Any] = []
        self.handle: Any = None
        self.drawn = 0.0

    def __call__(self, record: Any) -> None:
        self.records.append(record)
        if time.perf_counter() - self.drawn > _PAUSE:
            self.show()

    def finish(self) -> None:
        """Show the whole curve."""
        if self.records:
            self.show()

    def figure(self) -> Any:
        from ..plots import plot_perplexity
        return plot_perplexity({'training': self.records}, title=self.title)

    def show(self) -> None:
        if in_notebook():
            from IPython.display import display
            if self.handle is None:
                self.handle = display(self.figure(), display_id=True)
            else:
                self.handle.update(self.figure())
        self.drawn = time.perf_counter()


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get('IPython')
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, 'kernel')
