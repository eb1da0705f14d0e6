"""Section 6.1, exercise 1: what an n-gram model must store, in theory and in texts."""
from __future__ import annotations

import re
from functools import partial
from typing import Any, Dict, List, Sequence

import numpy as np

from ...corpora.corpus import Corpus, load_corpus
from ...corpora.tokens import Vocabulary
from ...plots import new_figure
from .drawing import rule
from .frame import Outcome, Table
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


def four_grams(bench: Workbench) -> Outcome:
    """6.1.1: tables for 100,000 words in theory, and counted in the texts at hand."""
    theory = [(n, ASKED ** n, ASKED ** n * _COUNT_BYTES / 1e9, ASKED - n + 1) for n in ORDERS]
    counted, sizes, growth, found = [], [], {}, []
    for name, text in texts(bench).items():
        for unit, units in (('characters', list(text)[:ASKED]), ('words', words_of(text)[:ASKED])):
            if len(units) < bench.size(1000, 10):       # a text of few units has hardly an end to speak of
                continue
            label = f'{name}, {unit}'
            bench.tell(f'counting {label}')
            corpus, stored, once, new = as_corpus(units), 0, 0.0, 0.0
            for n in ORDERS:
                codes = ngrams(corpus.indices, n)
                times = np.bincount(codes)
                once, new = float((times == 1).mean()), unseen(corpus.indices, n)
                counted.append((label, n, corpus.vocab_size ** n, len(times), len(times) / len(codes), once, new))
                stored += len(times) * _COUNT_BYTES * (n + 1)
            full = sum(float(corpus.vocab_size) ** n for n in ORDERS) * _COUNT_BYTES
            sizes.append((label, len(corpus), corpus.vocab_size, full / 1e6, stored / 1e6))
            growth[label] = grown(corpus.indices)
            power = growth[label]['power']
            found.append({'text': label, 'length': len(corpus), 'vocabulary': corpus.vocab_size, 'four_grams': len(times),
                          'once': once, 'unseen': new, 'power_one': power[1], 'power_four': power[4], 'packed_mb': stored / 1e6,
                          'full_mb': full / 1e6})
    # words were asked for
    longest = max(found, key=lambda f: (f['text'].endswith('words') and f['length'] >= 10_000, f['length']))
    low, high = (pick(f['unseen'] for f in found) for pick in (min, max))
    return Outcome([
        Table((f'In theory, for a vocabulary of {ASKED:,} and for a text of {ASKED:,} words',
               f'理论值：词典大小为 {ASKED:,}，或文本长度为 {ASKED:,} 个词'),
              ('n', 'entries of a full table', 'GB at 4 bytes', 'different n-grams of the text at most'), theory),
        Table(('Counted', '实际统计'),
              ('text', 'n', 'entries of a full table', 'different n-grams that occur', 'per n-gram of the text',
               'of them once only', f'of the last {HELD_OUT:.0%} never seen before'), counted),
        Table(('Memory for n = 1 to 4, MB', 'n 从 1 到 4 所需的内存（MB）'),
              ('text', 'length', 'vocabulary', 'full tables', 'only what occurs, packed'), sizes),
    ], {**longest, 'unseen_low': low, 'unseen_high': high}, 'sparse' if high >= 0.05 else 'dense', partial(_draw, growth))


def grown(indices: np.ndarray) -> Dict[str, Any]:
    """Different n-grams over the length of the text, and p of ~ length^p for each n."""
    lengths = [1000 * 2 ** k for k in range(8) if 1000 * 2 ** k < len(indices)]
    lengths = [*lengths, len(indices)] if lengths else [len(indices) // 2, len(indices)]
    counts = {n: [distinct(indices[:length], n) for length in lengths] for n in ORDERS}
    power = {n: float(np.polyfit(np.log(lengths), np.log(counts[n]), 1)[0]) for n in ORDERS}
    return {'lengths': lengths, 'counts': counts, 'power': power}


def _draw(growth: Dict[str, Any]) -> Any:
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
        rule(ax, legend=True)
    return figure
