"""Texts in any encoding and packing: what is read, what is refused, how much memory it takes."""
import gzip
import json
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon_rnn import load_corpus
from gluon_rnn.corpora import reading, tokens

SONG = '想要有直升机\n想要和你飞到宇宙去\n'


def text_of(name, **how):
    made = load_corpus(str(name), keep_lines=True, **how)
    return made.decode(made.indices)


@pytest.mark.parametrize('encoding, named', [('utf-8', None), ('utf-8-sig', None), ('utf-16', None), ('utf-32', None),
                                             ('gb18030', 'gb18030'),
                                             ('gbk', 'gb18030'), ('utf-16-le', 'utf-16-le'), ('utf-8-sig', 'utf-8'),
                                             ('big5', 'big5')])
@pytest.mark.parametrize('block', [1, 1 << 20])
def test_encodings(tmp_path, monkeypatch, encoding, named, block):
    monkeypatch.setattr(reading, '_BLOCK', block)
    text = SONG.replace('飞', '').replace('机', '') if encoding == 'big5' else SONG
    text = '我愛你\n' if encoding == 'big5' else text
    (tmp_path / 'a.txt').write_bytes(text.encode(encoding))
    assert text_of(tmp_path / 'a.txt', encoding=named) == text


@given(st.text(min_size=1).filter(lambda text: '\r' not in text), st.integers(4, 9))
def test_blocks_are_put_together(tmp_path_factory, text, block):
    path = tmp_path_factory.mktemp('text') / 'a.txt'
    path.write_bytes(('\n' + text).encode())
    before, reading._BLOCK = reading._BLOCK, block
    try:
        assert text_of(path) == '\n' + text
    finally:
        reading._BLOCK = before


def test_several_files_a_folder_and_gzip_are_one_corpus(tmp_path):
    (tmp_path / 'b.txt').write_bytes(b'three\r')
    (tmp_path / 'a.txt').write_bytes(b'one\r\ntwo')
    (tmp_path / '.hidden.txt').write_bytes(b'no')
    (tmp_path / 'c.md').write_bytes(b'no')
    (tmp_path / 'c.txt.gz').write_bytes(gzip.compress(SONG.encode('utf-16'), mtime=0))
    with zipfile.ZipFile(tmp_path / 'd.zip', 'w') as archive:
        archive.writestr('x/four.txt', 'four')
        archive.writestr('five.txt', 'five')
    assert text_of(tmp_path) == f'one\ntwo\nthree\n{SONG}'
    several = f'{tmp_path / "b.txt"},{tmp_path / "d.zip"}:four.txt,{tmp_path / "a.txt"}'
    assert text_of(several) == 'three\nfour\none\ntwo'
    assert load_corpus(several, max_chars=7).decode(load_corpus(several, max_chars=7).indices) == 'three f'
    (tmp_path / 'a,b.txt').write_bytes(b'a name with a comma')
    assert text_of(tmp_path / 'a,b.txt') == 'a name with a comma'


@pytest.mark.parametrize('name, data, how, told', [
    ('a.txt', SONG.encode('gb18030'), {}, r'is not UTF-8 text \(byte 0\): save it as UTF-8, or name its encoding, as gb18030'),
    ('a.txt', b'abc\xff', {'encoding': 'gb18030'}, r'is not GB18030 text \(byte 3\)'),
    ('a.txt', b'abc', {'encoding': 'klingon'}, "encoding must be one that Python knows, .* got 'klingon'"),
    ('a.txt', b'abc', {'encoding': 'base64'}, "encoding must be .* got 'base64'"),
    ('a.gz', gzip.compress(b'abc' * 99, mtime=0)[:-9], {}, 'is not a readable gzip file'),
    ('a.gz', gzip.compress(b'', mtime=0), {}, 'is empty'),
    ('a.gz', gzip.compress(b'0' * 3000, mtime=0), {}, 'is larger than'),
])
def test_refused(tmp_path, monkeypatch, name, data, how, told):
    monkeypatch.setattr(reading, 'MAX_TEXT_BYTES', 2000)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=told):
        load_corpus(str(tmp_path / name), **how)


def test_a_file_that_is_missing_among_several(tmp_path):
    (tmp_path / 'a.txt').write_bytes(b'abc')
    with pytest.raises(ValueError, match="'nosuch' is no file"):
        load_corpus(f'{tmp_path / "a.txt"},nosuch')


@pytest.mark.parametrize('how', [{}, {'tokens': 'word'}], ids=['char', 'word'])
def test_a_text_is_in_memory_three_times_at_most(tmp_path, monkeypatch, how):
    monkeypatch.setattr(tokens, 'LONG', 1000)
    monkeypatch.setattr(tokens, '_LOOKED_AT', 1 << 16)
    monkeypatch.setattr(reading, '_BLOCK', 1 << 16)
    size = 1_000_000 if how else 4_000_000
    letters = np.random.default_rng(0).choice(np.frombuffer(b'abcdefg hij klm\n', np.uint8), size)
    letters = np.tile(letters[:5000], size // 5000)     # few different words
    (tmp_path / 'a.txt').write_bytes(letters.tobytes())
    tracemalloc.start()
    try:
        made = load_corpus(str(tmp_path / 'a.txt'), max_chars=0, **how)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    tables = 4 * sys.maxunicode if not how else sum(len(token) + 250 for token in made.idx_to_char)
    assert peak < 3 * size + tables
    if not how:
        assert made.indices.dtype == np.uint8 and made.decode(made.indices) == letters.tobytes().decode().replace('\n', ' ')


def test_a_run_of_several_files_goes_on_from_another_folder(script, tmp_path, monkeypatch):
    (tmp_path / 'a.txt').write_bytes((SONG * 9).encode('gb18030'))
    (tmp_path / 'b.txt').write_bytes((SONG * 9).encode('gb18030'))
    monkeypatch.chdir(tmp_path)
    flags = ('--corpus', 'a.txt,b.txt', '--encoding', 'gb18030', '--num-hiddens', 3, '--num-steps', 4, '--batch-size', 2, '--out',
             tmp_path / 'run', '--length', 3, '--ctx', 'cpu', '--impl', 'scratch')
    assert script('train', *flags, '--num-epochs', 1).status == 0
    monkeypatch.chdir('/')
    assert script('train', '--out', tmp_path / 'run', '--resume', '--num-epochs', 2).status == 0
    assert json.loads((tmp_path / 'run' / 'config.json').read_text())['encoding'] == 'gb18030'
