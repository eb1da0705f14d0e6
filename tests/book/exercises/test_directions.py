"""What the directions give and see."""
import pytest

from gluon_rnn.book.exercises import directions


def test_shapes_of_unequal_directions():
    found = directions.shapes(3, 5, vocab_size=30, batch_size=2)
    assert found['H_t'] == (2, 8) and found['W_hq'] == (8, 30)
    assert found['forward.W_hh'] == (3, 3) and found['backward.W_hh'] == (5, 5) and found['backward.W_xh'] == (30, 5)
    above = directions.shapes(3, 5, num_layers=2)
    assert above['layer1.forward.W_xh'] == (8, 3) and above['layer1.backward.W_xh'] == (8, 5)


@pytest.mark.parametrize('backward', [0, 3])
def test_gaps_are_learned_with_and_without_a_second_direction(backward, bench):
    ways = {'bidirectional': True, 'backward_hiddens': backward} if backward else {}
    one, two = (directions.learn(bench, 'x', num_hiddens=5, num_epochs=2, **ways) for _ in range(2))
    assert one.scores == two.scores and len(one.scores) == 2 and one.best.perplexity == min(s.perplexity for s in one.scores)
    assert one.scores[1].perplexity < one.scores[0].perplexity
