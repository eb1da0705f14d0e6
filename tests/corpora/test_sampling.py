"""Random and consecutive sampling against section 6.3, against d2lzh, and by their properties."""
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mxnet import cpu
from numpy.testing import assert_array_equal

from gluon_rnn.corpora.sampling import check_sizes, consecutive_batches, num_batches, random_batches

SAMPLERS = {'random': random_batches, 'consecutive': consecutive_batches}


def arrays(batches):
    return [(X.asnumpy(), Y.asnumpy()) for X, Y in batches]


def test_consecutive_as_in_the_book():
    batches = arrays(consecutive_batches(range(30), 2, 6))
    assert len(batches) == 2
    assert_array_equal(batches[0], [[[0, 1, 2, 3, 4, 5], [15, 16, 17, 18, 19, 20]],
                                    [[1, 2, 3, 4, 5, 6], [16, 17, 18, 19, 20, 21]]])
    assert_array_equal(batches[1], [[[6, 7, 8, 9, 10, 11], [21, 22, 23, 24, 25, 26]],
                                    [[7, 8, 9, 10, 11, 12], [22, 23, 24, 25, 26, 27]]])


def test_random_as_in_the_book():
    """range(30) cut into steps of 6 is 0, 6, 12 and 18 (24 has no last label); what shuffles them is given."""
    class Order:
        def shuffle(self, examples):
            assert examples == [0, 1, 2, 3]
            examples[:] = [3, 1, 0, 2]

    batches = arrays(random_batches(range(30), 2, 6, rng=Order()))
    assert len(batches) == 2
    assert_array_equal(batches[0], [[[18, 19, 20, 21, 22, 23], [6, 7, 8, 9, 10, 11]],
                                    [[19, 20, 21, 22, 23, 24], [7, 8, 9, 10, 11, 12]]])
    assert_array_equal(batches[1], [[[0, 1, 2, 3, 4, 5], [12, 13, 14, 15, 16, 17]],
                                    [[1, 2, 3, 4, 5, 6], [13, 14, 15, 16, 17, 18]]])


def test_random_order_is_the_rngs():
    first, second, other = (arrays(random_batches(range(200), 4, 5, rng=random.Random(seed))) for seed in (1, 1, 2))
    assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize('sampling', SAMPLERS)
@pytest.mark.parametrize('corpus', [list(range(30)), np.arange(30, dtype=np.int32)], ids=['list', 'array'])
def test_type_and_context(sampling, corpus):
    for X, Y in SAMPLERS[sampling](corpus, 2, 6, ctx=cpu(1)):
        assert X.context == Y.context == cpu(1)
        assert X.dtype == Y.dtype == np.float32
        assert X.shape == Y.shape == (2, 6)


sizes = st.tuples(st.integers(1, 150), st.integers(1, 9), st.integers(1, 12))


@pytest.mark.parametrize('sampling', SAMPLERS)
@settings(max_examples=40)
@given(sizes)
def test_properties(sampling, size):
    length, batch_size, num_steps = size
    if num_batches(length, batch_size, num_steps, sampling) < 1:
        with pytest.raises(ValueError, match='needs a text of at least'):
            list(SAMPLERS[sampling](range(length), batch_size, num_steps))
        return
    batches = arrays(SAMPLERS[sampling](range(length), batch_size, num_steps))
    assert len(batches) == num_batches(length, batch_size, num_steps, sampling)
    for X, Y in batches:
        assert X.shape == Y.shape == (batch_size, num_steps)
        assert_array_equal(Y, X + 1)                            # the corpus counts up: a label is its input's successor
        assert_array_equal(X, X[:, :1] + np.arange(num_steps))
        assert X.min() >= 0 and Y.max() < length
    seen = np.concatenate([X.ravel() for X, _ in batches])
    assert len(set(seen)) == len(seen)                          # each example once, and no two share a character
    if sampling == 'consecutive':
        for (X, _), (X_next, _) in zip(batches, batches[1:]):
            assert_array_equal(X_next[:, 0], X[:, -1] + 1)      # each row goes on where it stopped
    else:
        assert_array_equal(seen.reshape(-1, num_steps)[:, 0] % num_steps, 0)
    row = length if sampling == 'random' else length // batch_size
    left = row - 1 - len(seen) // (1 if sampling == 'random' else batch_size)
    assert 0 <= left < (batch_size * num_steps if sampling == 'random' else num_steps)      # no batch more would fit


@pytest.mark.parametrize('sampling, enough', [('random', 13), ('consecutive', 14)])
def test_error_names_the_length_that_would_do(sampling, enough):
    check_sizes(enough, 2, 6, sampling)
    with pytest.raises(ValueError, match=f'{sampling} sampling with batch_size 2 and num_steps 6 needs a text of at least '
                                         f'{enough} characters, got {enough - 1}'):
        list(SAMPLERS[sampling](range(enough - 1), 2, 6))


@pytest.mark.parametrize('sampling', SAMPLERS)
@pytest.mark.parametrize('batch_size, num_steps', [(0, 6), (2, 0), (-1, 6)])
def test_sizes_below_one(sampling, batch_size, num_steps):
    with pytest.raises(ValueError, match='batch_size and num_steps must be 1 or more'):
        list(SAMPLERS[sampling](range(30), batch_size, num_steps))
