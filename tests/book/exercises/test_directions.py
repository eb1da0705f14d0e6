"""What the directions give and see."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import directions, workbench


def test_shapes_of_unequal_directions():
    found = directions.shapes(3, 5, vocab_size=30, batch_size=2)
    assert found['H_t'] == (2, 8) and found['W_hq'] == (8, 30)
    assert found['forward.W_hh'] == (3, 3) and found['backward.W_hh'] == (5, 5) and found['backward.W_xh'] == (30, 5)
    above = directions.shapes(3, 5, num_layers=2)
    assert above['layer1.forward.W_xh'] == (8, 3) and above['layer1.backward.W_xh'] == (8, 5)


def test_each_layer_but_the_first_sees_everything():
    sight = directions.seen(2, num_steps=5)
    before = np.tril(np.ones((5, 5), dtype=bool))
    assert (sight['layer 1 forward'] == before).all() and (sight['layer 1 backward'] == before.T).all()
    assert sight['layer 2 forward'].all() and sight['layer 2 backward'].all()


@pytest.mark.parametrize('backward', [0, 3])
def test_gaps_are_learned_with_and_without_a_second_direction(backward, bench, monkeypatch):
    monkeypatch.setattr(workbench, 'QUICK_CHARS', 400)
    ways = {'bidirectional': True, 'backward_hiddens': backward} if backward else {}
    one, two = (directions.learn(bench, 'x', num_hiddens=5, num_epochs=2, **ways) for _ in range(2))
    first, second = ([(record.valid_perplexity, record.accuracy) for record in run.records] for run in (one, two))
    assert first == second and len(first) == 2 and first[1] < first[0] and one.best_held_out == (first[1][0], 2)


@pytest.mark.parametrize('perplexities, said', [
    ((316.0, 368.0, 578.0), 'one'), ((316.0, 310.0, 578.0), 'alike'), ((400.0, 310.0, 312.0), 'deep'),
    ((float('inf'), 310.0, 312.0), 'deep'), ((float('inf'),) * 3, 'alike')])
def test_more_layers_are_called_better_only_beyond_chance(perplexities, said):
    assert directions.which_is_best(perplexities, 8.0) == said
