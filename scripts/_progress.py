"""Progress of a command: a bar on a terminal; elsewhere a line on standard error whenever nothing was said for some seconds."""
from __future__ import annotations

import sys
import threading
import time
from typing import Any

from _cli import SILENCE
from tqdm import tqdm


class Progress:
    """A bar, or lines; use it as a context manager.

    total: what `at` counts up to, 0 where nobody knows; done: where it begins; text: names the work being done.
    """

    def __init__(self, total: float, text: str = '', *, done: float = 0):
        self.total, self.begun, self.done, self.text = total, done, done, text
        self.started = self.said = time.monotonic()
        self.ended = threading.Event()
        self.bar = tqdm(total=total or None, initial=done, miniters=0, bar_format='{desc}|{bar}| {elapsed}<{remaining}',
                        disable=None, leave=False)
        self.bar.set_description_str(text)

    def __enter__(self) -> Progress:
        if self.bar.disable:
            threading.Thread(target=self._speak, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.ended.set()
        self.bar.close()

    def at(self, done: float, text: str) -> None:
        """Move to `done`; text: names the work being done now."""
        self.done, self.text = done, text
        if not self.bar.disable:
            self.bar.n = done
            self.bar.set_description_str(text, refresh=False)
            self.bar.update(0)

    def step(self, epoch: int, step: int, steps: int, learned: str = '') -> None:
        """Move to a step after so many whole epochs, of `total`. learned: what to add of the epochs before."""
        self.at(epoch + step / steps, f'epoch {epoch + 1} of {self.total}, step {step} of {steps}{learned}')

    def write(self, text: str) -> None:
        """Print a text on standard output, above the bar."""
        tqdm.write(text)
        self.said = time.monotonic()

    def line(self) -> str:
        """The work being done, since when, and how long it will take."""
        seconds = time.monotonic() - self.started
        left = (self.total - self.done) * seconds / (self.done - self.begun) if self.done > self.begun else None
        return f'{self.text}, {seconds:.0f} s so far' + (f', {left:.0f} s left' if left is not None and self.total else '')

    def break_silence(self) -> float:
        """Print `line` if nothing was said for so long. Returns the seconds to the next look."""
        left = self.said + SILENCE - time.monotonic()
        if left > 0:
            return left
        print(self.line(), file=sys.stderr, flush=True)
        self.said = time.monotonic()
        return SILENCE

    def _speak(self) -> None:
        while not self.ended.wait(self.break_silence()):
            pass
