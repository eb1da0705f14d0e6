"""What 6.1.2 says of its figures."""
import pytest

from gluon_rnn.book.exercises import uses


@pytest.mark.parametrize('gru, said', [(0.24, 'all'), (0.22, 'some')])
def test_above_chance_means_by_two_standard_errors(gru, said):
    rows = [{'GRU': gru, 'by chance': 0.19, 'standard error of chance': 0.0196},
            {'GRU': 0.5, 'by chance': 0.1, 'standard error of chance': 0.01}]
    assert uses.above_chance(rows) == said


def test_the_epoch_is_chosen_on_other_text_than_it_is_scored_on(bench, monkeypatch):
    given = {}
    train = type(bench).train
    monkeypatch.setattr(type(bench), 'train', lambda self, label, **how: given.update(how) or train(self, label, **how))
    outcome = uses.uses(bench)
    whole = bench.corpus(uses.CHARS)
    _, held_out = whole.split(0.1)
    assert len(given['corpus']) + len(held_out) == len(whole) and given['corpus'].idx_to_char == whole.idx_to_char
    assert given['valid_fraction'] == pytest.approx(1 / 9) and outcome.evidence[0].header[-1] == 'standard error of chance'
