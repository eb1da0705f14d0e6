"""Filling gaps in a text from both sides: the task that fits a bidirectional network.

    能 不 能 给 我 一 _ 歌 的 时 间       →H has read 能不能给我一_      ←H has read 间时的歌_
                                       the output layer predicts the character from both: 首
A masked character is replaced by a symbol of its own, so neither direction can see the answer, and the loss counts masked
places alone.
"""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Iterator, List, Sequence, Tuple

import numpy as np
from mxnet import nd

from ..cells.base import Network
from ..cells.lengths import Lengths, check_lengths
from ..cells.ops import OneHot, State
from ..corpora.indices import check_indices
from ..corpora.sampling import Rows, masked_batches
from ..corpora.tokens import Vocabulary
from ..training.config import TrainConfig
from ..training.loss import perplexity
from ..training.source import TextBatches
from .base import Model, build_parts, check_matrix, count_parameters, with_parameters
from .language_model import ModelConfig

MASK = '_'          # a gap in a text that a user writes


class FillIn(Model):
    """Predicts the characters behind the masks. Its network reads one symbol more than there are characters, the mask, last."""
    made_by = 'scripts/fill_in.py train'

    def __init__(self, config: ModelConfig, network: Network, output: Any):
        super().__init__(config, network, output)
        self.mask = config.vocab_size

    def __call__(self, X: nd.NDArray, state: State, lengths: Lengths | None = None) -> Tuple[nd.NDArray, State]:
        """X: (batch_size, num_steps), indices of characters and masks; lengths: how many of each row are real.

        Returns the logits (number of masks, vocab_size), row by row of X, and the new state.
        Raises ValueError if nothing is masked, and for indices and a state that do not fit.
        """
        X = check_matrix(X, 'X', ctx=self.ctx)
        symbols = X.asnumpy()
        if lengths is None:
            check_indices(symbols, self.mask + 1, 'X')
        else:       # padding is never read, whatever it holds
            lengths = check_lengths(lengths, X.shape[1], X.shape[0])
            real = np.arange(X.shape[1]) < lengths[:, None]
            check_indices(symbols[real], self.mask + 1, 'X')
            symbols[~real] = -1
        rows, steps = np.nonzero(symbols == self.mask)
        if not len(rows):
            raise ValueError('nothing is masked: there is nothing to fill in')
        H, state = self.network(OneHot(X.T, self.mask + 1), state, lengths)
        places = nd.array(steps * X.shape[0] + rows, ctx=self.ctx, dtype='int32')      # H is time-major
        return self.output(nd.take(H.reshape((-1, self.network.num_outputs)), places)), self.network.carry(state)

    def log_probabilities(self, X: Any) -> np.ndarray:
        """(number of masks, vocab_size), row by row of X, from a new state."""
        return nd.log_softmax(self(X, self.begin_state(len(X)))[0]).asnumpy()

    @staticmethod
    def build(config: ModelConfig, ctx: Any = None) -> FillIn:
        return FillIn(config, *build_parts(config, config.vocab_size + 1, config.vocab_size, ctx))


def one_directional(config: ModelConfig) -> ModelConfig:
    """The same network without its second direction, with the number of hidden units that comes nearest in parameters."""
    if not config.bidirectional:
        raise ValueError('the network has one direction already')
    sizes = config.vocab_size + 1, config.vocab_size
    single = dataclasses.replace(config, bidirectional=False, backward_hiddens=None)
    return with_parameters(single, count_parameters(config, *sizes), *sizes)


class MaskedText(TextBatches):
    """Masked batches of a text under either sampling, a source for `Trainer.epochs_on`; each epoch masks other characters.

    Raises ValueError for a mask_rate out of range and where the text is too short for one batch.
    """

    def __init__(self, corpus_indices: Any, config: TrainConfig, mask: int, mask_rate: float):
        if not 0 < mask_rate < 1:
            raise ValueError(f'mask_rate must be above 0 and below 1, got {mask_rate}')
        indices = check_indices(corpus_indices, mask, 'the indices of the text')
        super().__init__(indices.astype(np.int64, copy=False), config)      # a type that holds the mask, too
        self.mask, self.mask_rate = mask, mask_rate

    def batches(self, epoch: int) -> Iterator[Rows]:
        """Masked batches of an epoch, a function of seed and epoch alone."""
        seed = self.config.seed
        chosen = np.random.default_rng(None if seed is None else [seed, epoch])
        return masked_batches(super().batches(epoch), self.mask, self.mask_rate, chosen)


@dataclass(frozen=True)
class Score:
    """The score of filled gaps: accuracy, and perplexity per character."""
    accuracy: float
    perplexity: float


def evaluate_gaps(model: Any, batches: Sequence[Rows]) -> Score:
    """The score on masked batches. model: a `FillIn`, or another with its `log_probabilities`, as `bigrams.Counting`.

    Raises Diverged if the perplexity is too large for a float.
    """
    right = loss = number = 0.0
    for X, y in batches:
        log_p = model.log_probabilities(X)
        right, number = right + float((log_p.argmax(axis=1) == y).sum()), number + len(y)
        loss -= float(log_p[np.arange(len(y)), y].sum())
    return Score(right / number, perplexity(loss / number, 'the gaps'))


def held_out_batches(indices: Any, mask: int, mask_rate: float, num_steps: int, *, rounds: int = 3) -> List[Rows]:
    """The same gaps for everyone: rows of num_steps of a text, masked `rounds` times over from fixed seeds."""
    config = TrainConfig(sampling='consecutive', num_steps=num_steps, seed=0,
                         batch_size=max(1, min(64, (len(indices) - 1) // (num_steps + 1))))
    text = MaskedText(indices, config, mask, mask_rate)
    return [batch for k in range(rounds) for batch in text.batches(k)]


@dataclass(frozen=True)
class Filled:
    """A text with its gaps filled, and of each gap the likeliest characters with their probabilities."""
    text: str
    candidates: List[List[Tuple[str, float]]]


def fill(model: FillIn, idx_to_char: Sequence[str], texts: Sequence[str], *, num_candidates: int = 5) -> List[Filled]:
    """Fill the gaps (`_`) of texts of any lengths, all in one batch.

    Raises ValueError for a text without a gap, and for characters that the model does not know.
    """
    if not texts:
        raise ValueError('no text was given: give one with a gap, such as 能不能给我一_歌的时间')
    for text in texts:
        if MASK not in text:
            raise ValueError(f'{text!r} has no gap to fill: mark each with {MASK!r}, as in 能不能给我一_歌的时间')
    vocabulary = Vocabulary([*idx_to_char, MASK])       # the mask is the index behind all characters
    texts = [''.join(vocabulary.cut(text)) for text in texts]
    lengths = [len(text) for text in texts]
    X = np.zeros((len(texts), max(lengths)), dtype=np.float32)
    for row, text in enumerate(texts):
        X[row, :len(text)] = vocabulary.encode(text)
    logits, _ = model(nd.array(X, ctx=model.ctx), model.begin_state(len(texts)), lengths)
    gaps = iter(nd.softmax(logits).asnumpy())
    filled = []
    for text in texts:
        characters, candidates = list(text), []
        for place, char in enumerate(text):
            if char == MASK:
                p = next(gaps)
                best = np.argsort(-p, kind='stable')[:num_candidates]
                candidates.append([(idx_to_char[i], float(p[i])) for i in best])
                characters[place] = candidates[-1][0][0]
        filled.append(Filled(''.join(characters), candidates))
    return filled
