"""Section 6.1, exercise 2: what else a language model is good for, each use tried on held-out text."""
from __future__ import annotations

import lzma
import math
import zlib
from typing import Any, Callable, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ...corpora.corpus import Corpus
from ...training.loss import evaluate
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


def spaces_found(model: Any, indices: np.ndarray, corpus: Corpus, num_rows: int,
                 rng: np.random.Generator) -> Tuple[float, float, float, List[str]]:
    """F1 of the spaces that a model restores, mean and standard deviation of as many put at random, and a few lines of it."""
    space = corpus.char_to_idx[' ']
    keep = indices != space
    truth = np.concatenate([[False], indices[:-1] == space])[keep]
    characters = indices[keep]
    length = min(60, len(characters) // num_rows)
    rows, truth = (array[:num_rows * length].reshape(num_rows, length) for array in (characters, truth))
    put = put_spaces(model, rows, space)
    put[:, 0] = truth[:, 0] = False
    def f1(put: np.ndarray) -> float:
        return float(2 * (put & truth)[:, 1:].sum() / max(1, put.sum() + truth.sum()))

    at_random = [f1(np.pad(rng.permutation(put[:, 1:].reshape(-1)).reshape(num_rows, -1), ((0, 0), (1, 0)))) for _ in range(200)]
    shown = []
    for row, wanted, found in list(zip(rows, truth, put))[:3]:
        for label, where in (('sung ', wanted), ('put  ', found)):
            shown.append(label + ''.join(f'{" " * bool(here)}{corpus.idx_to_char[c]}' for c, here in zip(row, where)))
    return f1(put), float(np.mean(at_random)), float(np.std(at_random)), shown


def compressed(train: str, held_out: str) -> List[Tuple[str, float]]:
    """Bits a character that ordinary compressors need for the held-out text when they have read the other before."""
    before, after = train.encode('utf-8'), held_out.encode('utf-8')
    packer = zlib.compressobj(9, zdict=before[-32768:])
    zipped = len(packer.compress(after) + packer.flush())
    longer = len(lzma.compress(before + after, preset=9)) - len(lzma.compress(before, preset=9))
    return [('UTF-8', 8 * len(after) / len(held_out)),
            ('zlib, the last 32 KiB of the training text known', 8 * zipped / len(held_out)),
            ('lzma, all of the training text known', 8 * longer / len(held_out))]


def uses(bench: Workbench) -> Outcome:
    """6.1.2: ordering, correcting, cutting and compressing, each with a small GRU and with counted pairs."""
    corpus = bench.corpus(CHARS)
    before, held_out = corpus.split(0.1)
    learned = Corpus(before, corpus.idx_to_char)        # the last ninth of it chooses the epoch, and is otherwise not used
    train, _ = learned.split(1 / 9)
    best = KeepBest()
    training = bench.train('GRU', corpus=learned, on_epoch=best, cell='gru', num_hiddens=128, sigma=0.1, valid_fraction=1 / 9,
                           num_epochs=bench.size(6, 2), batch_size=16, optimizer='adam', lr=5e-3, clipping_theta=1)
    best.restore(training)
    model = training.model
    table = bigram_log_probs(train, corpus.vocab_size)
    scores: List[Tuple[str, Score]] = [('GRU', lambda rows: log_probs(model, rows)),
                                       ('pairs', lambda rows: bigram_rows(table, rows))]
    rows = [row for row in verses(held_out, corpus) if len(set(row[1:-1])) >= 3][:bench.size(400, 10)]
    if not rows:
        raise ValueError('the held-out text has no verses of three characters or more: give a longer text')
    results: List[List[Any]] = []       # use, GRU, pairs, by chance, a standard error of that

    def add(use: str, gru: float, pairs: float, by_chance: np.ndarray) -> None:
        error = float(np.sqrt((by_chance * (1 - by_chance)).sum())) / len(rows)
        results.append([use, gru, pairs, float(by_chance.mean()), error])

    bench.tell('ordering, choosing and locating')
    gru, pairs = (order(rows, s, bench.rng()) for _, s in scores)
    add('real verse or its characters shuffled', gru, pairs, np.full(len(rows), 0.5))
    (gru, chosen), (pairs, _) = (choose(rows, s, bench.rng(), train) for _, s in scores)
    add(f'the right one of {CANDIDATES} characters in a verse', gru, pairs, np.full(len(rows), 1 / CANDIDATES))
    gru, pairs = (locate(rows, s, bench.rng(), train) for _, s in scores)
    add('which character of a verse is wrong', gru, pairs, np.array([1 / (len(row) - 2) for row in rows]))
    evidence: List[Any] = []
    if ' ' in corpus.char_to_idx:
        bench.tell('putting spaces')
        f1, at_random, error, shown = spaces_found(model, held_out, corpus, bench.size(60, 2), bench.rng())
        results.append(['spaces put back into text without (F1)', f1, None, at_random, error])
        evidence.append(Lines(('Where verses end: as sung, and as the GRU puts it', '断句：原文与 GRU 的结果'), shown))
    evidence.append(Lines((f'Verses with one of {CANDIDATES} characters chosen for a gap',
                           f'从 {CANDIDATES} 个字中选一个填空的歌词'), [
        f'{corpus.decode(verse[1:place])}[{corpus.decode([verse[place]])}]{corpus.decode(verse[place + 1:-1])}'
        f'{"" if verse[place] == row[place] else f"   wanted {corpus.decode([row[place]])}"}'
        for (verse, place), row in list(zip(chosen, rows))[:8]]))
    bits = [*_bits(evaluate(model, held_out, 1, training.settings.num_steps), train, held_out, table, corpus.vocab_size),
            *compressed(corpus.decode(train), corpus.decode(held_out))]
    return Outcome(_answer(results, bits, len(rows)), [
        Table((f'Uses, on {len(rows)} held-out verses: part that is right', f'各种用途，在 {len(rows)} 句留出歌词上的正确率'),
              ('use', 'GRU', 'counted pairs', 'by chance', 'standard error of chance'), results),
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
    told: Tuple[List[str], List[str]] = ([], [])
    for use, gru, pairs, chance, error in results:
        en, zh = names[use.split()[0]]
        clear = gru - chance > 2 * error
        told[0].append(f'{en} {gru:.0%} ({f"counted pairs {pairs:.0%}, " if pairs is not None else ""}by chance {chance:.0%}'
                       f'{"" if clear else ", not clearly above it"})')
        told[1].append(f'{zh} {gru:.0%}（{f"相邻字统计 {pairs:.0%}，" if pairs is not None else ""}随机 {chance:.0%}'
                       f'{"" if clear else "，不明显高于随机"}）')
    ahead = sum(gru - chance > 2 * error for _, gru, _, chance, error in results)
    versus = [_against(gru, pairs, many) for _, gru, pairs, _, _ in results if pairs is not None]
    better, worse, alike = (versus.count(sign) for sign in (1, -1, 0))
    need = dict(bits)
    finite = {name: value for name, value in need.items() if math.isfinite(value)}
    least = min(finite, key=lambda name: finite[name])
    gain = need['counted pairs'] - need['GRU']
    en = (f'One small GRU, trained only to name the next character, was tried on {many} held-out verses: {"; ".join(told[0])}. '
          f'It beats chance by more than two standard errors in {ahead} of {len(results)}. Counting pairs of characters can be '
          f'used in the same way: of {len(versus)} uses the GRU is clearly better in {better}, clearly worse in {worse}, and '
          f'there is no clear difference in {alike}. Probabilities also compress: the GRU needs {need["GRU"]:.2f} bits a '
          f'character, counted pairs {need["counted pairs"]:.2f} ({_bits_verdict(gain)[0]}), every character alike '
          f'{need["every character alike"]:.2f}; least of all needs "{least}", {need[least]:.2f}. The same score serves speech '
          'recognition, translation and input methods: of what sounds or means alike, take what is most probable as a sentence.')
    zh = (f'一个只学过预测下一个字的小 GRU，在 {many} 句留出歌词上：{"；".join(told[1])}。{len(results)} 项中有 {ahead} 项高于随'
          f'机两个标准误差以上。统计相邻字也能这样用：{len(versus)} 项中 GRU 明显更好的有 {better} 项，明显更差的有 {worse} 项，'
          f'没有明显差别的有 {alike} 项。概率还能用来压缩：GRU 每个字符需要 {need["GRU"]:.2f} 比特，相邻字统计需要 '
          f'{need["counted pairs"]:.2f} 比特（{_bits_verdict(gain)[1]}），各字符等概率需要 {need["every character alike"]:.2f} 比'
          f'特；最少的是“{_ZH.get(least, least)}”，{need[least]:.2f} 比特。语音识别、机器翻译和输入法同样如此：在读音或意思相近的'
          '候选中取最像句子的一个。')
    return en, zh


def _against(one: float, other: float, many: int) -> int:
    """1 or -1 where two shares of `many` trials are more than two standard errors of their difference apart, else 0."""
    error = math.sqrt((one * (1 - one) + other * (1 - other)) / many)
    return 0 if abs(one - other) <= 2 * error else 1 if one > other else -1


def _bits_verdict(gain: float) -> Text:
    """gain: bits a character that the GRU saves over counted pairs."""
    if not math.isfinite(gain):
        return 'which cannot be compared', '无法比较'
    if abs(gain) < 0.05:
        return 'no clear difference', '没有明显差别'
    return (('the GRU is better', 'GRU 更好') if gain > 0 else ('counting is better than the GRU here', '这里统计比 GRU 更好'))


_ZH = {'every character alike': '各字符等概率', 'frequencies': '字频', 'counted pairs': '相邻字统计',
       'zlib, the last 32 KiB of the training text known': 'zlib', 'lzma, all of the training text known': 'lzma'}

EXERCISES = (
    Exercise('6.1.2', ('For what else than generating text could a language model be used?',
                       '除了生成文本，语言模型还能用来做什么？'), uses),
)
