"""What the answers about clipping and activations say of other figures."""
import dataclasses

import pytest

from gluon_rnn.book.exercises import by_hand
from tests.book.exercises.made_up import CORPUS, says, training


def clipping(bare, clipped, others=(), slower=()):
    runs = [training('not clipped, lr 100', bare, clipping_theta=0, lr=100, diverged='' if bare else 'the loss')]
    runs += [training('slower', [value], clipping_theta=0, lr=lr) for lr, value in slower]
    runs += [training('clipped at 0.01, lr 100', clipped, clipping_theta=0.01, lr=100, diverged='' if clipped else 'the loss')]
    runs += [training('x', [value], clipping_theta=theta, lr=100) for theta, value in others]
    return by_hand._clipping_answer(runs, CORPUS)


@pytest.mark.parametrize('bare, clipped, verdict', [
    ([], [5.0], ('The training explodes: with the learning rate of 100 and no clipping it breaks off in epoch 1',
                 '训练发散：学习率为 100 且不裁剪梯度时，训练在第 1 个周期中断')),
    ([1e20], [5.0], ('it explodes: perplexity 1e+20; clipped at 0.01 it comes to 5',
                      '训练发散，困惑度为 1e+20；裁剪到 0.01 时达到 5')),
    ([10.0 - 1e-9], [], ('It learns more', '学得更好')),
    ([2.0], [5.0], ('It learns more', '学得更好')),
    ([5.1], [5.0], ('No clear difference', '没有明显差别')),
    ([8.0], [5.0], ('It learns less', '学得较差')),
])
def test_without_clipping(bare, clipped, verdict):
    assert says(clipping(bare, clipped), verdict)


def test_a_threshold_that_explodes_is_told():
    answer = clipping([1e30], [5.0], others=[(0.1, 4e20), (0.001, 9.0)], slower=[(10, 1e6), (0.1, 5.2)])
    assert says(answer, ('the threshold counts: clipped at 0.1 explodes: perplexity 4e+20; 0.001 comes to 9',
                         '阈值也要合适：裁剪到 0.1 发散，困惑度为 4e+20；0.001 达到 9'),
                ('The best of these, 0.1, is not clearly different from clipping', '其中最好的 0.1 没有明显不同于'))
    answer = clipping([4.0], [5.0], others=[(0.1, 4.0)], slower=[(10, 3.0)])
    assert 'the threshold counts' not in answer[0] and '阈值也要合适' not in answer[1]
    assert says(answer, ('The best of these, 10, is ahead of', '10 胜过'))


def activations(tanh, relu, sigmoid=20.0):
    runs = [training(name, [] if value is None else [99.0, value], diverged='the loss' if value is None else '')
            for name, value in (('tanh', tanh), ('relu', relu), ('sigmoid', sigmoid))]
    rows = [(run.label, 2, run.perplexity, 1.0, 0.5, 0.5, 1.0, 0.6, 0.1, False) for run in runs]
    return by_hand._activation_answer(runs, rows, CORPUS)


@pytest.mark.parametrize('tanh, relu, verdict', [
    (5.0, None, ('It breaks off in epoch 1', '训练在第 1 个周期中断')),
    (5.0, 1e9, ('It explodes', '训练发散')),
    (5.0, 5.2, ('It trains, with no clear difference from tanh', '可以训练，与 tanh 没有明显差别')),
    (5.0, 8.0, ('It trains, and is behind tanh', '可以训练，此处不及 tanh')),
    (8.0, 5.0, ('It trains, and is ahead of tanh', '可以训练，此处胜过 tanh')),
    (None, 5.0, ('It trains, and is ahead of tanh', '可以训练，此处胜过 tanh')),
])
def test_relu(tanh, relu, verdict):
    answer = activations(tanh, relu)
    assert says(answer) and answer[0].startswith(verdict[0]) and answer[1].startswith(verdict[1])
    none_off = tanh and relu
    assert ('none broke off' in answer[0]) == bool(none_off) == ('没有一个中断' in answer[1])
    assert 'as long as gradients were clipped' not in answer[0]


def test_relu_above_the_frequencies_has_not_learned():
    skewed = dataclasses.replace(CORPUS, indices=CORPUS.indices // 9)       # knowing frequencies gives less than 2
    runs = [training(name, [9.0, value]) for name, value in (('tanh', 1.1), ('relu', 5.0), ('sigmoid', 6.0))]
    answer = by_hand._activation_answer(runs, [('x', 2, 1.0, 1.0, 0.5, 0.5, 1.0, 0.6, 0.1, False)] * 3, skewed)
    assert answer[0].startswith('It comes to no more than knowing') and answer[1].startswith('结果不比')
