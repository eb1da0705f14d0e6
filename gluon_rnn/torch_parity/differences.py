"""Differences between the two frameworks, each with a number."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

import numpy as np
import torch
from mxnet import nd
from mxnet.gluon import rnn
from torch import nn

from ..cells.scratch import SIGMA
from ..models.language_model import LanguageModel, ModelConfig, build_model, copy_params
from .layout import carried_back, to_torch, weights_of
from .lockstep import Lockstep, MXNetTrainer
from .parity import CLIPPING_THETA, LR, SCALE, Size, difference, drawn_batches, randomize
from .torch_trainer import TorchTrainer


@dataclass(frozen=True)
class Difference:
    """size: what `quantity` came to. least: what it must come to for `why` to be right, None where nothing hangs on it.

    chinese: name, quantity and why.
    """
    name: str
    quantity: str
    size: float
    why: str
    chinese: Tuple[str, str, str]
    least: float | None = None

    @property
    def passed(self) -> bool:
        return self.least is None or self.size >= self.least

    def to_dict(self) -> Dict[str, Any]:
        return {**asdict(self), 'verdict': 'differs' if self.passed else 'DOES NOT DIFFER'}


def all_differences(size: Size | None = None) -> Iterator[Difference]:
    """One after the other."""
    kinds: List[Callable[[Size], Difference]] = [gru_form, second_bias, default_activation, new_weights, clipping, adam_epsilon,
                                                      rounding]
    for kind in kinds:
        yield kind(size or Size())


def gru_form(size: Size) -> Difference:
    """The book's GRU and nn.GRU with the same weights."""
    model = _model(size, cell='gru', reset_after=False)
    same_weights = build_model(_config(size, cell='gru', reset_after=True))
    copy_params(model, same_weights)
    apart = _logits_apart(model, to_torch(same_weights, layer=True), size)
    return Difference("the book's GRU | nn.GRU, same weights", 'logits, relative', apart,
                      "the book's candidate takes (R * H) W_hh, the layers' R * (H W_hh): two networks. reset_after is the "
                      "layers' form by hand",
                      ('书中的 GRU | nn.GRU，权重相同', '输出，相对', '书中的候选状态用 (R * H) W_hh，层用 R * (H W_hh)：'
                       '是两个不同的网络。reset_after 是手写的层的形式'), least=1e-3)


def second_bias(size: Size) -> Difference:
    """An LSTM by hand, and nn.LSTM with both of its biases trained."""
    model = _model(size, cell='lstm')
    twin = to_torch(model, layer=True)
    lockstep = Lockstep(model, twin, lr=LR, clipping_theta=CLIPPING_THETA)
    _train(lockstep, size)
    return Difference('LSTM by hand | nn.LSTM, second bias trained too', f'weights after {size.lockstep} steps, relative',
                      _weights_apart(model, twin.state_dict()),
                      'each of the two biases of a gate gets the whole gradient, so under SGD their sum moves twice as far, and '
                      'clipping counts both. With the second frozen at zero the two stay equal',
                      ('手写的 LSTM | nn.LSTM，第二个偏置也训练', f'{size.lockstep} 步之后的权重，相对',
                       '每个门的两个偏置各得到整个梯度，所以 SGD 下它们的和走两倍远，裁剪时也计两次。'
                       '第二个固定为零时，两者始终相同'), least=1e-3)


def default_activation(size: Size) -> Difference:
    """rnn.RNN and nn.RNN, neither told which activation to take."""
    here = rnn.RNN(size.num_hiddens)._mode.replace('rnn_', '')
    there = nn.RNN(1, 1).nonlinearity
    model = _model(size, cell='rnn', impl='gluon', activation=here)
    other = build_model(_config(size, cell='rnn', impl='gluon', activation=there))
    copy_params(model, other)
    return Difference(f'rnn.RNN ({here}) | nn.RNN ({there}), as they come', 'logits, relative',
                      _logits_apart(model, to_torch(other), size),
                      'rnn.RNN is relu unless told otherwise, and section 6.5 uses it so; nn.RNN is tanh',
                      (f'rnn.RNN（{here}）| nn.RNN（{there}），默认设置', '输出，相对',
                       'rnn.RNN 默认用 relu，6.5 节就这样用；nn.RNN 默认用 tanh'), least=1e-3)


def new_weights(size: Size) -> Difference:
    """The size of the weights of a new nn.GRU, beside the book's."""
    torch.manual_seed(size.seed)
    layer: Any = nn.GRU(size.vocab_size, size.num_hiddens)
    sigma = float(layer.weight_hh_l0.detach().std())
    return Difference(f'new weights of nn.GRU({size.vocab_size}, {size.num_hiddens}) | of the book',
                      f'standard deviation, over {SIGMA}', sigma / SIGMA,
                      'torch.nn draws weights and biases from U(-1/√h, 1/√h); the book draws weights from N(0, 0.01), its biases '
                      'are zero',
                      (f'nn.GRU({size.vocab_size}, {size.num_hiddens}) 的新权重 | 书中的', f'标准差，除以 {SIGMA}',
                       'torch.nn 的权重和偏置取自 U(-1/√h, 1/√h)；书中的权重取自 N(0, 0.01)，偏置为零'))


