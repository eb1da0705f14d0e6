"""A workbench that is as small as still runs, and what each exercise comes to on it."""
import functools

import pytest

from gluon_rnn.book.exercises import EXERCISES, Workbench


@pytest.fixture(scope='session')
def bench():
    return Workbench('lyrics', quick=True)


@pytest.fixture(scope='session')
def shortened(bench):
    """shortened('6.4.2') -> the outcome of that exercise on the workbench and the note on its text, for all who read them."""
    @functools.cache
    def call(number):
        bench.begin()
        return EXERCISES[number](bench), bench.note()
    return call
