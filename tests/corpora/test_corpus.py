"""Reading, cutting and indexing text. Fetching it: tests/faults/test_download.py."""
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon_rnn import Corpus, load_corpus, runtime
from gluon_rnn.corpora import corpus, reading
from gluon_rnn.corpora.download import NamedCorpus

TEXT = '想要有直升机\n想要和你飞到宇宙去\n'


def write_zip(path, members):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


# --------------------------------------------------------------------------------------------------------------- vocabulary

def test_vocabulary_is_sorted():
    made = Corpus.from_text('banana飞 ')
    assert made.idx_to_char == (' ', 'a', 'b', 'n', '飞')
    assert made.char_to_idx == {' ': 0, 'a': 1, 'b': 2, 'n': 3, '飞': 4}
    assert made.indices.tolist() == [2, 1, 3, 1, 3, 1, 4, 0]
    assert made.indices.dtype == np.int32
    assert made.vocab_size == 5 and len(made) == 8


@given(st.text(min_size=1))
def test_decoding_gives_the_text_back(text):
    made = Corpus.from_text(text)
    assert made.decode(made.indices) == text
    assert made.encode(text) == made.indices.tolist()
    assert made.idx_to_char == tuple(sorted(set(text)))


def test_vocabulary_does_not_change_with_the_hash_seed(seed):
    """What `list(set(text))` of the book does."""
    code = "from gluon_rnn import load_corpus; print(ascii(load_corpus('lyrics', max_chars=300).idx_to_char))"
    other = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], env={'PYTHONHASHSEED': str(seed)}, check=True, text=True,
                           capture_output=True, cwd=Path(__file__).parents[2])
    assert other.stdout == ascii(load_corpus('lyrics', max_chars=300).idx_to_char) + '\n'


def test_encode_names_unknown_characters():
    with pytest.raises(ValueError, match="'xz' is not in the vocabulary of 3 characters"):
        Corpus.from_text('abc').encode('zaxb')


def test_half_a_character():
    with pytest.raises(ValueError, match=r'lone surrogate.* position 2'):
        Corpus.from_text('ab\ud800')


def test_split():
    made = Corpus.from_text('abcdefghij')
    train, valid = made.split(0.3)
    assert made.decode(train) == 'abcdefg' and made.decode(valid) == 'hij'
    assert made.split(0)[1].size == 0
    for wrong in (-0.1, 1, float('nan')):
        with pytest.raises(ValueError, match='valid_fraction must be from 0 to below 1'):
            made.split(wrong)


# ------------------------------------------------------------------------------------------------------------ named corpora

def test_embedded_lyrics():
    """Large enough to stand in for the book's, which is cut to 10,000 characters of 1,027 kinds."""
    lyrics = load_corpus()
    assert len(lyrics) >= 12000 and lyrics.vocab_size >= 800
    assert lyrics.encode('分开') and lyrics.encode('不分开')
    assert '\n' not in lyrics.char_to_idx and '\r' not in lyrics.char_to_idx
    assert load_corpus('lyrics').idx_to_char == lyrics.idx_to_char


@pytest.mark.parametrize('name, length, vocab_size', [('jaychou', 10000, 1027), ('time_machine', 10000, None)])
def test_the_books_corpora(needs_corpus, name, length, vocab_size):
    book = needs_corpus(name)
    assert len(book) == length
    assert vocab_size in (None, book.vocab_size)
    assert len(needs_corpus(name, max_chars=0)) > length        # 0 cuts nothing
    assert len(needs_corpus(name, max_chars=50)) == 50
    assert not [char for char in book.idx_to_char if char != char.lower()] or name == 'jaychou'


@pytest.fixture
def one_named(monkeypatch, tmp_path):
    """A named corpus of the tests' own, `song`; it is looked for in first/ and then in cache/."""
    monkeypatch.setitem(corpus.CORPORA, 'song', NamedCorpus('song.txt', sha256=hashlib.sha256(TEXT.encode()).hexdigest(),
                                                            url='http://127.0.0.1:1/song.txt', max_chars=9))
    folders = [tmp_path / 'first', tmp_path / 'cache']
    monkeypatch.setattr(runtime, 'data_folders', lambda: folders)
    for folder in (*folders, tmp_path / 'given'):
        folder.mkdir()
    return tmp_path


def test_named_corpus_is_cut(one_named):
    (one_named / 'cache' / 'song.txt').write_text(TEXT, encoding='utf-8')
    made = load_corpus('song')
    assert made.decode(made.indices) == '想要有直升机 想要'
    assert len(load_corpus('song', max_chars=0)) == len(TEXT)


def test_given_folder_comes_first(one_named):
    (one_named / 'given' / 'song.txt').write_text(TEXT, encoding='utf-8')
    (one_named / 'first' / 'song.txt').write_text('something else', encoding='utf-8')
    assert len(load_corpus('song', folder=one_named / 'given')) == 9
    with pytest.raises(ValueError, match=r'first.song\.txt is not the text that the book uses .*download it again'):
        load_corpus('song')


