"""An outcome as text, as a page and as strict JSON."""
import json
import math

import numpy as np
import pytest

from gluon_rnn.book.exercises import EXERCISES, Lines, Outcome, Table, render


@pytest.mark.parametrize('value, text', [
    (None, '-'), (True, 'yes'), (12345, '12,345'), (1234.567, '1,235'), (12.34567, '12.35'), (0.0123456, '0.01235'),
    (1e-9, '1e-09'), (0.0, '0'), (np.float32(2.5), '2.500'), (math.nan, 'nan'), (math.inf, 'inf'), ('分开', '分开')])
def test_values_as_they_are_shown(value, text):
    assert render.shown(value) == text


def test_columns_stand_under_each_other_in_chinese_too():
    outcome = Outcome([Table(('t', '表'), ('name', 'n'), [('分开', 1), ('x', 20)]), Lines(('l', '行'), ['不分开'])], {})
    lines = render.text_of(EXERCISES['6.2.1'], outcome, quick=True).splitlines()
    assert lines[:6] == ['t  表', '  name   n', '  分开   1', '  x     20', '', 'l  行']


def test_what_is_written_is_strict_json(tmp_path):
    outcome = Outcome([Table(('t', '表'), ('x',), [(math.nan,), (np.int64(3),)])], {'share': np.float32(0.5)})
    render.write(tmp_path, EXERCISES['6.2.1'], outcome, note=('n', '注'), settings={'quick': True})
    rows = json.loads((tmp_path / 'result.json').read_text(), parse_constant=pytest.fail)['evidence'][0]['rows']
    assert rows == [['nan'], [3]]
