"""The learning curve while it is learned, in a notebook: the book's Animator, one picture that is replaced, and a bar."""
from __future__ import annotations

import io
import sys
import time
from typing import Any, Dict

from tqdm.auto import tqdm

_PAUSE = 0.5        # seconds between two pictures, and drawing takes a tenth of the time at most


class LiveCurve:
    """Subscribes to a training: call it with each record, and `finish` at the end.

    In a notebook one picture grows under a bar; elsewhere there is the bar alone, and `figure()` has the picture all the same.
    """

    def __init__(self, num_epochs: int, title: str = ''):
        self.title = title
        self.records = History()
        self.handle: Any = None
        self.next = 0.0     # when to draw again
        self.bar = tqdm(total=num_epochs, unit='epoch', leave=False, disable=None if not in_notebook() else False)

    def __call__(self, record: Any) -> None:
        self.records[record.epoch] = record
        self.bar.update()
        self.bar.set_postfix_str(f'perplexity {record.perplexity:.4g}', refresh=False)
        if time.perf_counter() > self.next:
            self.show()

    def finish(self) -> None:
        """Show the whole curve, and take the bar away."""
        self.bar.close()
        if self.records:
            self.show()

    def interrupted(self) -> bool:
        """In a notebook, say in one line that the training was stopped; returns whether it was said."""
        if in_notebook():
            sys.stderr.write(f'stopped after epoch {len(self.records)}, the model keeps what it has learned '
                             f'已停止，模型保留已学到的内容\n')
        return in_notebook()

    def figure(self) -> Any:
        return self.records.plot(self.title)

    def show(self) -> None:
        start = time.perf_counter()
        if in_notebook():
            from IPython.display import Image, display
            picture = io.BytesIO()      # not left to IPython, which draws figures only once pyplot has been imported
            self.figure().savefig(picture, format='png', dpi=80)
            image = Image(picture.getvalue(), alt='perplexity over the epochs')
            if self.handle is None:
                self.handle = display(image, display_id=True)
            else:
                self.handle.update(image)
        end = time.perf_counter()
        self.next = end + max(_PAUSE, 9 * (end - start))


class History(Dict[int, Any]):
    """The records of a training by epoch."""

    def plot(self, title: str = '') -> Any:
        """The figure of perplexity over the epochs, which a notebook shows."""
        from ..plots import plot_perplexity
        return plot_perplexity({'training': list(self.values())}, title=title)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    return hasattr(running_ipython(), 'kernel')


def running_ipython() -> Any:
    """The IPython that runs this process, or None."""
    ipython = sys.modules.get('IPython')
    return ipython.get_ipython() if ipython else None
