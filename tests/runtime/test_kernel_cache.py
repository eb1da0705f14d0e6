"""Where the compiled kernels are kept, and what is said of them."""
import importlib
import logging
import sys

import numba
import pytest

from gluon_rnn import runtime

module = importlib.import_module('gluon_rnn.runtime.kernel_cache')


@pytest.fixture
def asked_for(monkeypatch, tmp_path):
    """A folder that the user has named for what Numba keeps."""
    monkeypatch.setattr(numba.config, 'CACHE_DIR', str(tmp_path / 'named'))
    return tmp_path / 'named'


def test_a_folder_for_this_state_of_the_kernels_inside_the_one_named(asked_for, caplog):
    with caplog.at_level(logging.WARNING, 'gluon_rnn'):
        for _ in range(2):
            with runtime.kernel_cache() as folder:
                assert folder.parent == asked_for and folder.is_dir() and str(folder) == numba.config.CACHE_DIR
            assert str(asked_for) == numba.config.CACHE_DIR
    assert [record.message for record in caplog.records] == [
        'compiling the kernels, once for this machine: one to two minutes in all']


def test_where_none_can_be_made_it_is_one_of_this_process(asked_for, monkeypatch, tmp_path):
    asked_for.write_text('a file')
    monkeypatch.setattr(module.tempfile, 'tempdir', str(tmp_path))
    with runtime.kernel_cache() as folder:
        assert folder.parent == tmp_path and folder.is_dir() and folder.name.startswith('gluon_rnn-kernels-')


def test_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, 'numba', None)
    with pytest.raises(ImportError, match='pip install numba, or use impl hybrid'), runtime.kernel_cache():
        pass
