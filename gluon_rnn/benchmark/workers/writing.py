"""A text instead of an epoch: d2lzh's own `predict_rnn` and `predict_rnn_gluon`, or this project's `generate`, greedy.

The impl 'onnx' is a hybrid model exported and read by ONNX Runtime.
"""
from __future__ import annotations

import importlib
from typing import Any, Callable, Dict, Tuple


def prepare(options: Dict[str, Any]) -> Callable[[], Dict[str, int]]:
    """Writes num_chars - 1 characters after the first two, and returns how many it has written."""
    num_chars, vocab_size, cell, num_hiddens = (options[key] for key in ('num_chars', 'vocab_size', 'cell', 'num_hiddens'))
    chars = [chr(0x4e00 + i) for i in range(vocab_size)]
    prefix = ''.join(chars[:2])
    if options['impl'].startswith('d2lzh'):
        book = importlib.import_module('book')      # beside this file, which is run from its own folder
        vocabulary = chars, {char: i for i, char in enumerate(chars)}
        network: Tuple[Any, ...]
        if options['impl'] == 'd2lzh gluon':
            block = book.rnn_model(cell, num_hiddens, vocab_size)
            block.initialize(ctx=book.ctx)
            predict, network = book.d2l.predict_rnn_gluon, (block,)
        else:
            predict, network = book.d2l.predict_rnn, (*book.by_hand(cell, num_hiddens, vocab_size), num_hiddens)

        def write() -> Dict[str, int]:
            return {'length': len(predict(prefix, num_chars - 1, *network, vocab_size, book.ctx, *vocabulary)) - len(prefix)}
        return write

    import gluon_rnn
    gluon_rnn.seed(0)
    exported = options['impl'] == 'onnx'
    model: Any = gluon_rnn.build_model(gluon_rnn.ModelConfig(cell=cell, impl='hybrid' if exported else options['impl'],
                                                             num_hiddens=num_hiddens, vocab_size=vocab_size))
    if exported:
        from gluon_rnn.exchange.onnx_model import load_onnx_bytes
        from gluon_rnn.exchange.to_onnx import to_onnx
        model = load_onnx_bytes(to_onnx(model, chars), 'the model')

    def write_here() -> Dict[str, int]:
        return {'length': len(gluon_rnn.generate(model, chars, prefix, num_chars - 1)) - len(prefix)}
    return write_here
