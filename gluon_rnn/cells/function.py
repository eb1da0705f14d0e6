"""A step of autograd whose gradient is a compiled graph."""
from __future__ import annotations

import ctypes
import itertools
import traceback
from typing import Any, Dict, List, Sequence

from mxnet import autograd, nd
from mxnet.base import _LIB, MXCallbackList, NDArrayHandle, c_array, c_handle_array, check_call
from mxnet.ndarray import NDArray

_NULL, _ADD = 0, 3                      # MXNet's OpReqType; what lies between them overwrites
_BACKWARD = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p),
                             ctypes.POINTER(ctypes.c_int), ctypes.c_int, ctypes.c_void_p)
_DELETE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_recorded: Dict[int, Any] = {}          # what MXNet's graphs still point to
_keys = itertools.count()


class CompiledFunction:
    """outputs = forward(inputs) with a gradient of its own, one call an instance, recorded by autograd.

    `autograd.Function` does the same but for two faults of MXNet 1.9.1: it leaves out every input behind the first one that needs
    no gradient, and takes no notice of grad_req 'add'. It also copies each gradient; here the graph writes it where it belongs.
    """

    def forward(self, inputs: Sequence[NDArray]) -> List[NDArray]:
        """The outputs. What the gradient needs is kept on self."""
        raise NotImplementedError

    def backward(self, output_grads: List[NDArray], out: List[NDArray]) -> None:
        """Write the gradient of each input into `out`."""
        raise NotImplementedError

    def __call__(self, *inputs: NDArray) -> List[NDArray]:
        with autograd.pause(train_mode=autograd.is_training()):
            outputs = self.forward(inputs)
        shapes = [(x.shape, x.context) for x in inputs]

        def backward_entry(num_output_grads: int, num_input_grads: int, handles: Any, reqs: Any, *_: Any) -> bool:
            try:
                arrays = [NDArray(ctypes.cast(handle, NDArrayHandle))
                          for handle in handles[:num_output_grads + num_input_grads]]
                grads = list(zip(arrays[num_output_grads:], reqs[:num_input_grads], shapes))
                out = [nd.empty(shape, ctx) if req in (_NULL, _ADD) else grad for grad, req, (shape, ctx) in grads]
                # where an output is not used MXNet makes its gradient, zeros, on the wrong device; and what lies on any CPU is
                # called cpu(0) here (c_api_function.cc, ndarray.h; on a GPU the number is right), which costs a copy there
                self.backward([grad.as_in_context(shapes[0][1]) for grad in arrays[:num_output_grads]], out)
                for (grad, req, _), value in zip(grads, out):
                    if req == _ADD:
                        grad += value
            except Exception:       # a C caller is above: it can only be told that something failed
                traceback.print_exc()
                return False
            return True

        def delete_entry(_: Any) -> bool:
            del _recorded[key]
            return True

        key = next(_keys)
        callbacks = [ctypes.cast(c, ctypes.CFUNCTYPE(ctypes.c_int)) for c in (_BACKWARD(backward_entry), _DELETE(delete_entry))]
        context = MXCallbackList(ctypes.c_int(2), ctypes.cast(c_array(ctypes.CFUNCTYPE(ctypes.c_int), callbacks),
                                                              ctypes.POINTER(ctypes.CFUNCTYPE(ctypes.c_int))),
                                 ctypes.cast(c_array(ctypes.c_void_p, [None] * 2), ctypes.POINTER(ctypes.c_void_p)))
        _recorded[key] = context
        check_call(_LIB.MXCustomFunctionRecord(ctypes.c_int(len(inputs)), c_handle_array(inputs), ctypes.c_int(len(outputs)),
                                               c_handle_array(outputs), ctypes.byref(context)))
        return outputs
