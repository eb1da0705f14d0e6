"""Reading a text and cutting it into mini-batches of both kinds, in NumPy: the pass over a text before any epoch."""
from __future__ import annotations

import random
import time
from typing import Any, Callable, Dict

from gluon_rnn import load_corpus  # by name: so all libraries are loaded here
from gluon_rnn.corpora.sampling import consecutive_rows, random_rows


def prepare(options: Dict[str, Any]) -> Callable[[], Dict[str, Any]]:
    """One pass reads all of options['corpus'] and makes each batch once. It returns the seconds and the batches of each part."""
    sizes = options['batch_size'], options['num_steps']

    def cut() -> Dict[str, Any]:
        start = time.perf_counter()
        corpus = load_corpus(options['corpus'], max_chars=0)
        read = time.perf_counter()
        consecutive = sum(1 for _ in consecutive_rows(corpus.indices, *sizes))
        between = time.perf_counter()
        shuffled = sum(1 for _ in random_rows(corpus.indices, *sizes, rng=random.Random(0)))
        end = time.perf_counter()
        return {'reading': read - start, 'consecutive': between - read, 'random': end - between, 'seconds': end - start,
                'num_chars': len(corpus), 'vocab_size': corpus.vocab_size, 'consecutive_batches': consecutive,
                'random_batches': shuffled}
    return cut
