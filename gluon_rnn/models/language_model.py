"""Tokens -> one-hot vectors or an embedding -> recurrent network -> output layer: the language model of sections 6.4 to 6.10."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence, Tuple

from mxnet import nd

from ..cells.build import NetworkConfig
from ..cells.embedding import Embedding
from ..cells.lengths import Lengths, check_lengths
from ..cells.ops import OneHot, State, time_major
from ..corpora.device_indices import Told, bounded
from ..corpora.indices import check_indices
from ..corpora.tokens import Vocabulary
from ..runs.arrays import pack_arrays
from ..runs.files import write_whole
from .base import Model, build_parts, check_matrix


@dataclass(frozen=True)
class ModelConfig(NetworkConfig):
    """A language model: its network, and how many characters, or words, it knows.

    embed_size: columns of an embedding that the network reads; 0: it reads one-hot vectors.
    """
    vocab_size: int = 0
    embed_size: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vocab_size < 1:
            raise ValueError(f'vocab_size must be 1 or more, got {self.vocab_size}')
        if self.embed_size < 0:
            raise ValueError(f'embed_size must be 0 (none) or more, got {self.embed_size}')


class LanguageModel(Model):
    """A model that predicts the next character, for any network.

    A *bidirectional* one is no true language model: at each step its second direction has read all that
    follows, including the character it must predict. Its perplexity falls towards 1 because it copies the
    answer, and says nothing about how well it knows the language; written out character by character, where nothing
    follows yet, it makes poor verses. It is here because section 6.10 leads to it, and to show just this. Its second direction
    starts anew with each call: a batch knows nothing of the text behind it.

    idx_to_char: its vocabulary, once it is known: `train` takes it from a corpus, `load_model` from the file.
    """

    made_by = 'scripts/train.py'
    # what an implementation may offer beyond the contract, see `whole_step.py`
    begin_epoch: Any
    train_step: Any
    label_losses: Any
    write: Any

    @staticmethod
    def build(config: ModelConfig, ctx: Any = None) -> LanguageModel:
        return build_model(config, ctx)

    @property
    def vocab_size(self) -> int:
        return self.config.vocab_size

    def __call__(self, X: nd.NDArray, state: State, lengths: Lengths | None = None) -> Tuple[nd.NDArray, State]:
        """X: (batch_size, num_steps), indices of characters; state: from `begin_state` or the call before.

        lengths: how many characters of each row are real (`cells/lengths.py`); the logits after them say nothing.
        Returns the logits (num_steps * batch_size, vocab_size), all rows of the first step first, and the new state.
        Raises ValueError for a state that does not fit. Indices out of range are seen on the device alone: they are a ValueError
        where the logits, or the loss that is made from them, are read.
        """
        on_host = not isinstance(X, nd.NDArray)
        if on_host:
            X = check_indices(X, self.vocab_size, 'X')
        X = check_matrix(X, 'X', ctx=self.ctx)
        if lengths is not None:     # padding is never read, whatever it holds
            lengths = check_lengths(lengths, X.shape[1], X.shape[0])
            X = nd.SequenceMask(X, nd.array(lengths, ctx=self.ctx), use_sequence_length=True, axis=1)
        indices, wrong = (X, None) if on_host else bounded(X, self.vocab_size)
        indices = time_major(indices)
        inputs = self.embedding(indices) if self.embedding else OneHot(indices, self.vocab_size)
        H, state = self.network(inputs, state, lengths)
        rows, state = H.reshape((-1, self.network.num_outputs)), self.network.carry(state)
        if wrong is None:
            return self.output(rows), state
        return Told.of(self.output(rows + wrong), (X, self.vocab_size, 'X')), state

    def save(self, path: Path | str, idx_to_char: Sequence[str] | None = None) -> None:
        """Write settings, vocabulary and weights to a file for `load_model`, whole or not at all, checksummed, no pickle.

        idx_to_char: None: the model's own. Raises ValueError where there is none, or a weight is not finite; OSError where the
        file cannot be written. `scripts/generate.py` and `export.py` take the file, too.
        """
        vocabulary = Vocabulary.of(self.idx_to_char if idx_to_char is None else idx_to_char)
        if len(vocabulary) != self.vocab_size:
            raise ValueError(f'the vocabulary must have {self.vocab_size} entries as the model, got {len(vocabulary)}: give it, '
                             f'as model.save(path, corpus.idx_to_char)')
        weights = {f'params/{name}': param.asnumpy() for name, param in self.parameters().items()}
        description = {'model': dataclasses.asdict(self.config), **vocabulary.as_dict(), 'epoch': 0, 'optimizer': {}}
        write_whole(Path(path), pack_arrays(description, weights))


def build_model(config: ModelConfig, ctx: Any = None) -> LanguageModel:
    """The model that `config` describes, its weights newly drawn, on ctx (the CPU unless said)."""
    parts = build_parts(config, config.embed_size or config.vocab_size, config.vocab_size, ctx)
    model = LanguageModel(config, *parts, Embedding(config.vocab_size, config.embed_size, ctx=ctx) if config.embed_size else None)
    if config.impl == 'numba':
        from .whole_step import WholeSteps  # Numba has been loaded
        whole = WholeSteps(model)
        model.begin_epoch, model.train_step = whole.begin_epoch, whole.train_step
        model.label_losses, model.write = whole.label_losses, whole.write
    return model


def copy_params(source: LanguageModel, target: LanguageModel) -> None:
    """Carry all weights from one implementation of a model to another (`cells/weights.py` says how they lie in each).

    Raises ValueError if the two are not the same network.
    """
    target.load_book_params(source.book_params())


def redraw_weights(model: Any, sigma: float) -> None:
    """Draw the weights of a new model again, from N(0, sigma) instead of the book's N(0, 0.01); biases stay at zero.

    Raises ValueError for a sigma below zero.
    """
    if not 0 <= sigma < float('inf'):
        raise ValueError(f'sigma must be 0 or more, got {sigma}')
    model.load_book_params({name: nd.random.normal(scale=sigma, shape=value.shape).asnumpy() if value.ndim > 1 else value
                            for name, value in model.book_params().items()})
