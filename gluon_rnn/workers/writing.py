"""A text instead of an epoch: d2lzh's own `predict_rnn`, or this project's `generate`, greedy as the book writes."""
from __future__ import annotations

import importlib
from typing import Any, Callable, Dict


def prepare(options: Dict[str, Any]) -> Callable[[], float]:
    num_chars, vocab_size, cell, num_hiddens = (options[key] for key in ('num_chars', 'vocab_size', 'cell', 'num_hiddens'))
    chars = [chr(0x4e00 + i) for i in range(vocab_size)]
    prefix = ''.join(chars[:2])
    if options['impl'] == 'd2lzh':
        book = importlib.import_module('book')      # beside this file, which is run from its own folder
        params = book.get_params(book.GATES[cell], vocab_size, num_hiddens, vocab_size)
        init = book.init_lstm_state if cell == 'lstm' else book.init_rnn_state
        char_to_idx = {char: i for i, char in enumerate(chars)}

        def write() -> float:
            book.d2l.predict_rnn(prefix, num_chars - 1, {'rnn': book.rnn, 'gru': book.gru, 'lstm': book.lstm}[cell], params, init,
                                 num_hiddens, vocab_size, book.ctx, chars, char_to_idx)
            return 0
        return write

    import gluon_rnn
    gluon_rnn.seed(0)
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell=cell, impl=options['impl'], num_hiddens=num_hiddens,
                                                        vocab_size=vocab_size))

    def write_here() -> float:
        gluon_rnn.generate(model, chars, prefix, num_chars - 1)
        return 0
    return write_here
