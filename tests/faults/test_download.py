"""Downloads and zips that are not what they should be: refused in one line, and nothing is left behind.

The servers are on 127.0.0.1.
"""
from __future__ import annotations

import collections
import contextlib
import hashlib
import http.server
import io
import threading
import time
import zipfile

import pytest

from gluon_rnn import load_corpus, runtime
from gluon_rnn.corpora import corpus, reading
from gluon_rnn.corpora.download import NamedCorpus, download

TEXT = '想要有直升机\n想要和你飞到宇宙去\n'
SONG = NamedCorpus('song.txt', sha256=hashlib.sha256(TEXT.encode()).hexdigest(), url='http://127.0.0.1:1/song.txt', max_chars=9)
PAGE = b'<!DOCTYPE html><title>Please log in</title>'


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The user's cache, which is empty, and a corpus `song` that is to be fetched into it."""
    monkeypatch.setitem(corpus.CORPORA, 'song', SONG)
    monkeypatch.setattr(runtime, 'data_folders', lambda: [tmp_path / 'first', tmp_path / 'cache'])
    return tmp_path / 'cache'


@contextlib.contextmanager
def server(body, *, status=200, silent=0.0, stall=0.0, claim=None, drip=0.0, to=None):
    """A web server on this machine: it sends `body`, after `silent` seconds, and waits for `stall` seconds.

    status 0: no headers; claim: the length that it promises; drip: seconds between one byte and the next; to: it sends those who
    ask for the song to this address, where a page waits for them.
    """
    gone = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            gone.wait(silent)
            moved = to and self.path == '/song.txt'
            page = PAGE if to and not moved else body
            with contextlib.suppress(OSError):      # who asked has gone
                if status or to:
                    self.send_response(302 if moved else status)
                    if moved:
                        self.send_header('Location', to)
                    self.send_header('Content-Length', str(claim or len(page)))
                    self.end_headers()
                for piece in [page[i:i + 1] for i in range(len(page))] if drip else [page]:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    gone.wait(drip)
                gone.wait(stall)

        def log_message(self, *args):
            pass

    listening = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    listening.daemon_threads = False        # `server_close` waits for who is still answering
    thread = threading.Thread(target=listening.serve_forever, kwargs={'poll_interval': 0.02})
    thread.start()
    try:
        yield f'http://127.0.0.1:{listening.server_port}/song.txt'
    finally:
        gone.set()
        listening.shutdown()
        thread.join()
        listening.server_close()


def test_download(cache, monkeypatch):
    with server(TEXT.encode()) as url:
        monkeypatch.setitem(corpus.CORPORA, 'song', NamedCorpus('song.txt', url=url, sha256=SONG.sha256))
        assert len(load_corpus('song')) == len(TEXT)
    assert len(load_corpus('song')) == len(TEXT)        # from the cache: the server is gone
    assert [file.name for file in cache.iterdir()] == ['song.txt']
    assert (cache / 'song.txt').read_text(encoding='utf-8') == TEXT


CASES = {
    'a wrong checksum': (b'another song', {}, 'is not the text that the book uses'),
    'a page': (PAGE, {}, 'is not the text that the book uses'),
    'a redirect to a page': (b'', {'to': '/login.html'}, 'is not the text that the book uses'),
    'a redirect to a file of this machine': (b'', {'to': 'file:///etc/passwd'}, 'cannot be fetched .*by hand'),
    'a redirect in a circle': (b'', {'to': '/song.txt'}, 'cannot be fetched .*by hand'),
    'no text': (b'\xff\xfe\x00', {}, r'http://127\.0\.0\.1.* is not UTF-'),
    'nothing': (b'', {}, r'http://127\.0\.0\.1.* is empty'),
    'not found': (TEXT.encode(), {'status': 404}, 'cannot be fetched .*404.*by hand'),
    'a server that says nothing': (b'', {'silent': 300.0}, r'cannot be fetched .*timed out.*by hand'),
    'a server that stalls': (TEXT.encode()[:-7], {'stall': 300.0, 'claim': len(TEXT.encode())},
                             r'cannot be fetched .*timed out.*by hand.*GLUON_RNN_DATA'),
    'a server that drips': (TEXT.encode() * 100, {'drip': 0.2}, r'cannot be fetched .*took longer than.*by hand'),
    'a text cut short': (TEXT.encode()[:-7], {'claim': len(TEXT.encode())}, 'cannot be fetched|is not'),
    'no web server': (b'no web server\r\n\r\n', {'status': 0}, 'cannot be fetched .*by hand'),
    'a piece cut short': (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc', {'status': 0},
                          'cannot be fetched .*by hand'),
}


