"""Which samples are better, only beyond chance."""
import pytest

from gluon_rnn.book.exercises import sentences


@pytest.mark.parametrize('windows, by_length, said', [
    ((591.0, 583.0), (500.0, 985.0), 'own'), ((591.0, 583.0), (500.0, 580.0), 'verses'),
    ((591.0, 583.0), (580.0, 985.0), 'windows'), ((591.0, 583.0), (float('nan'), 985.0), 'windows')])
def test_632_names_a_winner_only_beyond_chance(windows, by_length, said):
    assert sentences.who_is_better(windows, by_length, 0.05) == said
