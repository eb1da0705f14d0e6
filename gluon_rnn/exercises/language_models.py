"""Sections 6.1 and 6.2: what language models store, what they are good for, and what a recurrent one puts out."""
from __future__ import annotations

import re
from typing import Dict, List

import numpy as np
from mxnet import nd

from ..corpus import Corpus, load_corpus
from .frame import Exercise, Outcome, Table
from .workbench import QUICK_CHARS, Workbench


def words_of(text: str) -> List[str]:
    """English as words, anything else as what stands between spaces."""
    return re.findall("[a-z']+", text.lower()) if re.search('[a-z]{3}', text.lower()) else text.split()


def as_corpus(units: List[str]) -> Corpus:
    """A corpus whose 'characters' are the units given: words, for example."""
    idx_to_unit, indices = np.unique(np.array(units), return_inverse=True)
    return Corpus(indices.astype(np.int32), tuple(map(str, idx_to_unit)))


def texts(bench: Workbench) -> Dict[str, str]:
    """The workbench's text, all of it, and the embedded and the English one where they are to be had."""
    found = {}
    for name in dict.fromkeys((bench.corpus_name, 'lyrics', 'time_machine')):
        try:
            corpus = load_corpus(name, max_chars=bench.size(0, QUICK_CHARS))
        except (ValueError, OSError):
            continue
        found[name] = corpus.decode(corpus.indices)
    return found


def outputs_needed(bench: Workbench) -> Outcome:
    """6.2.1: one output for each word that may come next."""
    rows = []
    for name, text in texts(bench).items():
        for unit, units in (('characters', list(text)), ('words', words_of(text))):
            corpus = as_corpus(units)
            model = bench.model(corpus.vocab_size, cell='rnn')
            logits, _ = model(nd.array(corpus.indices[:10].reshape(2, 5)), model.begin_state(2))
            sums = nd.softmax(logits).sum(axis=1)
            sizes = {key: value.size for key, value in model.parameters().items()}
            output = sizes['W_hq'] + sizes['b_q']
            rows.append((name, unit, corpus.vocab_size, logits.shape[1], float((sums - 1).abs().max().asscalar()), output,
                         output / sum(sizes.values())))
    equal = all(row[2] == row[3] for row in rows)
    most = max(rows, key=lambda row: row[2])
    h = bench.settings()['num_hiddens']
    en = (f'As many as there are different words: {"in every row" if equal else "NOT in every row"} the network has one output '
          f'for each unit of the vocabulary, for softmax gives each a probability and they must add up to 1. For the {most[1]} '
          f'of {most[0]} these are {most[2]:,} outputs, and with {h} hidden units the output layer alone has '
          f'({h} + 1) x {most[2]:,} = {most[5]:,} numbers, {most[6]:.0%} of the model.')
    zh = (f'输出个数等于词典大小：{"每一行都如此" if equal else "并非每一行都如此"}，词典中每个词对应一个输出，'
          f'softmax 给每个词一个概率，总和为 1。{most[0]} 以{"词" if most[1] == "words" else "字"}为单位时需要 {most[2]:,} '
          f'个输出；隐藏单元为 {h} 个时，仅输出层就有 ({h} + 1) × {most[2]:,} = {most[5]:,} 个参数，占模型的 {most[6]:.0%}。')
    table = Table(('Outputs of an RNN for several vocabularies', '不同词典下循环神经网络的输出'),
                  ('text', 'unit', 'vocabulary', 'outputs', 'largest |sum of probabilities - 1|', 'output layer', 'its share'),
                  rows)
    return Outcome((en, zh), [table])


EXERCISES = (
    Exercise('6.2.1', ('A recurrent network is to name the next word of a text. How many outputs does it need?',
                       '若用循环神经网络预测下一个词，输出层需要多少个输出？'), outputs_needed),
)
