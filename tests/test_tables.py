"""Tables and lines as text."""
import math

import numpy as np
import pytest

from gluon_rnn import tables
from gluon_rnn.tables import Lines, Table, markdown_lines


def test_columns_stand_under_each_other_in_chinese_too():
    assert markdown_lines(Table.of(('t', '表'), [{'name': '分开', 'n|m': 1}, {'name': 'x', 'n|m': 2000}])) == [
        '| name |  n\\|m |', '| ---- | ----: |', '| 分开 |     1 |', '| x    | 2,000 |']
    assert markdown_lines(Lines(('l', '行'), ['不分开'])) == ['```', '不分开', '```']


@pytest.mark.parametrize('value, text', [
    (None, '-'), (True, 'yes'), (12345, '12,345'), (1234.567, '1,235'), (12.34567, '12.35'), (0.0123456, '0.01235'),
    (1e-9, '1e-09'), (0.0, '0'), (np.float32(2.5), '2.500'), (math.nan, 'nan'), (math.inf, 'inf'), ('分开', '分开')])
def test_values_as_they_are_shown(value, text):
    assert tables.shown(value) == text
