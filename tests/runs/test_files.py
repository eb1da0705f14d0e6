"""Files that are whole or absent. A full disk and a kill on the way: tests/faults."""
from __future__ import annotations

import os
import stat
import threading

import pytest

from gluon_rnn.runs.files import append_line, write_whole


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


@pytest.mark.parametrize('error', [KeyboardInterrupt(), OSError(28, 'No space left on device')], ids=repr)
def test_a_line_is_added_whole_or_not_at_all(tmp_path, monkeypatch, error):
    path = tmp_path / 'lines.txt'
    append_line(path, '一\n')
    append_line(path, '二\n')
    assert path.read_text(encoding='utf-8') == '一\n二\n'

    def stop(handle):
        raise error
    monkeypatch.setattr(os, 'fsync', stop)
    for file, left in ((path, '一\n二\n'), (tmp_path / 'new.txt', '')):
        with pytest.raises(type(error)):
            append_line(file, '三\n')
        assert file.read_text(encoding='utf-8') == left
