"""The loop of two layers is the library's network."""
import pytest

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.book.exercises import two_layers
from tests.book.exercises.made_up import says


def test_the_loop_is_deep_rnn(bench):
    compared = two_layers.differences(bench)
    assert {name for name, _, _ in compared} == {'logits', 'H1', 'H2', *(f'gradient of {name}' for name in (
        'W_xh1', 'W_hh1', 'b_h1', 'W_xh2', 'W_hh2', 'b_h2', 'W_hq', 'b_q'))}
    for name, largest, difference in compared:
        assert difference <= 1e-5 * largest and largest > 0, name


def test_a_loop_with_a_mistake_is_not(bench, monkeypatch):
    right = two_layers.two_layers

    def mistaken(inputs, state, params):
        return right(inputs, state, {**params, 'W_hh2': params['W_hh1']})
    monkeypatch.setattr(two_layers, 'two_layers', mistaken)
    compared = {name: difference / largest for name, largest, difference in two_layers.differences(bench) if largest}
    assert compared['logits'] > 1e-2


@pytest.mark.parametrize('width, vocab_size', [(256, 1027), (8, 100)])
def test_as_many_parameters(width, vocab_size, bench):
    def size(**settings):
        model = build_model(ModelConfig(cell='rnn', vocab_size=vocab_size, **settings))
        return sum(value.size for value in model.parameters().values())
    wanted = size(num_layers=2, num_hiddens=width)
    wide = two_layers.equal_width(width, vocab_size)
    assert abs(size(num_hiddens=wide) - wanted) <= min(abs(size(num_hiddens=wide + k) - wanted) for k in (-1, 1))
    assert size(num_hiddens=wide) == pytest.approx(wanted, rel=0.05)


def answer(one, two, *, difference=1e-7, upper=0.5):
    rows = [(layers, width, 0.1, 1000, 0.2, upper, end or float('nan'), 1.0 if end else float('nan'), 'no' if end else 'the loss')
            for layers, width, end in ((1, 142, one), (2, 128, two))]
    return two_layers._answer([('logits', 1.0, difference), ('zero', 0.0, 0.0)], rows, 60)


@pytest.mark.parametrize('one, two, en, zh', [
    (26.0, 6.0, 'come to 6, ahead of one layer of 142 with 26, at 1.00 times', '为 6，优于一层（142）的 26，用时'),
    (6.0, 26.0, 'come to 26, behind one layer', '为 26，不如一层'),
    (6.0, 6.3, 'come to 6.3, not clearly different from one layer', '为 6.3，没有明显不同于一层'),
    (6.0, None, 'come to a break-off, behind one layer', '为 中断，不如一层'),
    (None, 6.0, 'come to 6, ahead of one layer of 142 with a break-off', '优于一层（142）的 中断')])
def test_which_is_ahead(one, two, en, zh):
    assert says(answer(one, two), (en, zh), ('and 60 epochs', '训练 60 个周期'), ('gets 0.4 times', '上层的 0.4 倍'))


def test_a_loop_that_differs_is_not_called_the_same():
    assert says(answer(26.0, 6.0), ("is the library's DeepRNN", '与库中的 DeepRNN 相同'))
    said = answer(26.0, 6.0, difference=0.1, upper=0.0)
    assert says(said, ("is NOT the library's DeepRNN", '并不相同')) and 'the lower layer' not in said[0]
