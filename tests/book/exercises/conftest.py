"""A workbench that is as small as still runs."""
import pytest

from gluon_rnn.book.exercises import Workbench


@pytest.fixture(scope='session')
def bench():
    return Workbench('lyrics', quick=True)
