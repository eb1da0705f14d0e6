"""MXNet's key-value store, which adds up arrays of several contexts and of several processes.

'local' and 'device' add up the contexts of one process, on the CPU or where the arrays are. 'dist_sync' and 'dist_device_sync' do
so and then let MXNet's parameter servers add up all processes, which `scripts/launch.py` starts.

The servers only add: they are given no optimizer. What clipping needs is the norm of the summed gradient over all parameters,
which no server has where there are several; so each process pulls the sums and makes the same step with them, on the same
weights. These stay equal to the last bit, and no weight is ever sent but at the start.
"""
from __future__ import annotations

import ctypes
from typing import Any, List, Sequence

import mxnet as mx
import numpy as np
from mxnet import nd
from mxnet.base import _LIB, check_call

from .. import runtime

LOCAL, DISTRIBUTED = ('local', 'device'), ('dist_sync', 'dist_device_sync')
KINDS = LOCAL + DISTRIBUTED
_DIGIT = 1 << 20        # of a length, which goes through float32: the servers mistake the shapes of other types


class Store:
    """A store of one of the `KINDS`; use it as a context manager.

    rank: which of num_workers processes this is, from 0. Raises ValueError if processes are wanted and none were launched, or
    were launched and not wanted.
    """

    def __init__(self, kind: str):
        if kind not in KINDS:
            raise ValueError(f'kvstore must be one of {", ".join(KINDS)}, got {kind!r}')
        job = runtime.launched_job()
        if kind in DISTRIBUTED and not job:
            raise ValueError(f'kvstore {kind} needs processes to work together: start them by scripts/launch.py -n WORKERS -- '
                             f'COMMAND, or leave it out')
        if kind in LOCAL and job and job.num_workers > 1:
            raise ValueError(f'kvstore {kind} knows nothing of the other {job.num_workers - 1} workers that were launched: use '
                             f'dist_sync, or start without scripts/launch.py')
        self.kind, self.kv = kind, mx.kv.create(kind)
        self.rank: int = self.kv.rank
        self.num_workers: int = self.kv.num_workers
        if job and job.rank is not None:
            self.rank = job.rank        # MXNet's own goes by the ports that the processes happened to get
        self.distributed = kind in DISTRIBUTED
        self._known: set[str] = set()
        self._broadcasts = self._groups = 0

    def new_keys(self, names: Sequence[str]) -> List[str]:
        """Keys of these names that nobody else uses: a key keeps its shape for ever."""
        self._groups += 1
        return [f'{self._groups}/{name}' for name in names]

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind and self.num_workers > 1:       # the others will not come to the farewell: do not wait for them
            check_call(_LIB.MXKVStoreSetBarrierBeforeExit(self.kv.handle, ctypes.c_int(0)))

    def sum(self, keys: Sequence[str], arrays: Sequence[List[nd.NDArray]]) -> None:
        """Add up arrays[i] under keys[i], over the contexts here and over all processes, into its first one.

        Nothing waits here. Every process must sum the same keys in the same order, and keep the arrays.
        """
        for key, parts in zip(keys, arrays):
            if key not in self._known:
                self.kv.init(key, parts[0].zeros_like())
                self._known.add(key)
        for i, (key, parts) in enumerate(zip(keys, arrays)):
            self.kv.push(key, parts, priority=-i)
        for i, (key, parts) in enumerate(zip(keys, arrays)):
            self.kv.pull(key, out=parts[0], priority=-i)

    def broadcast(self, data: bytes | None) -> bytes:
        """Send the data of the process of rank 0 to all processes. The others give None."""
        if self.num_workers == 1:
            return data or b''
        length = len(data or b'')
        high, low = self._everywhere(np.array([length // _DIGIT, length % _DIGIT])).astype(np.int64).tolist()
        length = high * _DIGIT + low
        mine = np.zeros(length) if data is None else np.frombuffer(data, dtype=np.uint8)
        return self._everywhere(mine).astype(np.uint8).tobytes() if length else b''

    def _everywhere(self, values: np.ndarray) -> np.ndarray:
        """The sum of what every process gives, of which all but rank 0's are zeros."""
        array = nd.array(values, dtype='float32')
        self._broadcasts += 1
        self.sum([f'broadcast{self._broadcasts}'], [[array]])
        return array.asnumpy()
