"""The update of the weights: gradient clipping (section 6.4.5) and the optimizer, all on the device."""
from __future__ import annotations

import json
import math
from typing import Any, Dict, List, Tuple

import mxnet as mx
import numpy as np
from mxnet import autograd, nd

from . import adamw

# A plaything; a name for sgd; one that takes no bias; one that divides 0 by 0 where a gradient is 0, as that of a character that
# a batch has not; and one that forgets the weights it starts from.
_LEFT_OUT = {'test', 'ccsgd', 'groupadagrad', 'adamax', 'ftrl'}
_AT_ONCE = 40       # arrays that `multi_sum_sq` takes in one call


class Optimizer:
    """Clips the gradients to a global norm and lets an `mx.optimizer` move the parameters, without waiting for the device.

    Clipping multiplies all gradients with min(1, clipping_theta / norm), the norm being over all of them together.
    optimizer: the name of any `mx.optimizer`, 'sgd' being the book's. clipping_theta: 0 clips nothing. weight_decay: of the
    matrices alone; under 'adamw' apart from the gradient, else added to it, weight_decay times the weight, once it is clipped.
    A parameter without a gradient (grad_req 'null') stays as it is.
    """

    def __init__(self, parameters: Dict[str, nd.NDArray], optimizer: str, lr: float, clipping_theta: float,
                 weight_decay: float = 0):
        self._left = {name: left_of_ones(param) for name, param in parameters.items()}
        self.names = [name for name, left in self._left.items() if left is not None]
        self.params = [parameters[name] for name in self.names]
        self.grads = [param.grad for param in self.params]
        self.base_lr, self.lr, self.clipping_theta = lr, lr, clipping_theta
        self.optimizer, self.weight_decay = make_optimizer(optimizer, lr, weight_decay), weight_decay
        self.optimizer.wd_mult = {i: 0.0 for i, param in enumerate(self.params) if param.ndim < 2}
        self._apply = mx.optimizer.get_updater(self.optimizer)
        self._fused = optimizer == 'sgd'
        self._known = optimizer in ('sgd', 'adam', 'adamw')

    @property
    def has_whole_step(self) -> bool:
        """Whether `whole_step` says all of a step: not where gradients add up or are not wanted, nor of a subclass's own step."""
        return self._known and type(self).step is Optimizer.step and all(
            left is not None and not left.asscalar() for left in self._left.values())

    def scale_lr(self, factor: float) -> None:
        """Set the learning rate to `factor` times its first value, from the next step on."""
        self.lr = self.optimizer.lr = self.base_lr * factor

    def step(self) -> nd.NDArray:
        """Move the parameters once. Returns the gradients' global L2 norm before clipping, shape (1,)."""
        norm = global_norm(self.grads)
        factor = nd.minimum(self.clipping_theta / norm, 1) if self.clipping_theta else nd.ones_like(norm)
        if self._fused:
            self._sgd(factor * self.lr)
        else:
            for i, (param, grad) in enumerate(zip(self.params, self.grads)):
                grad *= factor
                self._apply(i, grad, param)
        return norm

    def _sgd(self, lr: nd.NDArray) -> None:
        """w -= lr * grad, the clip factor inside lr, so that gradients stay as they are; a matrix shrinks first, by weight_decay.

        Written as a product of matrices of one row, which takes less than half the time of MXNet's operators for SGD.
        """
        for param, grad in zip(self.params, self.grads):
            w = param.reshape((1, -1))
            nd.linalg_gemm(lr.reshape((1, 1)), grad.reshape((1, -1)), w, alpha=-1.0,
                           beta=1 - self.lr * self.weight_decay * (param.ndim > 1), out=w)

    def whole_step(self) -> Dict[str, Any]:
        """The next step, for a model that makes it itself: optimizer, lr, clipping_theta; of the matrices, 'shrink': the part of
        each weight that is taken away, and 'l2': the part of it that is added to its gradient.

        Of Adam also its constants and 'moments', of each parameter its two arrays, which the model moves; lr then has the
        correction for the first steps in it.
        """
        step: Dict[str, Any] = {'optimizer': 'sgd', 'lr': self.lr, 'clipping_theta': self.clipping_theta,
                                'shrink': self.lr * self.weight_decay}
        if self._fused:
            return step
        if not isinstance(self.optimizer, adamw.AdamW):
            step.update(shrink=0.0, l2=self.weight_decay)
        adam, states = self.optimizer, self._apply.states
        for i, param in enumerate(self.params):
            if i not in states:
                states[i], self._apply.states_synced[i] = adam.create_state_multi_precision(i, param), True
            adam._update_count(i)
        t = adam._index_update_count[0]
        return {**step, 'optimizer': 'adam', 'lr': self.lr * math.sqrt(1 - adam.beta2 ** t) / (1 - adam.beta1 ** t),
                'beta1': adam.beta1, 'beta2': adam.beta2, 'epsilon': adam.epsilon,
                'moments': {name: states[i] for i, name in enumerate(self.names)}}

    def state(self) -> Tuple[Dict[str, np.ndarray], Dict[str, Any]]:
        """The optimizer's state for a checkpoint, as arrays and as plain numbers."""
        arrays = {f'{self.names[i]}/{k}': array.asnumpy() for i, state in self._apply.states.items()
                  for k, array in enumerate(_flatten(state))}
        numbers: Dict[str, Any] = {name: value for name, value in vars(self.optimizer).items()
                                   if isinstance(value, (int, float)) and not isinstance(value, bool)}
        self.optimizer._set_current_context(self.params[0].context.device_id)
        numbers['counts'] = {str(i): count for i, count in self.optimizer._index_update_count.items()}
        return arrays, json.loads(json.dumps(numbers))

    def load_state(self, arrays: Dict[str, np.ndarray], numbers: Dict[str, Any]) -> None:
        """Go on from what `state` returned, but with this optimizer's lr.

        Raises ValueError if it belongs to another optimizer or model.
        """
        numbers = dict(numbers)
        counts = numbers.pop('counts')
        self.optimizer._set_current_context(self.params[0].context.device_id)       # whose counts are meant
        if not numbers.keys() <= vars(self.optimizer).keys():
            raise ValueError('the optimizer state belongs to another optimizer')
        vars(self.optimizer).update({**numbers, 'lr': self.lr})
        self.optimizer._index_update_count.update({int(i): count for i, count in counts.items()})
        for i, (name, param) in enumerate(zip(self.names, self.params)):
            state = self.optimizer.create_state_multi_precision(i, param)
            slots = _flatten(state)
            given = [arrays[key] for key in sorted((k for k in arrays if k.rpartition('/')[0] == name),
                                                   key=lambda k: int(k.rpartition('/')[2]))]
            if not given:
                continue
            if len(given) != len(slots) or any(a.shape != slot.shape for a, slot in zip(given, slots)):
                raise ValueError(f'the optimizer state of {name} belongs to another optimizer or model')
            for slot, value in zip(slots, given):
                slot[:] = value
            self._apply.states[i], self._apply.states_synced[i] = state, True


