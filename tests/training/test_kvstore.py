"""The store that adds up contexts: any kind, and what is none."""
import mxnet as mx
import pytest
from mxnet import nd

from gluon_rnn.training.kvstore import KINDS, LOCAL, Store


def test_no_such_store():
    with pytest.raises(ValueError, match=f'kvstore must be one of {", ".join(KINDS)}, got .nccl.'):
        Store('nccl')


@pytest.mark.parametrize('kind', LOCAL)
def test_arrays_of_all_contexts_are_added_into_the_first(kind):
    with Store(kind) as store:
        keys = store.new_keys(['a', 'b'])
        assert (store.rank, store.num_workers, store.distributed) == (0, 1, False) and keys != store.new_keys(['a', 'b'])
        arrays = [[nd.full((2, 3), k + i, ctx=mx.cpu(i)) for i in range(3)] for k in (1, 10)]
        for wanted in ([6, 33], [11, 56]):      # k + (k + 1) + (k + 2); then that in place of the first
            store.sum(keys, arrays)
            assert [parts[0].asnumpy().tolist() for parts in arrays] == [[[number] * 3] * 2 for number in wanted]
        assert store.broadcast(b'data') == b'data'


def test_processes_that_were_not_launched():
    with pytest.raises(ValueError, match='kvstore dist_sync needs processes to work together'):
        Store('dist_sync')
