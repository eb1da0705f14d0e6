"""A training from its settings: what it reads, begins with, and goes on in."""
import dataclasses

import pytest

from gluon_rnn import Corpus
from gluon_rnn.corpora.tokens import Vocabulary
from gluon_rnn.runs.run import TrainingJob, choose_impl, fingerprint, prefixes, read_texts
from gluon_rnn.runs.settings import RunSettings


def test_a_job_keeps_what_it_found_beside_what_it_was_given(lyrics):
    given = RunSettings(num_hiddens=4, max_chars=2000)
    job = TrainingJob(given)
    assert given.prefixes is None and job.settings.prefixes == ['分开', '不分开'] and len(job.settings.corpus_sha256) == 64


def test_prefixes_are_the_books_where_the_text_knows_them_else_its_own_beginning(lyrics, alphabet):
    assert prefixes(None, lyrics) == ['分开', '不分开'] and prefixes(None, alphabet) == ['abcde']
    assert prefixes(['xyz'], alphabet) == ['xyz']
    for given, said in ((['a', ''], 'a prefix is empty'), (['aQ'], "'Q' is not in the vocabulary")):
        with pytest.raises(ValueError, match=said):
            prefixes(given, alphabet)


def test_a_text_is_known_by_its_indices_and_its_vocabulary(alphabet):
    other = dataclasses.replace(alphabet, idx_to_char=Vocabulary((*alphabet.idx_to_char[:-1], 'Z')))
    shorter = dataclasses.replace(alphabet, indices=alphabet.indices[:-1])
    found = [fingerprint(alphabet), fingerprint(other), fingerprint(shorter), fingerprint(alphabet, alphabet.indices[:5])]
    assert len(set(found)) == 4 and fingerprint(Corpus.from_text('abcdefghijklmnopqrstuvwxyz' * 12)) == found[0]


def test_who_names_no_implementation_gets_one_that_runs_here():
    assert choose_impl(RunSettings(ctx='cpu', impl='gluon')) == 'gluon'
    assert choose_impl(RunSettings(ctx='cpu', cell='clockwork')) == 'hybrid'
    assert choose_impl(RunSettings(ctx='cpu(0),cpu(1)')) == 'hybrid'


def test_held_out_text_is_a_part_or_another_text(tmp_path):
    (tmp_path / 'a').write_text('abc' * 30)
    (tmp_path / 'b').write_text('cd' * 10)
    corpus, train, valid = read_texts(RunSettings(corpus=str(tmp_path / 'a'), valid_fraction=0.1))
    assert (corpus.vocab_size, len(train), len(valid)) == (3, 81, 9)
    corpus, train, valid = read_texts(RunSettings(corpus=str(tmp_path / 'a'), valid_text=str(tmp_path / 'b')))
    assert (corpus.vocab_size, len(train), len(valid)) == (4, 90, 20)
    with pytest.raises(ValueError, match='valid_text and valid_fraction exclude each other'):
        read_texts(RunSettings(corpus=str(tmp_path / 'a'), valid_text='lyrics', valid_fraction=0.1))