def clipping(size: Size) -> Difference:
    """theta / norm, as the book and its ports write it, and torch.nn.utils.clip_grad_norm_."""
    model = _model(size, cell='gru', reset_after=True)
    by_hand, by_torch = to_torch(model), to_torch(model)
    _train(TorchTrainer(by_hand, lr=LR, clipping_theta=CLIPPING_THETA), size)
    _train(_ClippedByTorch(by_torch, lr=LR, clipping_theta=CLIPPING_THETA), size)
    there = by_torch.state_dict()
    apart = max(difference(a.numpy(), there[name].numpy())[1] for name, a in by_hand.state_dict().items())
    return Difference('theta / norm | torch.nn.utils.clip_grad_norm_', f'weights after {size.lockstep} steps, relative', apart,
                      'clip_grad_norm_ multiplies with theta / (norm + 1e-6)',
                      ('theta / 范数 | torch.nn.utils.clip_grad_norm_', f'{size.lockstep} 步之后的权重，相对',
                       'clip_grad_norm_ 乘的是 theta /（范数 + 1e-6）'))


def adam_epsilon(size: Size) -> Difference:
    """MXNet's Adam and PyTorch's."""
    apart = []
    for mxnet_epsilon in (False, True):
        model = _model(size, cell='gru', reset_after=True)
        twin = to_torch(model)
        _train(Lockstep(model, twin, optimizer='adam', lr=1e-2, clipping_theta=CLIPPING_THETA, mxnet_epsilon=mxnet_epsilon), size)
        apart.append(_weights_apart(model, twin.state_dict()))
    return Difference('adam of MXNet | of PyTorch, lr 0.01', f'weights after {size.lockstep} steps, relative', apart[0],
                      'MXNet adds epsilon to the root of the second moment before its correction for the first steps, PyTorch '
                      'after it: at step 1 its epsilon counts 1/√(1 - β₂) = 32 times as much, and gradients clipped to 0.01 are '
                      f'small enough to feel it. With MXNet\'s epsilon in PyTorch the difference is {apart[1]:.0e}',
                      ('MXNet 的 Adam | PyTorch 的，学习率 0.01', f'{size.lockstep} 步之后的权重，相对',
                       'MXNet 在最初几步的修正之前，把 epsilon 加到二阶矩的平方根上，PyTorch 在修正之后加：'
                       '第 1 步时它的作用是 1/√(1 - β₂) = 32 倍，而裁剪到 0.01 的梯度小到足以受其影响。'
                       f'PyTorch 也用 MXNet 的 epsilon 时，差为 {apart[1]:.0e}'))


def rounding(size: Size) -> Difference:
    """MXNet against itself: a tanh RNN with large weights, one of its weights moved by its last bit."""
    models = [_model(size, cell='rnn', scale=1.0) for _ in range(2)]
    W_xh = weights_of(models[1])['W_xh']
    W_xh[:] = np.nextafter(W_xh.asnumpy(), np.float32(np.inf))
    for model in models:
        _train(MXNetTrainer(model, lr=LR, clipping_theta=CLIPPING_THETA), size)
    here, there = (weights_of(model) for model in models)
    apart = max(difference(here[name].asnumpy(), there[name].asnumpy())[1] for name in here)
    return Difference('tanh RNN with weights twice as large | itself, W_xh moved by the last bit',
                      f'weights after {size.lockstep} steps, relative', apart,
                      'both in MXNet: a large tanh RNN is chaotic, and no two orders of summing stay together in it for long. '
                      'Parity is shown where rounding stays rounding',
                      ('权重为两倍大的 tanh RNN | 它自己，W_xh 只动最后一位', f'{size.lockstep} 步之后的权重，相对',
                       '两者都在 MXNet 中：权重大的 tanh RNN 是混沌的，两种求和次序在其中不会长久一致。'
                       '对照只在舍入仍是舍入之处进行'))


class _ClippedByTorch(TorchTrainer):
    def clip(self) -> None:
        nn.utils.clip_grad_norm_(self.params, self.clipping_theta)


def _config(size: Size, **network: Any) -> ModelConfig:
    return ModelConfig(vocab_size=size.vocab_size, num_hiddens=size.num_hiddens, **network)


def _model(size: Size, *, scale: float = SCALE, **network: Any) -> LanguageModel:
    model = build_model(_config(size, **network))
    randomize(model, np.random.default_rng(size.seed), scale)
    return model


def _train(trainer: Any, size: Size) -> None:
    trainer.start(size.batch_size)
    for X, Y in drawn_batches(size)[2:]:
        trainer.step(X, Y)


def _logits_apart(model: LanguageModel, twin: Any, size: Size) -> float:
    X, _ = drawn_batches(size)[0]
    logits, _ = model(nd.array(X), model.begin_state(size.batch_size))
    with torch.no_grad():
        twin_logits, _ = twin(torch.from_numpy(X), twin.begin_state(size.batch_size))
    return difference(logits.asnumpy(), twin_logits.numpy())[1]


def _weights_apart(model: LanguageModel, state_dict: Mapping[str, torch.Tensor]) -> float:
    there = carried_back(state_dict, model.config)
    return max(difference(array.asnumpy(), there[name])[1] for name, array in weights_of(model).items())