# ------------------------------------------------------------------------------------------------------------------- files

@pytest.mark.parametrize('data, expected', [
    (b'a\r\nb\nc\rd', 'a b c d'),
    ('\ufeff曲'.encode(), '曲'),            # a byte order mark is no character of the text
    ('曲\n'.encode(), '曲 '),
], ids=['line ends', 'BOM', 'last line end'])
def test_text_file(tmp_path, data, expected):
    (tmp_path / 'song.txt').write_bytes(data)
    made = load_corpus(str(tmp_path / 'song.txt'))
    assert made.decode(made.indices) == expected


def test_zip_of_one_text(tmp_path):
    path = write_zip(tmp_path / 'song.ZIP', {'songs/': '', 'songs/1.txt': TEXT, '__MACOSX/._1.txt': b'\0'})    # as macOS zips
    made = load_corpus(str(path), max_chars=3)
    assert made.decode(made.indices) == '想要有'


@pytest.mark.parametrize('name, data, message', [
    ('empty.txt', b'', 'is empty'),
    ('bom.txt', '\ufeff'.encode(), 'is empty'),
    ('latin.txt', 'schön'.encode('latin-1'), r'is not UTF-8 text \(byte 3\)'),
    ('broken.zip', b'PK\3\4 and no more', 'is not a readable zip file'),
    ('empty.zip', b'', 'is not a readable zip file'),
])
def test_files_that_cannot_be_read(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=message):
        load_corpus(str(tmp_path / name))


def test_zip_with_damaged_content(tmp_path):
    path = write_zip(tmp_path / 'song.zip', {'song.txt': 'la ' * 1000})
    data = bytearray(path.read_bytes())
    data[45] ^= 0xff
    path.write_bytes(data)
    with pytest.raises(ValueError, match='is not a readable zip file'):
        load_corpus(str(path))


def test_encrypted_zip(tmp_path):
    path = write_zip(tmp_path / 'song.zip', {'song.txt': TEXT})
    data = bytearray(path.read_bytes())
    data[6] |= 1                                    # the flag 'encrypted', in the file's own header and in the directory's
    data[data.index(b'PK\1\2') + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match='is not a readable zip file'):
        load_corpus(str(path))


@pytest.mark.parametrize('members', [{}, {'a.txt': 'a', 'b.txt': 'b'}], ids=['none', 'two'])
def test_zip_without_the_one_text(tmp_path, members):
    with pytest.raises(ValueError, match=f'must hold exactly one text file, found {"a.txt, b.txt" if members else "none"}'):
        load_corpus(str(write_zip(tmp_path / 'songs.zip', members)))


def test_a_zip_of_several_texts_takes_the_name_of_one(tmp_path):
    path = write_zip(tmp_path / 'songs.zip', {'a.txt': 'one', 'in/b.txt': 'two', 'in/a.txt': 'three'})
    for name, text in (('in/a.txt', 'three'), ('b.txt', 'two')):
        read = load_corpus(f'{path}:{name}')
        assert read.decode(read.indices) == text
    for name in ('c.txt', 'a'):
        with pytest.raises(ValueError, match=f"must hold one file '{name}', found a.txt, in/b.txt, in/a.txt: .* songs.zip:NAME"):
            load_corpus(f'{path}:{name}')


def test_a_known_vocabulary_keeps_its_indices():
    known = Corpus.from_text('banana').idx_to_char
    read = Corpus.from_text('cab😀c', known=known)
    assert read.idx_to_char == ('a', 'b', 'n', 'c', '😀') and read.indices.tolist() == [3, 0, 1, 4, 3]
    assert Corpus.from_text('aa', known=known).vocab_size == 3


def test_file_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, 'MAX_TEXT_BYTES', 10)
    (tmp_path / 'long.txt').write_text('0' * 11)
    with pytest.raises(ValueError, match='is larger than'):
        load_corpus(str(tmp_path / 'long.txt'))


@pytest.mark.parametrize('name, message', [('nosuch', "corpus 'nosuch' is neither a file nor one of lyrics, jaychou"),
                                           ('', "'' is no file"), ('docs', "'docs' is a folder without a file .txt or .gz")])
def test_neither_name_nor_file(name, message):
    with pytest.raises(ValueError, match=message):
        load_corpus(name)


def test_max_chars_below_zero():
    with pytest.raises(ValueError, match='max_chars must be 0'):
        load_corpus('lyrics', max_chars=-1)


def test_missing_from_the_installation(monkeypatch, tmp_path):
    monkeypatch.setattr(runtime, 'data_folders', lambda: [tmp_path])
    with pytest.raises(ValueError, match=r"corpus 'lyrics' .* is missing from this installation"):
        load_corpus('lyrics')
