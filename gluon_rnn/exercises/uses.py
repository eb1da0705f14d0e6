"""Section 6.1, exercise 2: what else a language model is good for, each use tried on held-out text."""
from __future__ import annotations

import lzma
import math
import zlib
from typing import Any, Callable, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ..corpus import Corpus
from .frame import Exercise, Lines, Outcome, Table, Text
from .scoring import KeepBest, Row, bigram_log_probs, bigram_rows, log_probs, verses
from .workbench import Workbench

CANDIDATES = 10
CHARS = 30_000          # of the text
Score = Callable[[Sequence[Row]], List[np.ndarray]]


def order(rows: Sequence[Row], score: Score, rng: np.random.Generator) -> float:
    """How often the verse is more probable than its own characters in another order."""
    shuffled = []
    for row in rows:
        inner = list(row[1:-1])
        while inner == list(row[1:-1]):
            rng.shuffle(inner)
        shuffled.append([row[0], *inner, row[-1]])
    real, other = ([float(p.sum()) for p in score(which)] for which in (rows, shuffled))
    return float(np.mean([a > b for a, b in zip(real, other)]))


def choose(rows: Sequence[Row], score: Score, rng: np.random.Generator,
           frequent: np.ndarray) -> Tuple[float, List[Tuple[Row, int]]]:
    """How often the right character of CANDIDATES is chosen, the others drawn as often as they occur; and what was chosen."""
    places = [int(rng.integers(1, len(row) - 1)) for row in rows]
    offered: List[Row] = []
    for row, place in zip(rows, places):
        others = [c for c in dict.fromkeys(rng.choice(frequent, 5 * CANDIDATES).tolist()) if c != row[place]]
        offered += [[*row[:place], c, *row[place + 1:]] for c in [row[place], *others[:CANDIDATES - 1]]]
        offered += [offered[-1]] * (CANDIDATES - 1 - len(others[:CANDIDATES - 1]))
    totals = np.array([float(p.sum()) for p in score(offered)]).reshape(len(rows), CANDIDATES)
    best = totals.argmax(axis=1)
    chosen = [(offered[k * CANDIDATES + b], place) for k, (b, place) in enumerate(zip(best, places))]
    return float((best == 0).mean()), chosen


def locate(rows: Sequence[Row], score: Score, rng: np.random.Generator, frequent: np.ndarray) -> float:
    """How often a wrong character in a verse is where the verse is least probable, the character and the next one together."""
    places, wrong = [], []
    for row in rows:
        place = int(rng.integers(1, len(row) - 1))
        other = next(c for c in rng.choice(frequent, 1000).tolist() if c != row[place])
        places.append(place)
        wrong.append([*row[:place], other, *row[place + 1:]])
    return float(np.mean([int(np.argmin(p[:-1] + p[1:])) + 1 == place for p, place in zip(score(wrong), places)]))


def put_spaces(model: Any, rows: np.ndarray, space: int) -> np.ndarray:
    """Where a model puts spaces into text that has none: (rows, characters), true before which character.

    rows: (rows, characters), their first characters given. At each character, the text with and without a space are weighed.
    """
    state = model.begin_state(len(rows))
    put = np.zeros(rows.shape, dtype=bool)
    spaces = nd.full((len(rows), 1), space)
    logits, state = model(nd.array(rows[:, :1]), state)
    for t in range(1, rows.shape[1]):
        following = nd.array(rows[:, t])
        after, spaced = model(spaces, state)
        straight = nd.pick(nd.log_softmax(logits), following)
        around = nd.log_softmax(logits)[:, space] + nd.pick(nd.log_softmax(after), following)
        better = around > straight
        put[:, t] = better.asnumpy().astype(bool)
        state = tuple(nd.where(better, b, a) for a, b in zip(state, spaced))
        logits, state = model(following.reshape((-1, 1)), state)
    return put


