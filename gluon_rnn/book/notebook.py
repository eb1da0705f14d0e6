"""What the notebooks share: their first lines, a cell's source, published figures beside measured ones, and the exercises."""
from __future__ import annotations

import inspect
import sys
from typing import Any, Dict, Mapping

from .. import runtime
from ..plots import use_chinese_font
from .exercises import EXERCISES, Workbench
from .exercises.render import markdown_of
from .sections import COMMON, SECTIONS, SOURCES, corpus_here

EXPECTED = (ValueError, ArithmeticError, OSError, ImportError)
_PREFIXES = 'gluon_rnn', 'mxnet'


def begin(seed: int = 0) -> bool:
    """Chinese in plots, expected errors in one line, one seed. Returns whether this is a quick run (GLUON_RNN_QUICK)."""
    use_chinese_font()
    short_errors()
    runtime.seed(seed)
    return runtime.quick_notebooks()


def corpus_name() -> str:
    """The book's lyrics, or the embedded ones where the book's cannot be had; this is said."""
    name, why = corpus_here(COMMON.corpus)
    if why:
        print(f'{why}; the embedded lyrics take their place, so the figures are others 改用内置歌词，数字因此不同')
    return name


def short_errors() -> None:
    """In a notebook, an expected error of this project's is one line, not thirty; all others keep their traceback."""
    ipython = sys.modules.get('IPython')
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return

    def short(shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: int | None = None) -> None:
        last = trace
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        ours = last is not None and str(last.tb_frame.f_globals.get('__name__', '')).partition('.')[0] in _PREFIXES
        if kind is KeyboardInterrupt:
            print('stopped 已停止', file=sys.stderr)
        elif ours:
            print(f'{kind.__name__}: {(str(error).splitlines() or [""])[0]}', file=sys.stderr)
        else:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    shell.set_custom_exc((*EXPECTED, KeyboardInterrupt), short)


def source(thing: Any) -> Any:
    """The source of a function or class, as code to look at."""
    from IPython.display import Code
    return Code(inspect.cleandoc('\n' + inspect.getsource(thing)), language='python')


def compare(section: str, measured: Mapping[str, Mapping[int, Any]]) -> Any:
    """The published figures of a section beside those measured here.

    measured: a variant's name (see `sections.py`) -> records by epoch, as `train` returns them.
    """
    from IPython.display import Markdown
    rows = ['| 网络 network | 来源 source | 周期 epoch | 公开 published | 本次 here |', '|---|---|---:|---:|---:|']
    for variant in SECTIONS[section].variants:
        records = measured.get(variant.name)
        for published in variant.published if records is not None else ():
            for epoch, figure in published.figures.items():
                here = f'{records[epoch].perplexity:.3f}' if records and epoch in records else '未训练到 not reached'
                rows.append(f'| {variant.title[1]} {variant.title[0]} | {SOURCES[published.source][1]} '
                            f'{SOURCES[published.source][0]} | {epoch} | {figure} | {here} |')
    return Markdown('\n'.join(rows))


def exercise(number: str, *, full: bool = False) -> Any:
    """Run an exercise of the book, small unless `full`: a small run shows what is measured and answers nothing."""
    from IPython.display import Markdown, display
    bench = Workbench(corpus_name() if full else 'lyrics', quick=not full)
    bench.begin()
    outcome = EXERCISES[number].run(bench)
    text = markdown_of(EXERCISES[number], outcome, note=bench.note(), quick=not full)
    shown = text if full else text.partition('## Answer')[0]
    display(Markdown(shown.replace('![](picture.png)\n\n', '')))
    return outcome.picture() if outcome.picture else None


def summary(records: Dict[int, Any]) -> str:
    """The last epoch of a training in a line, or that there is none."""
    if not records:
        return '没有完成一个周期 not one epoch was finished'
    last = records[max(records)]
    return f'周期 epoch {last.epoch}: 困惑度 perplexity {last.perplexity:.3f}, {sum(r.seconds for r in records.values()):.1f} s'
