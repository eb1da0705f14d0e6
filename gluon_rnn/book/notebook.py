"""Helpers of the notebooks: their first lines, a cell's source, a training by hand and in the kernels, figures, exercises."""
from __future__ import annotations

import dataclasses
import inspect
import sys
from typing import Any, Dict, List, Mapping, Sequence

from tqdm.auto import tqdm

from .. import runtime
from ..corpora.corpus import Corpus, load_corpus
from ..models.generation import generate
from ..models.language_model import ModelConfig, build_model, copy_params
from ..plots import use_chinese_font
from ..tables import printed
from ..training.config import TrainConfig
from ..training.live import running_ipython
from ..training.trainer import train
from .exercises import EXERCISES, Workbench
from .exercises.frame import markdown_of
from .sections import SECTIONS, SOURCES, corpus_here

EXPECTED = (ValueError, ArithmeticError, OSError, ImportError)
_PREFIXES = 'gluon_rnn', 'mxnet'
_QUICK_CHARS = 2500


def begin(seed: int = 0) -> None:
    """Pictures that are shown, Chinese in them, expected errors in one line, one seed."""
    shell = running_ipython()
    if shell is not None:
        shell.run_line_magic('matplotlib', 'inline')
    use_chinese_font()
    short_errors()
    runtime.seed(seed)


def epochs(full: int) -> int:
    """The number of epochs: `full`, or 2 where GLUON_RNN_QUICK is set."""
    return 2 if runtime.quick_notebooks() else full


def corpus(name: str = 'jaychou') -> Corpus:
    """A text by name or path. Where it cannot be had, the embedded lyrics take its place, and this is said."""
    name, why = corpus_here(name)
    if why:
        print(f'{why}；改用内置歌词，数字因此不同 the embedded lyrics take its place, so the figures are others')
    found = load_corpus(name)
    return Corpus.from_text(found.decode(found.indices[:_QUICK_CHARS])) if runtime.quick_notebooks() else found


def short_errors() -> None:
    """Show this project's expected errors in one line in a notebook; others keep their traceback."""
    shell = running_ipython()
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


def side_by_side(text: Corpus, cell: str, num_epochs: int = 3, **network: Any) -> Any:
    """Train one network as its equations stand, and once more in the kernels, from the same weights: figures and seconds.

    network: fields of ModelConfig besides cell and impl.
    """
    from IPython.display import Markdown
    config = ModelConfig(cell=cell, vocab_size=text.vocab_size, **network)
    by_hand, fast = build_model(config), build_model(dataclasses.replace(config, impl='numba'))
    copy_params(by_hand, fast)
    rows = []
    for model in (by_hand, fast):
        records = train(model, text.indices, TrainConfig(num_epochs=epochs(num_epochs))).values()
        rows.append({'impl': model.config.impl, f'困惑度 perplexity, epoch 1 … {epochs(num_epochs)}': ', '.join(
            f'{record.perplexity:.3f}' for record in records), '每周期秒数 seconds an epoch': min(r.seconds for r in records)})
    return Markdown(printed(rows))


def sing(model: Any, text: Corpus, records: Mapping[int, Any], prefixes: Sequence[str] = ('分开', '不分开'),
         length: int = 30) -> None:
    """Print what the last epoch came to, and what the model writes after each prefix."""
    if not records:
        print('没有完成一个周期 not one epoch was finished')
        return
    last = records[max(records)]
    print(f'周期 epoch {last.epoch}，困惑度 perplexity {last.perplexity:.3f}，{sum(r.seconds for r in records.values()):.0f} s')
    for prefix in prefixes:
        print(' -', generate(model, text.idx_to_char, prefix, length))


def compare(section: str, measured: Mapping[str, Mapping[int, Any]]) -> Any:
    """The published figures of a section beside those measured here, a column for each epoch that was published and reached.

    measured: a variant's name (see `sections.py`) -> records by epoch, as `train` returns them.
    """
    from IPython.display import Markdown
    tables: List[str] = []
    for variant in SECTIONS[section].variants:
        records = measured.get(variant.name)
        if not records or not variant.published:
            continue
        published_at = sorted({epoch for published in variant.published for epoch in published.figures})
        columns = [epoch for epoch in published_at if epoch in records] or published_at[:1]
        zh, en = variant.title[1], variant.title[0]
        figures: Dict[str, Mapping[int, str]] = {'**本次 here**': {
            epoch: f'{record.perplexity:.3f}' for epoch, record in records.items()}}
        for published in (one for one in variant.published if set(columns) & set(one.figures)):
            (english, chinese), adam = SOURCES[published.source], '（Adam）' * ('Adam' in published.differs[0])
            figures[f'{chinese} {english}{adam}'] = published.figures
        tables += [f'**{zh if zh == en else f"{zh} {en}"}**', '', printed([
            {'周期 epoch': title, **{f'{epoch}': row.get(epoch, '') for epoch in columns}}
            for title, row in figures.items()]), '']
    return Markdown('\n'.join(tables))


def exercise(number: str, *, full: bool = False) -> None:
    """Run an exercise of the book, small unless `full`: a small run shows what is measured and answers nothing."""
    from IPython.display import Markdown, display
    with tqdm(bar_format='{desc}', leave=False) as bar:
        bench = Workbench('jaychou' if full else 'lyrics', quick=not full, on_progress=bar.set_description_str)
        bench.begin()
        outcome = EXERCISES[number](bench)
    note = bench.note()
    text = markdown_of(number, outcome, note=note, quick=not full)
    text = text[text.index(f'*{note[1]}*'):].replace('![](picture.png)\n\n', '')    # the question stands above the cell
    display(Markdown(text if full else text.partition('## Answer')[0]))
    if outcome.picture:
        display(outcome.picture)
