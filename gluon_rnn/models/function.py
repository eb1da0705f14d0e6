"""A step of autograd whose gradient is written by hand."""
from __future__ import annotations

import atexit
import ctypes
import itertools
import traceback
from typing import Any, Dict, List, Sequence, Tuple

from mxnet import autograd, nd
from mxnet.base import _LIB, MXCallbackList, NDArrayHandle, c_array, c_handle_array, check_call
from mxnet.ndarray import NDArray

_NULL, _ADD = 0, 3                      # MXNet's OpReqType; what lies between them overwrites
_BACKWARD = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p),
                             ctypes.POINTER(ctypes.c_int), ctypes.c_int, ctypes.c_void_p)
_DELETE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_recorded: Dict[int, Tuple[Function, MXCallbackList]] = {}      # what MXNet's graphs still point to, by their key
_keys = itertools.count(1)              # 0 would come back from C as None


class Function:
    """outputs = forward(inputs) with a gradient of its own, one call an instance, recorded by autograd.

    `autograd.Function` does the same but for two faults of MXNet 1.9.1: it leaves out every input behind the first one that needs
    no gradient, and takes no notice of grad_req 'add'. It also copies each gradient; here it is written where it belongs.
    """

    saved: Sequence[NDArray] = ()       # what the gradient reads; outputs detached, or they would keep their own record alive

    def forward(self, inputs: Sequence[NDArray]) -> List[NDArray]:
        """The outputs. What the gradient needs is left in self.saved."""
        raise NotImplementedError

    def backward(self, output_grads: List[NDArray], out: List[NDArray]) -> None:
        """Write the gradient of each input into `out`."""
        raise NotImplementedError

    def __call__(self, *inputs: NDArray) -> List[NDArray]:
        with autograd.pause(train_mode=autograd.is_training()):
            outputs = self.forward(inputs)
        self.shapes = [(x.shape, x.context) for x in inputs]
        key = next(_keys)
        context = MXCallbackList(2, ctypes.cast(_CALLBACKS, ctypes.POINTER(ctypes.CFUNCTYPE(ctypes.c_int))),
                                 c_array(ctypes.c_void_p, [key, key]))
        _recorded[key] = self, context
        check_call(_LIB.MXCustomFunctionRecord(ctypes.c_int(len(inputs)), c_handle_array(inputs), ctypes.c_int(len(outputs)),
                                               c_handle_array(outputs), ctypes.byref(context)))
        return outputs

    def write_gradients(self, output_grads: List[NDArray], grads: List[NDArray], reqs: Sequence[int]) -> None:
        """`backward`, each gradient written, added or left out as its request says."""
        out = [nd.empty(shape, ctx) if req in (_NULL, _ADD) else grad
               for grad, req, (shape, ctx) in zip(grads, reqs, self.shapes)]
        # where an output is not used MXNet makes its gradient, zeros, on the wrong device; and what lies on any CPU is
        # called cpu(0) here (c_api_function.cc, ndarray.h; on a GPU the number is right), which costs a copy there
        self.backward([grad.as_in_context(self.shapes[0][1]) for grad in output_grads], out)
        for grad, req, value in zip(grads, reqs, out):
            if req == _ADD:
                grad += value


@_BACKWARD
def _backward(num_output_grads: int, num_input_grads: int, handles: Any, reqs: Any, _: int, key: int) -> bool:
    try:
        function, _context = _recorded[key]
        arrays = [NDArray(ctypes.cast(handle, NDArrayHandle)) for handle in handles[:num_output_grads + num_input_grads]]
        function.write_gradients(arrays[:num_output_grads], arrays[num_output_grads:], reqs[:num_input_grads])
    except Exception:       # a C caller is above: it can only be told that something failed
        traceback.print_exc()
        return False
    return True


@_DELETE
def _delete(key: int) -> bool:
    del _recorded[key]
    return True


_CALLBACKS = c_array(ctypes.CFUNCTYPE(ctypes.c_int),
                     [ctypes.cast(callback, ctypes.CFUNCTYPE(ctypes.c_int)) for callback in (_backward, _delete)])


# At its end Python tells MXNet 1.9.1 to stop the threads that call back and then to wait for all operators, so for ever for a
# gradient that nobody calls for any more. What is registered last comes first: all of them end before that.
atexit.register(nd.waitall)
