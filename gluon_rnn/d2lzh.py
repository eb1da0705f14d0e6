"""The book's own function names: `from gluon_rnn import d2lzh as d2l` where the book has `import d2lzh as d2l`.

Names, signatures, returned types and what is printed are those of chapter 6 in d2lzh 1.0.0, the work is done by the rest of
gluon_rnn. Started from the same seeds, a network learns the same, to rounding, and one written by hand takes as long as with
d2lzh: its operators are the reader's own. What differs: corpora are found from any folder; the vocabulary is sorted, so that it
is the same in every run; a text too short for one batch, a prefix with an unknown character and a loss that is no longer finite
are errors that say so. A Gluon model's weights are all drawn before training begins, by a pass without dropout; d2lzh draws those
of unknown shape in the first training step, so that a Dropout before such a layer draws other numbers there than here.

What chapter 6 does not define (`d2l.plt`, `d2l.train`, `d2l.linreg`) is d2lzh's own, where d2lzh is installed.
"""
from __future__ import annotations

import importlib
import random
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from mxnet import init, nd
from mxnet.gluon import nn

from .corpora.corpus import CORPORA, Corpus, load_corpus
from .corpora.device_indices import Told, bounded
from .corpora.indices import check_indices
from .corpora.reading import read_text
from .corpora.sampling import Batch, consecutive_batches, random_batches
from .corpora.tokens import Vocabulary
from .models.base import check_matrix
from .models.generation import generate
from .models.readers import ByHand, Gluon, OneByOne, one_hots
from .runtime import try_all_gpus, try_gpu
from .runtime.hook import restore_ipython_names
from .training.config import TrainConfig
from .training.optimizer import global_norm
from .training.trainer import Trainer

__all__ = [
    'RNNModel', 'data_iter_consecutive', 'data_iter_random', 'grad_clipping', 'load_data_jay_lyrics', 'load_data_time_machine',
    'predict_rnn', 'predict_rnn_gluon', 'sgd', 'to_onehot', 'train_and_predict_rnn', 'train_and_predict_rnn_gluon',
    'try_all_gpus', 'try_gpu',
]

def __getattr__(name: str) -> Any:
    """Pass names that chapter 6 does not define on to d2lzh, if it is installed."""
    if not name.startswith('__'):
        restore_ipython_names()
        try:
            return getattr(importlib.import_module('d2lzh'), name)
        except ImportError:
            raise AttributeError(f'gluon_rnn.d2lzh has the names of chapter 6, and {name!r} is not among them; with d2lzh '
                                 f'installed (pip install d2lzh==1.0.0) its names are here, too') from None
        except AttributeError:
            pass
    raise AttributeError(f'neither gluon_rnn.d2lzh nor d2lzh has {name!r}')


CorpusData = Tuple[List[int], Dict[str, int], List[str], int]


def load_data_jay_lyrics() -> CorpusData:
    """The Chinese book's corpus, section 6.3: (corpus_indices, char_to_idx, idx_to_char, vocab_size)."""
    return _load('jaychou')


def load_data_time_machine() -> CorpusData:
    """The English book's corpus: (corpus_indices, char_to_idx, idx_to_char, vocab_size)."""
    return _load('time_machine')


def _load(name: str) -> CorpusData:
    try:
        corpus = load_corpus(name, folder='../data')    # where d2lzh reads it; elsewhere when it is not there
    except ValueError:
        known = CORPORA[name]
        path = Path('../data') / known.file
        if not path.is_file():
            raise
        text = read_text(path, known.member)
        warnings.warn(f"{path} is not the book's text: it is read as it is, and the figures will be others", stacklevel=3)
        text = (text.lower() if known.lower else text).replace('\n', ' ').replace('\r', ' ')
        corpus = Corpus.from_text(text[:known.max_chars])
    return corpus.indices.tolist(), dict(corpus.char_to_idx), list(corpus.idx_to_char), corpus.vocab_size


def data_iter_random(corpus_indices: Any, batch_size: int, num_steps: int, ctx: Any = None) -> Iterator[Batch]:
    """Batches X, Y in random order, section 6.3.3; `random.seed` settles the order."""
    return random_batches(corpus_indices, batch_size, num_steps, ctx=ctx, rng=random)


def data_iter_consecutive(corpus_indices: Any, batch_size: int, num_steps: int, ctx: Any = None) -> Iterator[Batch]:
    """Batches X, Y of which each goes on where the one before stopped, section 6.3.3."""
    return consecutive_batches(corpus_indices, batch_size, num_steps, ctx=ctx)


def to_onehot(X: nd.NDArray, size: int) -> List[nd.NDArray]:
    """(batch_size, num_steps) of indices -> num_steps arrays (batch_size, size), section 6.4.1.

    Raises ValueError for indices that are not below size, which it waits for.
    """
    return one_hots(nd.array(check_indices(X, size, 'X'), ctx=getattr(X, 'context', None)), size)


def grad_clipping(params: Any, theta: float | None, ctx: Any) -> None:
    """Scale all gradients down, in place, to a global norm of theta; None: leave them. Section 6.4.5."""
    if theta is None or not params:
        return
    grads = [param.grad for param in params]
    factor = nd.minimum(theta / global_norm(grads), 1)
    for grad in grads:
        grad *= factor


def sgd(params: Any, lr: float, batch_size: int) -> None:
    """One step of mini-batch stochastic gradient descent, in place, section 3.2.6."""
    for param in params:
        param -= lr * param.grad / batch_size


