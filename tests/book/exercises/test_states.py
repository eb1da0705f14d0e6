"""Outputs for each unit, and the past in a state."""

from gluon_rnn.book.exercises import states


def test_every_unit_has_an_output(bench):
    table = states.outputs_needed(bench).evidence[0]
    units, outputs, off = (table.header.index(name) for name in ('vocabulary', 'outputs', 'largest |sum of probabilities - 1|'))
    assert all(row[units] == row[outputs] and row[off] < 1e-5 for row in table.rows)


def test_without_the_recurrent_product_no_past_is_in_the_state(bench):
    figures = states.past_in_state(bench).figures
    assert figures['cut'] == 0 < figures['felt_far']
