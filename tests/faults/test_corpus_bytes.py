"""Random bytes where a text should be, as a file and as a zip: read, or refused in one line."""
from __future__ import annotations

import collections
import io
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gluon_rnn import load_corpus

TEXT_BYTES = st.text(max_size=200).map(lambda text: text.encode('utf-8', 'surrogatepass'))
ANY_BYTES = st.one_of(st.binary(max_size=400), TEXT_BYTES,
                      st.text('的一是 \r\n\x00\x0b\x1c\u2028\ufeff', min_size=60, max_size=300).map(str.encode))
NAMES = st.one_of(st.sampled_from(('song.txt', '../song.txt', '/etc/passwd', 'a/b.txt', '__MACOSX/x', 'x/', '', '曲.txt', '..',
                                   'C:\\x')),
                  st.text(st.characters(exclude_categories=('Cs',)), max_size=10))


@st.composite
def zips(draw):
    """A sound zip of one text, or one with any names and a few of its bytes changed."""
    archive, sound = io.BytesIO(), draw(st.booleans())
    with zipfile.ZipFile(archive, 'w', draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2,
                                                             zipfile.ZIP_LZMA)))) as file:
        for name in ['song.txt'] if sound else draw(st.lists(NAMES, max_size=2, unique=True)):
            file.writestr(zipfile.ZipInfo(name), draw(ANY_BYTES))
    if sound:
        return archive.getvalue()
    data = bytearray(archive.getvalue())
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=4)):
        data[at] = value
    return bytes(data[:draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


CASES = {'text.txt': ANY_BYTES, 'text.zip': st.one_of(zips(), st.binary(max_size=300))}


@pytest.mark.slow
@pytest.mark.parametrize('name', CASES)
def test_read_or_refused(tmp_path, count, tally, name):
    outcomes = collections.Counter()
    path = tmp_path / name

    @settings(max_examples=count(200, 2000), suppress_health_check=list(HealthCheck))
    @given(CASES[name])
    def check(data):
        path.write_bytes(data)
        try:
            corpus = load_corpus(str(path))
        except ValueError as error:
            assert '\n' not in str(error)
            outcomes['refused'] += 1
        else:
            assert len(corpus) and corpus.indices.max() < corpus.vocab_size
            outcomes['read'] += 1
        assert list(tmp_path.iterdir()) == [path]

    check()
    assert min(outcomes.values()) > 5
    tally(f'random bytes, texts and {"damaged zips" if name == "text.zip" else "halves of characters"} read as a corpus '
          f'(`load_corpus`)', outcomes)


@pytest.mark.slow
@pytest.mark.parametrize('name', CASES)
def test_trained_on_or_refused(script, tmp_path, count, tally, name):
    outcomes = collections.Counter()
    path = tmp_path / name

    @settings(max_examples=count(8, 60), suppress_health_check=list(HealthCheck))
    @given(CASES[name])
    def check(data):
        path.write_bytes(data)
        out = tmp_path / f'run-{sum(outcomes.values())}'
        ended = script('train', '--corpus', path, '--out', out, '--num-hiddens', 2, '--num-steps', 2, '--batch-size', 2,
                       '--num-epochs', 1, '--length', 2, '--ctx', 'cpu', '--impl', 'scratch')
        if ended.status == 0:
            outcomes['trained on'] += 1
        else:
            assert ended.status == 2 and len(ended.err.splitlines()) == 1, ended.err
            assert not out.exists()
            outcomes['refused in one line'] += 1

    check()
    assert len(outcomes) == 2
    tally(f'the same through `scripts/train.py --corpus {name}`', outcomes)
