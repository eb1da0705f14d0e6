"""Section 6.1, exercise 1: what an n-gram model must store, in theory and in texts."""
from __future__ import annotations

import re
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np

from ...corpora.corpus import Corpus, load_corpus
from ...corpora.tokens import Vocabulary
from ...plots import new_figure, save_figure
from .frame import Exercise, Outcome, Table
from .workbench import QUICK_CHARS, Workbench

ORDERS = (1, 2, 3, 4)
ASKED = 100_000         # words of the question
HELD_OUT = 0.1
_COUNT_BYTES = 4


def words_of(text: str) -> List[str]:
    """English as words, anything else as what stands between spaces."""
    english = re.findall("[a-z']+", text.lower())
    return english if 2 * sum(map(len, english)) > len(text) else text.split()


def as_corpus(units: Sequence[str]) -> Corpus:
    """A corpus whose 'characters' are the units given: words, for example."""
    idx_to_unit, indices = np.unique(np.array(units), return_inverse=True)
    return Corpus(indices.astype(np.int32), Vocabulary(map(str, idx_to_unit)))


def texts(bench: Workbench) -> Dict[str, str]:
    """The workbench's text, all of it, the embedded one, and the English one where it is to be had and there is time."""
    found = {}
    for name in dict.fromkeys((bench.corpus_name, 'lyrics', *bench.size(('time_machine',), ()))):
        try:
            corpus = load_corpus(name, max_chars=bench.size(0, QUICK_CHARS))
        except (ValueError, OSError):
            continue
        found[name] = corpus.decode(corpus.indices)
    return found


def ngrams(indices: np.ndarray, n: int) -> np.ndarray:
    """The n-grams of a text in order, equal ones as equal numbers from 0 on: (len(indices) - n + 1,)."""
    many, size = len(indices) - n + 1, int(indices.max()) + 1
    codes = indices[:many].astype(np.int64)
    for k in range(1, n):
        codes = np.unique(codes * size + indices[k:many + k], return_inverse=True)[1]
    return np.unique(codes, return_inverse=True)[1]


def distinct(indices: np.ndarray, n: int) -> int:
    return int(ngrams(indices, n).max()) + 1


def unseen(indices: np.ndarray, n: int, held_out: float = HELD_OUT) -> float:
    """The part of the n-grams of a text's end that its beginning does not have."""
    codes = ngrams(indices, n)
    cut = len(codes) - max(1, round(len(codes) * held_out))
    return float((~np.isin(codes[cut:], codes[:cut])).mean())


def dictionary_bytes(indices: np.ndarray) -> int:
    """What Python takes to hold all n-grams of up to four units with their counts in a dictionary."""
    units = indices.tolist()
    tracemalloc.start()
    try:
        counts = [Counter(zip(*(units[k:] for k in range(n)))) for n in ORDERS]
        return tracemalloc.get_traced_memory()[0] if counts else 0
    finally:
        tracemalloc.stop()


def four_grams(bench: Workbench) -> Outcome:
    """6.1.1: tables for 100,000 words in theory, and counted in the texts at hand."""
    theory, counted, sizes, growth = [], [], [], {}
    for n in ORDERS:
        theory.append((n, ASKED ** n, ASKED ** n * _COUNT_BYTES / 1e9, ASKED - n + 1))
    for name, text in texts(bench).items():
        for unit, units in (('characters', list(text)[:ASKED]), ('words', words_of(text)[:ASKED])):
            if len(units) < 100 // bench.size(1, 10):
                continue
            label = f'{name}, {unit}'
            bench.tell(f'counting {label}')
            corpus, stored = as_corpus(units), 0
            for n in ORDERS:
                codes = ngrams(corpus.indices, n)
                times = np.bincount(codes)
                counted.append((label, n, corpus.vocab_size ** n, len(times), len(times) / len(codes),
                                float((times == 1).mean()), unseen(corpus.indices, n)))
                stored += len(times) * _COUNT_BYTES * (n + 1)
            full = sum(float(corpus.vocab_size) ** n for n in ORDERS) * _COUNT_BYTES
            sizes.append((label, len(corpus), corpus.vocab_size, full / 1e6, stored / 1e6,
                          dictionary_bytes(corpus.indices) / 1e6))
            growth[label] = _growth(corpus.indices)
    return Outcome(_answer(counted, sizes, growth), [
        Table((f'In theory, for a vocabulary of {ASKED:,} and for a text of {ASKED:,} words',
               f'理论值：词典大小为 {ASKED:,}，或文本长度为 {ASKED:,} 个词'),
              ('n', 'entries of a full table', 'GB at 4 bytes', 'different n-grams of the text at most'), theory),
        Table(('Counted', '实际统计'),
              ('text', 'n', 'entries of a full table', 'different n-grams that occur', 'per n-gram of the text',
               'of them once only', f'of the last {HELD_OUT:.0%} never seen before'), counted),
        Table(('Memory for n = 1 to 4, MB', 'n 从 1 到 4 所需的内存（MB）'),
              ('text', 'length', 'vocabulary', 'full tables', 'only what occurs, packed', "the same in Python's Counter"), sizes),
    ], lambda path: _draw(path, growth))


