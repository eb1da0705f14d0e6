"""Trainings with figures that a test makes up, so that an answer meets what a real one rarely does."""
from gluon_rnn.book.exercises import Training
from gluon_rnn.corpora.corpus import Corpus
from gluon_rnn.runs.settings import RunSettings
from gluon_rnn.training.config import EpochRecord

CORPUS = Corpus.from_text('abcdefghij' * 20)        # each character as often as any other: unigram perplexity 10


def training(label, perplexities, *, diverged='', held_out=None, seconds=1.0, verses=(), **settings):
    """A training of one epoch for each perplexity."""
    records = [EpochRecord(epoch, perplexity, seconds, 1000.0, 0.5, held_out) for epoch, perplexity in enumerate(perplexities, 1)]
    return Training(label, RunSettings(**settings), None, records, list(verses), diverged)


def says(answer, *both):
    """Whether an answer says, in English and in Chinese, what it should, without a figure that is none."""
    assert not any('nan' in text for text in answer), answer
    for en, zh in both:
        assert en in answer[0], (en, answer[0])
        assert zh in answer[1], (zh, answer[1])
    return True