def spaces_found(model: Any, indices: np.ndarray, corpus: Corpus, num_rows: int) -> Tuple[float, float, List[str]]:
    """F1 of the spaces that a model restores, of as many put at random, and a few lines of what came out."""
    space = corpus.char_to_idx[' ']
    keep = indices != space
    truth = np.concatenate([[False], indices[:-1] == space])[keep]
    characters = indices[keep]
    length = min(60, len(characters) // num_rows)
    rows, truth = (array[:num_rows * length].reshape(num_rows, length) for array in (characters, truth))
    put = put_spaces(model, rows, space)
    put[:, 0] = truth[:, 0] = False
    right = (put & truth).sum()
    f1 = 2 * right / max(1, put.sum() + truth.sum())
    at_random = 2 * put.mean() * truth.mean() / max(1e-9, put.mean() + truth.mean())
    shown = []
    for row, wanted, found in list(zip(rows, truth, put))[:3]:
        for label, where in (('sung ', wanted), ('put  ', found)):
            shown.append(label + ''.join(f'{" " * bool(here)}{corpus.idx_to_char[c]}' for c, here in zip(row, where)))
    return float(f1), float(at_random), shown


def compressed(train: str, held_out: str) -> List[Tuple[str, float]]:
    """Bits a character that ordinary compressors need for the held-out text when they have read the other before."""
    before, after = train.encode('utf-8'), held_out.encode('utf-8')
    packer = zlib.compressobj(9, zdict=before[-32768:])
    zipped = len(packer.compress(after) + packer.flush())
    longer = len(lzma.compress(before + after, preset=9)) - len(lzma.compress(before, preset=9))
    return [('UTF-8', 8 * len(after) / len(held_out)), ('zlib, the last 32 KiB before it known', 8 * zipped / len(held_out)),
            ('lzma, all before it known', 8 * longer / len(held_out))]


def uses(bench: Workbench) -> Outcome:
    """6.1.2: ordering, correcting, cutting and compressing, each with a small GRU and with counted pairs."""
    corpus = bench.corpus(CHARS)
    best = KeepBest()
    training = bench.train('GRU', corpus=corpus, on_epoch=best, cell='gru', num_hiddens=128, sigma=0.1, valid_fraction=0.1,
                           num_epochs=bench.size(6, 2), batch_size=16, optimizer='adam', lr=5e-3, clipping_theta=1)
    best.restore(training)
    model, (train, held_out) = training.model, corpus.split(0.1)
    table = bigram_log_probs(train, corpus.vocab_size)
    scores: List[Tuple[str, Score]] = [('GRU', lambda rows: log_probs(model, rows)),
                                       ('pairs', lambda rows: bigram_rows(table, rows))]
    rows = [row for row in verses(held_out, corpus) if len(set(row[1:-1])) >= 3][:bench.size(400, 10)]
    if not rows:
        raise ValueError('the held-out text has no verses of three characters or more: give a longer text')
    results: List[List[Any]] = []
    bench.tell('ordering, choosing and locating')
    results.append(['real verse or its characters shuffled', *(order(rows, s, bench.rng()) for _, s in scores), 0.5])
    (gru, chosen), (pairs, _) = (choose(rows, s, bench.rng(), train) for _, s in scores)
    results.append([f'the right one of {CANDIDATES} characters in a verse', gru, pairs, 1 / CANDIDATES])
    results.append(['which character of a verse is wrong', *(locate(rows, s, bench.rng(), train) for _, s in scores),
                    float(np.mean([1 / (len(row) - 2) for row in rows]))])
    evidence: List[Any] = []
    if ' ' in corpus.char_to_idx:
        bench.tell('putting spaces')
        f1, at_random, shown = spaces_found(model, held_out, corpus, bench.size(60, 2))
        results.append(['spaces put back into text without (F1)', f1, None, at_random])
        evidence.append(Lines(('Where verses end: as sung, and as the GRU puts it', '断句：原文与 GRU 的结果'), shown))
    evidence.append(Lines((f'Verses with one of {CANDIDATES} characters chosen for a gap',
                           f'从 {CANDIDATES} 个字中选一个填空的歌词'), [
        f'{corpus.decode(verse[1:place])}[{corpus.decode([verse[place]])}]{corpus.decode(verse[place + 1:-1])}'
        f'{"" if verse[place] == row[place] else f"   wanted {corpus.decode([row[place]])}"}'
        for (verse, place), row in list(zip(chosen, rows))[:8]]))
    bits = [*_bits(training.best_held_out[0], train, held_out, table, corpus.vocab_size),
            *compressed(corpus.decode(train), corpus.decode(held_out))]
    return Outcome(_answer(results, bits, len(rows)), [
        Table((f'Uses, on {len(rows)} held-out verses: part that is right', f'各种用途，在 {len(rows)} 句留出歌词上的正确率'),
              ('use', 'GRU', 'counted pairs', 'by chance'), results),
        Table(('Bits a character to write the held-out text down', '记录留出文本时每个字符所需的比特数'), ('with', 'bits'), bits),
        *evidence])


def _bits(perplexity: float, train: np.ndarray, held_out: np.ndarray, table: np.ndarray,
          vocab_size: int) -> List[Tuple[str, float]]:
    single = (np.bincount(train, minlength=vocab_size) + 1.0) / (len(train) + vocab_size)
    return [('every character alike', math.log2(vocab_size)), ('frequencies', -float(np.log2(single[held_out]).mean())),
            ('counted pairs', -float(table[held_out[:-1], held_out[1:]].mean()) / math.log(2)),
            ('GRU', math.log2(perplexity))]


def _answer(results: List[List[Any]], bits: List[Tuple[str, float]], many: int) -> Text:
    names = {'real': ('telling a real verse from its characters shuffled', '辨别原句与打乱的句子'),
             'the': (f'choosing one of {CANDIDATES} characters, as correcting a typo or telling homophones apart needs',
                     f'从 {CANDIDATES} 个字中选对一个（纠错、同音字）'),
             'which': ('finding the wrong character', '找出错字'), 'spaces': ('restoring spaces (F1)', '恢复断句（F1）')}
    better = [row for row in results if row[1] > row[3]]
    listed = [sep.join(form.format(names[row[0].split()[0]][k], row[1], row[3]) for row in results)
              for k, (sep, form) in enumerate((('; ', '{} {:.0%} (by chance {:.0%})'), ('；', '{} {:.0%}（随机 {:.0%}）')))]
    need = dict(bits)
    least = min(need, key=lambda name: need[name])
    en = (f'One small GRU, trained only to name the next character, was tried on {many} held-out verses: {listed[0]}. It beats '
          f'chance in {len(better)} of {len(results)}. Probabilities also compress: the GRU needs {need["GRU"]:.2f} bits a '
          f'character where every character alike needs {need["every character alike"]:.2f}; least of all needs "{least}", '
          f'{need[least]:.2f}. The same score serves speech recognition, translation and input methods: of what sounds or '
          'means alike, take what is most probable as a sentence.')
    zh = (f'一个只学过预测下一个字的小 GRU，在 {many} 句留出歌词上：{listed[1]}。{len(results)} 项中有 {len(better)} 项胜过随'
          f'机。概率还能用来压缩：GRU 每个字符需要 {need["GRU"]:.2f} 比特，不作任何假设需要 '
          f'{need["every character alike"]:.2f} 比特，最少的是“{_ZH.get(least, least)}”，{need[least]:.2f} 比特。语音识别、机器'
          '翻译和输入法同样如此：在读音或意思相近的候选中取最像句子的一个。')
    return en, zh


_ZH = {'every character alike': '各字符等概率', 'frequencies': '字频', 'counted pairs': '相邻字统计',
       'zlib, the last 32 KiB before it known': 'zlib', 'lzma, all before it known': 'lzma'}

EXERCISES = (
    Exercise('6.1.2', ('For what else than generating text could a language model be used?',
                       '除了生成文本，语言模型还能用来做什么？'), uses),
)
