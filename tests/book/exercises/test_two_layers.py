"""The loop of two layers is the library's network."""
import pytest

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.book.exercises import two_layers


def test_the_loop_is_deep_rnn(bench):
    compared = two_layers.differences(bench)
    assert {name for name, _, _ in compared} == {'logits', 'H1', 'H2', *(f'gradient of {name}' for name in (
        'layer0.W_xh', 'layer0.W_hh', 'layer0.b_h', 'layer1.W_xh', 'layer1.W_hh', 'layer1.b_h', 'W_hq', 'b_q'))}
    for name, largest, difference in compared:
        assert difference <= 1e-5 * largest and largest > 0, name


def test_a_loop_with_a_mistake_is_not(bench, monkeypatch):
    right = two_layers.two_layers

    def mistaken(inputs, state, params):
        return right(inputs, state, [*params[:4], params[1], *params[5:]])      # W_hh1 in the place of W_hh2
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
