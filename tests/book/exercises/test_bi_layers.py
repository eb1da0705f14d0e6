"""What each layer of a deep bidirectional network sees, and when more layers are called better."""
import numpy as np
import pytest

from gluon_rnn.book.exercises import bi_layers


def test_each_layer_but_the_first_sees_everything():
    sight = bi_layers.seen(2, num_steps=5)
    before = np.tril(np.ones((5, 5), dtype=bool))
    assert (sight['layer 1 forward'] == before).all() and (sight['layer 1 backward'] == before.T).all()
    assert sight['layer 2 forward'].all() and sight['layer 2 backward'].all()


@pytest.mark.parametrize('perplexities, said', [
    ((316.0, 368.0, 578.0), 'one'), ((316.0, 310.0, 578.0), 'alike'), ((400.0, 310.0, 312.0), 'deep'),
    ((float('nan'), 310.0, 312.0), 'deep'), ((float('nan'),) * 3, 'alike')])
def test_more_layers_are_called_better_only_beyond_chance(perplexities, said):
    assert bi_layers.which_is_best(perplexities, 8.0) == said
