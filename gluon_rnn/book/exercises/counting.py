"""Section 6.1, exercise 1: what an n-gram model must store, in theory and in texts."""
from __future__ import annotations

import contextlib
import re
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from ...corpora.corpus import load_corpus
from ...tables import Table
from .drawing import Panel, draw_panels
from .frame import Outcome
from .workbench import QUICK_CHARS, Workbench

ORDERS = (1, 2, 3, 4)
ASKED = 100_000         # words of the question
HELD_OUT = 0.1
UNITS = {'characters': '字', 'words': '词'}      # in English, in Chinese
_COUNT_BYTES = 4


def words_of(text: str) -> List[str]:
    """English as words, anything else as what stands between spaces."""
    english = re.findall("[a-z']+", text.lower())
    return english if 2 * sum(map(len, english)) > len(text) else text.split()


def texts(bench: Workbench) -> Dict[Tuple[str, str], List[str]]:
    """The workbench's text, all of it, the embedded one, and the English one where it is to be had and there is time.

    Returns (name, unit) -> its units, 'characters' or 'words'.
    """
    found = {}
    for name in dict.fromkeys((bench.corpus_name, 'lyrics', *bench.size(('time_machine',), ()))):
        with contextlib.suppress(ValueError, OSError):
            corpus = load_corpus(name, max_chars=bench.size(0, QUICK_CHARS))
            text = corpus.decode(corpus.indices)
            found.update({(name, 'characters'): list(text), (name, 'words'): words_of(text)})
    return found


def indices_of(units: Sequence[str]) -> np.ndarray:
    """Units as indices, each different one a number from 0 on."""
    return np.unique(np.array(units), return_inverse=True)[1]


def ngrams(indices: np.ndarray, n: int) -> np.ndarray:
    """The n-grams of a text in order, equal ones as equal numbers from 0 on: (len(indices) - n + 1,)."""
    many, size = len(indices) - n + 1, int(indices.max()) + 1
    codes = indices[:many].astype(np.int64)
    for k in range(1, n):
        codes = np.unique(codes * size + indices[k:many + k], return_inverse=True)[1]
    return np.unique(codes, return_inverse=True)[1]


def unseen(indices: np.ndarray, n: int, held_out: float = HELD_OUT) -> float:
    """The part of the n-grams of a text's end that its beginning does not have."""
    codes = ngrams(indices, n)
    cut = len(codes) - max(1, round(len(codes) * held_out))
    return float((~np.isin(codes[cut:], codes[:cut])).mean())


def four_grams(bench: Workbench) -> Outcome:
    """6.1.1: tables for 100,000 words in theory, and counted in the texts at hand."""
    theory = [(n, ASKED ** n, ASKED ** n * _COUNT_BYTES / 1e9, ASKED - n + 1) for n in ORDERS]
    counted, growth = [], {}
    found: List[Dict[str, Any]] = []
    for (name, unit), units in texts(bench).items():
        if len(units) < bench.size(1000, 10):       # a text of few units has hardly an end to speak of
            continue
        label, indices, stored = f'{name}, {unit}', indices_of(units[:ASKED]), 0
        bench.tell(f'counting {label}')
        vocab_size = int(indices.max()) + 1
        for n in ORDERS:
            codes = ngrams(indices, n)
            times = np.bincount(codes)
            once, new = float((times == 1).mean()), unseen(indices, n)
            counted.append((label, n, vocab_size ** n, len(times), len(times) / len(codes), once, new))
            stored += len(times) * _COUNT_BYTES * (n + 1)
        full = sum(float(vocab_size) ** n for n in ORDERS) * _COUNT_BYTES
        lengths, counts, power = grown(indices)
        growth[label] = {f'n = {n}: ~ length^{power[n]:.2f}': (lengths, counts[n]) for n in ORDERS}
        found.append({'text': label, 'length': len(indices), 'vocabulary': vocab_size, 'four_grams': len(times), 'once': once,
                      'power_one': power[1], 'power_four': power[4], 'packed_mb': stored / 1e6, 'full_mb': full / 1e6})
    # words were asked for
    longest = max(found, key=lambda f: (f['text'].endswith('words') and f['length'] >= 10_000, f['length']))
    text, _, unit = longest['text'].rpartition(', ')
    low, high = (pick(new for _, n, *_, new in counted if n == ORDERS[-1]) for pick in (min, max))
    style = {'xscale': 'log', 'yscale': 'log', 'xlabel': 'length of the text', 'ylabel': 'different n-grams'}
    return Outcome([
        Table((f'In theory, for a vocabulary of {ASKED:,} and for a text of {ASKED:,} words',
               f'理论值：词典大小为 {ASKED:,}，或文本长度为 {ASKED:,} 个词'),
              ('n', 'entries of a full table', 'GB at 4 bytes', 'different n-grams of the text at most'), theory),
        Table(('Counted', '实际统计'),
              ('text', 'n', 'entries of a full table', 'different n-grams that occur', 'per n-gram of the text',
               'of them once only', f'of the last {HELD_OUT:.0%} never seen before'), counted),
        Table(('Memory for n = 1 to 4, MB', 'n 从 1 到 4 所需的内存（MB）'),
              ('text', 'length', 'vocabulary', 'full tables', 'only what occurs, packed'),
              [[f[name] for name in ('text', 'length', 'vocabulary', 'full_mb', 'packed_mb')] for f in found])],
        {**longest, 'text': text, 'unit': (unit, UNITS[unit]), 'unseen_low': low, 'unseen_high': high},
        'sparse' if high >= 0.05 else 'dense',
        draw_panels(*(Panel(label, lines, style) for label, lines in growth.items())))


def grown(indices: np.ndarray) -> Tuple[List[int], Dict[int, List[int]], Dict[int, float]]:
    """Lengths of a text's beginning, for each n the different n-grams of each, and p of ~ length^p."""
    lengths = [1000 * 2 ** k for k in range(8) if 1000 * 2 ** k < len(indices)]
    lengths = [*lengths, len(indices)] if lengths else [len(indices) // 2, len(indices)]
    counts = {n: [int(ngrams(indices[:length], n).max()) + 1 for length in lengths] for n in ORDERS}
    return lengths, counts, {n: float(np.polyfit(np.log(lengths), np.log(counts[n]), 1)[0]) for n in ORDERS}