class RNNModel(nn.Block):
    """A `gluon.rnn` layer between one-hot vectors and an output layer, section 6.5.2."""

    def __init__(self, rnn_layer: Any, vocab_size: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.rnn = rnn_layer
        self.vocab_size = vocab_size
        self.dense = nn.Dense(vocab_size)

    def forward(self, inputs: nd.NDArray, state: Any) -> Tuple[nd.NDArray, Any]:
        """inputs (batch_size, num_steps) -> logits (num_steps * batch_size, vocab_size), time-major, and the new state.

        An index that is not below vocab_size is a ValueError where the logits, or a loss that is made from them, are read.
        """
        inputs = check_matrix(inputs, 'inputs')
        indices, wrong = bounded(inputs, self.vocab_size)
        H, state = self.rnn(nd.one_hot(indices.T, self.vocab_size), state)
        return Told.of(self.dense(H.reshape((-1, H.shape[2])) + wrong), (inputs, self.vocab_size, 'inputs')), state

    def begin_state(self, *args: Any, **kwargs: Any) -> Any:
        return self.rnn.begin_state(*args, **kwargs)


def predict_rnn(prefix: str, num_chars: int, rnn: Any, params: Any, init_rnn_state: Any, num_hiddens: int, vocab_size: int,
                ctx: Any, idx_to_char: Any, char_to_idx: Any) -> str:
    """`prefix` and the num_chars likeliest characters after it, from a network written by hand, section 6.4.4."""
    model = ByHand(rnn, params, init_rnn_state, num_hiddens, vocab_size, ctx)
    return generate(OneByOne(model), _vocabulary(idx_to_char), prefix, num_chars)


def predict_rnn_gluon(prefix: str, num_chars: int, model: Any, vocab_size: int, ctx: Any, idx_to_char: Any,
                      char_to_idx: Any) -> str:
    """`prefix` and the num_chars likeliest characters after it, from a Gluon model, section 6.5.3."""
    return generate(OneByOne(Gluon(model, vocab_size, ctx)), _vocabulary(idx_to_char), prefix, num_chars)


def train_and_predict_rnn(rnn: Any, get_params: Any, init_rnn_state: Any, num_hiddens: int, vocab_size: int, ctx: Any,
                          corpus_indices: Any, idx_to_char: Any, char_to_idx: Any, is_random_iter: bool, num_epochs: int,
                          num_steps: int, lr: float, clipping_theta: float | None, batch_size: int, pred_period: int,
                          pred_len: int, prefixes: Any) -> None:
    """Train a network written by hand, and every pred_period epochs print its perplexity and verses, section 6.4.7.

    rnn(inputs, state, params) -> outputs, state: inputs and outputs are lists of num_steps matrices of batch_size rows;
    get_params() -> list of arrays with gradients; init_rnn_state(batch_size, num_hiddens, ctx) -> the first state.
    """
    model = ByHand(rnn, get_params(), init_rnn_state, num_hiddens, vocab_size, ctx)
    config = _config('random' if is_random_iter else 'consecutive', num_epochs, num_steps, batch_size, lr, clipping_theta)
    _train_and_predict(model, config, corpus_indices, idx_to_char, pred_period, pred_len, prefixes)


def train_and_predict_rnn_gluon(model: Any, num_hiddens: int, vocab_size: int, ctx: Any, corpus_indices: Any,
                                idx_to_char: Any, char_to_idx: Any, num_epochs: int, num_steps: int, lr: float,
                                clipping_theta: float | None, batch_size: int, pred_period: int, pred_len: int,
                                prefixes: Any) -> None:
    """Train a Gluon model, its weights drawn anew, and every pred_period epochs print as above, section 6.5.3.

    model(X, state) -> logits (num_steps * batch_size, vocab_size), state; model.begin_state(batch_size=, ctx=).
    """
    config = _config('consecutive', num_epochs, num_steps, batch_size, lr, clipping_theta)
    model.initialize(ctx=ctx, force_reinit=True, init=init.Normal(0.01))
    # the weights whose shapes are not known yet are drawn when the model first sees an input
    model(nd.zeros((batch_size, num_steps), ctx=ctx), model.begin_state(batch_size=batch_size, ctx=ctx))
    adapted = Gluon(model, vocab_size, ctx)
    _train_and_predict(adapted, config, corpus_indices, idx_to_char, pred_period, pred_len, prefixes)


def _vocabulary(idx_to_char: Any) -> Vocabulary:
    return Vocabulary(idx_to_char[i] for i in range(len(idx_to_char)))      # a dict will do, too


def _config(sampling: str, num_epochs: int, num_steps: int, batch_size: int, lr: float, theta: float | None) -> TrainConfig:
    if theta is not None and not theta > 0:
        raise ValueError(f'clipping_theta must be above 0, or None for no clipping, got {theta}')
    return TrainConfig(sampling=sampling, num_epochs=num_epochs, num_steps=num_steps, batch_size=batch_size, lr=lr,
                       clipping_theta=theta or 0, seed=None)


def _train_and_predict(model: Any, config: TrainConfig, corpus_indices: Any, idx_to_char: Any, pred_period: int, pred_len: int,
                       prefixes: Any) -> None:
    vocabulary = _vocabulary(idx_to_char)
    if pred_period < 1:
        raise ValueError(f'pred_period must be 1 or more epochs, got {pred_period}')
    if pred_period <= config.num_epochs:
        for prefix in prefixes:     # rather now than after the first pred_period epochs
            if not prefix:
                raise ValueError('a prefix in prefixes is empty: give at least one character to start from')
            vocabulary.encode(prefix)
    for record in Trainer(model, config, rng=random).epochs(corpus_indices):
        if record.epoch % pred_period == 0:
            print(f'epoch {record.epoch}, perplexity {record.perplexity:f}, time {record.seconds:.2f} sec')
            for prefix in prefixes:
                print(' -', generate(OneByOne(model), vocabulary, prefix, pred_len))