def _growth(indices: np.ndarray) -> Dict[str, Any]:
    """Different n-grams over the length of the text, and p of ~ length^p for n = 4."""
    lengths = [1000 * 2 ** k for k in range(8) if 1000 * 2 ** k < len(indices)]
    lengths = [*lengths, len(indices)] if lengths else [len(indices) // 2, len(indices)]
    counts = {n: [distinct(indices[:length], n) for length in lengths] for n in ORDERS}
    power = {n: float(np.polyfit(np.log(lengths), np.log(counts[n]), 1)[0]) for n in ORDERS}
    return {'lengths': lengths, 'counts': counts, 'power': power}


def _answer(counted: List[tuple], sizes: List[tuple], growth: Dict[str, Any]) -> tuple[str, str]:
    full = sum(float(ASKED) ** n for n in ORDERS)
    most = sum(ASKED - n + 1 for n in ORDERS)
    longest = max(sizes, key=lambda row: (row[0].endswith('words') and row[1] >= 10_000, row[1]))      # words were asked for
    fours = {row[0]: row for row in counted if row[1] == 4}
    kinds, once = fours[longest[0]][3], fours[longest[0]][5]
    # a text of few units has hardly an end to speak of
    long = [name for name, length, *_ in sizes if length >= 1000]
    each = ('each text of 1,000 units or more', '长度至少 1,000 的各文本') if long else ('each text', '各文本')
    long = long or list(fours)
    low, high = (pick(fours[name][6] for name in long) for pick in (min, max))
    power = growth[longest[0]]['power']
    slower = power[1] < power[4]
    sparse = longest[4] < longest[3]
    if low >= 0.05:
        missing = 'so many must be stored, and so many are missing', '要存的很多，缺的也很多'
    elif high >= 0.05:
        missing = 'how many are missing depends on the text', '缺多少要看文本'
    else:
        missing = 'hardly any is missing in these texts', '这些文本里几乎不缺'
    en = (f'With {ASKED:,} different words, full tables for n = 1 to 4 have {full:.3g} entries, '
          f'{full * _COUNT_BYTES / 1e18:.0f} exabytes at 4 bytes each. A text of {ASKED:,} words can hold no more than '
          f'{most:,} different n-grams in all. Counted in {longest[0]} ({longest[1]:,} units, {longest[2]:,} different): '
          f'{kinds:,} different four-grams, {once:.0%} of them once only. They grow as length^{power[4]:.2f}, single units '
          f'{"more slowly, " if slower else ""}as length^{power[1]:.2f}. Storing what occurs takes {longest[4]:.1f} MB'
          f'{"" if sparse else ", no less than full tables with"} {"where full tables take " if sparse else ""}'
          f'{longest[3]:,.1f} MB. Of the four-grams in the last {HELD_OUT:.0%} of {each[0]}, {low:.0%} to {high:.0%} '
          f'were never seen before: {missing[0]}.')
    zh = (f'若有 {ASKED:,} 个不同的词，n 为 1 到 4 的完整频率表共有 {full:.3g} 项，每项 4 字节，即 '
          f'{full * _COUNT_BYTES / 1e18:.0f} EB。长度为 {ASKED:,} 个词的文本最多只有 {most:,} 种 n 元组。实际统计 '
          f'{longest[0]}（长 {longest[1]:,}，不同单位 {longest[2]:,} 个）：四元组有 {kinds:,} 种，其中 {once:.0%} 只出现一次。'
          f'种数随长度的 {power[4]:.2f} 次方增长，单个单位{"较慢，" if slower else ""}为 {power[1]:.2f} 次方。只存出现过的需要 '
          f'{longest[4]:.1f} MB，{"" if sparse else "并不少于"}完整的表{"需要" if sparse else "的"} {longest[3]:,.1f} MB。'
          f'{each[1]}，最后 {HELD_OUT:.0%} 中的四元组有 {low:.0%} 至 {high:.0%} 从未出现过：{missing[1]}。')
    return en, zh


def _draw(path: Path, growth: Dict[str, Any]) -> None:
    columns = min(3, len(growth))
    lines = -(-len(growth) // columns)
    figure, axes = new_figure(4 * columns, 3.4 * lines, nrows=lines, ncols=columns, squeeze=False)
    for ax in axes.flat[len(growth):]:
        ax.axis('off')
    for ax, (label, found) in zip(axes.flat, growth.items()):
        for n in ORDERS:
            ax.loglog(found['lengths'], found['counts'][n], 'o-', markersize=3,
                      label=f'n = {n}: ~ length^{found["power"][n]:.2f}')
        ax.loglog(found['lengths'], found['lengths'], ':', color='0.5', label='every one new')
        ax.set(title=label, xlabel='length of the text', ylabel='different n-grams')
        ax.legend(frameon=False, fontsize=8)
        ax.grid(True, alpha=0.25)
    save_figure(figure, path)


EXERCISES = (
    Exercise('6.1.1', ('A text has 100,000 words. How many frequencies of words and of words next to each other must a four-gram '
                       'model store?', '训练文本有 100,000 个词，四元语法模型需要存储多少个词频与相邻词频？'), four_grams),
)
