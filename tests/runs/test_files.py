"""Files that are whole or absent. A full disk and a kill on the way: tests/faults."""
from __future__ import annotations

import os
import stat
import threading

from gluon_rnn.runs.files import write_whole


def test_a_file_is_replaced_once_the_new_one_is_on_the_disk(tmp_path, monkeypatch):
    path, seen = tmp_path / 'a.txt', []
    write_whole(path, 'old')
    monkeypatch.setattr(os, 'fsync', lambda handle: seen.append(path.read_text(encoding='utf-8')))
    write_whole(path, '新')
    assert seen == ['old', '新']     # the file's, then the folder's
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    path, read = tmp_path / 'pipe', []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_whole(path, b'new')
    reader.join(10)
    assert read == [b'new'] and stat.S_ISFIFO(path.stat().st_mode)
    assert list(tmp_path.iterdir()) == [path]