@pytest.mark.parametrize('case', CASES)
def test_bad_download_leaves_nothing_behind(cache, tally, case):
    body, options, message = CASES[case]
    target = cache / 'new' / 'song.txt'
    start = time.monotonic()
    with server(body, **options) as url, pytest.raises(ValueError, match=message) as error:
        download(SONG, url, target, timeout=0.3, longest=1.5)
    assert time.monotonic() - start < 60 and '\n' not in str(error.value)
    assert list(target.parent.iterdir()) == []
    tally(f'a download: {case}', {'refused in one line, no part of it kept': 1})


def test_endless_download(cache, monkeypatch, tally):
    monkeypatch.setattr(reading, 'MAX_TEXT_BYTES', 1000)
    target = cache / 'song.txt'
    with server(b'0' * 2000) as url, pytest.raises(ValueError, match='sends more than'):
        download(SONG, url, target)
    assert list(target.parent.iterdir()) == []
    tally('a download larger than any text', {'refused in one line, no part of it kept': 1})


def test_no_network(cache):
    with pytest.raises(ValueError, match=r'song\.txt is in none of the data folders and cannot be fetched .*refused.*by hand'):
        load_corpus('song')
    assert list(cache.iterdir()) == []


# --------------------------------------------------------------------------------------------------------------------- zips

def zip_of(members):
    """The bytes of a zip."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, 'w', zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return archive.getvalue()


def bomb(claim=None):
    """A zip of a kilobyte that unpacks to a megabyte; claim: what its directory says instead."""
    data = bytearray(zip_of({'song.txt': '0' * 1000000}))
    if claim:
        at = data.index(b'PK\1\2') + 24
        data[at:at + 4] = claim.to_bytes(4, 'little')
    return bytes(data)


BAD_ZIPS = {
    'a zip bomb': (bomb(), 'is larger than'),
    'a zip bomb that says that it is small': (bomb(5000), 'is not a readable zip file'),
}


@pytest.mark.parametrize('case', BAD_ZIPS)
def test_bad_zip(script, refused, tmp_path, monkeypatch, tally, case):
    data, message = BAD_ZIPS[case]
    monkeypatch.setattr(reading, 'MAX_TEXT_BYTES', 10000)
    (tmp_path / 'inner').mkdir()
    path = tmp_path / 'inner' / 'song.zip'
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        load_corpus(str(path))
    refused(str(path), 'train', '--corpus', path, '--out', tmp_path / 'run')
    assert sorted(file.name for file in tmp_path.rglob('*')) == ['inner', 'song.zip']
    tally(f'{case}, as a corpus', collections.Counter({'refused in one line, nothing written': 1}))


def test_where_a_zip_s_names_lead_nothing_is_written(tmp_path):
    path = tmp_path / 'inner' / 'song.zip'
    path.parent.mkdir()
    for name in ('../escaped.txt', f'{tmp_path}/song.txt', 'C:\\song.txt'):
        path.write_bytes(zip_of({name: TEXT}))
        assert len(load_corpus(str(path))) == len(TEXT)
    assert sorted(file.name for file in tmp_path.rglob('*')) == ['inner', 'song.zip']


def test_a_downloaded_zip_bomb_is_refused_and_removed(cache, monkeypatch, tally):
    monkeypatch.setattr(reading, 'MAX_TEXT_BYTES', 10000)
    target = cache / 'song.txt.zip'
    with server(bomb()) as url, pytest.raises(ValueError, match='is larger than'):
        download(SONG, url, target)
    assert list(target.parent.iterdir()) == []
    tally('a zip bomb in place of a download', {'refused in one line, no part of it kept': 1})