class Nadam(mx.optimizer.Nadam):
    """MXNet's, but for a fault: its product of momenta grows with every parameter, and not with every step."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.m_schedule: float
        self.last_step, self.schedule_before = 0, 1.0       # plain numbers: a checkpoint keeps them

    def update(self, index: int, weight: nd.NDArray, grad: nd.NDArray, state: Any) -> None:
        step = self._index_update_count.get(index, 0) + 1
        if step != self.last_step:
            self.last_step, self.schedule_before = step, self.m_schedule
        self.m_schedule = self.schedule_before
        super().update(index, weight, grad, state)


def make_optimizer(name: str, lr: float, weight_decay: float = 0) -> Any:
    """Any `mx.optimizer` by its name. Raises ValueError for an unknown one."""
    known = sorted(mx.optimizer.Optimizer.opt_registry.keys() - _LEFT_OUT)
    if name not in known:
        raise ValueError(f'optimizer must be one of {", ".join(known)}, got {name!r}')
    kind = Nadam if name == 'nadam' else mx.optimizer.Optimizer.opt_registry[name]
    return kind(learning_rate=lr, wd=weight_decay)


def left_of_ones(param: nd.NDArray) -> nd.NDArray | None:
    """The sum, (1,), that a backward pass of zeros leaves of a gradient of ones: 0 where it overwrites the gradient (grad_req
    'write'), else more ('add'). None where none is wanted ('null'). No NDArray tells its grad_req, so it is tried, without
    waiting; the gradient is then as before.
    """
    grad, other = param.grad, nd.zeros(1, ctx=param.context)
    if grad is None:
        return None
    kept = grad.copy()
    grad[:] = 1
    other.attach_grad()     # MXNet refuses where nothing has a gradient
    with autograd.record():
        nothing = (0 * param).sum() + other
    nothing.backward()
    left = grad.sum()
    grad[:] = kept
    return left if param.grad is not None else None     # MXNet forgets an array that is not wanted


def global_norm(arrays: List[nd.NDArray]) -> nd.NDArray:
    """The L2 norm of all arrays together, shape (1,), on their device."""
    squares = [nd.multi_sum_sq(*arrays[i:i + _AT_ONCE], num_arrays=len(arrays[i:i + _AT_ONCE]))
               for i in range(0, len(arrays), _AT_ONCE)]
    return nd.concat(*squares, dim=0).sum().sqrt()


def _flatten(state: Any) -> List[nd.NDArray]:
    if state is None:
        return []
    if isinstance(state, (tuple, list)):
        return [array for part in state for array in _flatten(part)]
    return [state]
