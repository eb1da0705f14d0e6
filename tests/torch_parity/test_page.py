"""The page of everything that is compared with PyTorch."""
from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import pytest
import torch

from gluon_rnn import runtime
from gluon_rnn.benchmark.cases import plot_bars, to_list
from gluon_rnn.benchmark.implementations import Setting
from gluon_rnn.benchmark.measuring import Measurement
from gluon_rnn.plots import save_figure
from gluon_rnn.torch_parity import curves, page, parity
from tests import browser

SMALL = Setting(num_hiddens=8, num_steps=5, batch_size=4, vocab_size=20, num_chars=200)


def measurements(error: str = '') -> list[Measurement]:
    names = ['d2lzh scratch', 'gluon_rnn hybrid', 'torch by hand']
    return [Measurement(name, (1.0 / i, 1.2 / i), 100, 2.0, 3 << 20, 2 << 20, 9.0) for i, name in enumerate(names, 1)] + [
        Measurement('torch.compile of it', error=error or 'no compiler')]


def write_whole_page(folder):
    """A page of two pairs, one of them not equal, a difference, curves, pictures, and speeds, one of them not measured."""
    row = parity.Row('LSTM, 2 layers | scratch | by hand', 'none', dict.fromkeys(parity.TOLERANCES, 1e-8),
                     dict.fromkeys(parity.TOLERANCES, 1e-7))
    wrong = replace(row, relative=dict.fromkeys(parity.TOLERANCES, 1.0))
    result = {'size': asdict(parity.Size()), 'rows': [row.to_dict(), wrong.to_dict()], 'largest_relative': wrong.relative,
              'largest_absolute': wrong.absolute, 'passed': False,
              'differences': [{'name': 'a & b', 'quantity': 'q', 'size': 1.0, 'why': '<because>', 'verdict': 'differs',
                               'chinese': ['甲和乙', '量', '原因']}]}
    found = [curves.Curves(curves.CurveConfig(num_epochs=2), [9.0, 5.0], [9.0, 5.5],
                           [{'prefix': '分', 'here': '分开', 'there': '分手'}])]
    measured = [(SMALL, measurements('<no> compiler'))]
    save_figure(curves.plot_curves(found), folder / 'curves.png')
    save_figure(plot_bars(measured), folder / 'speed.png')
    page.write_page(folder, result, found, measured, command='python scripts/compare_torch.py all --quick', shortened=True)
    return measured


@pytest.mark.parametrize('width', [400, 1200])
def test_fits_a_phone(tmp_path, chromium, width):
    write_whole_page(tmp_path)
    assert browser.overflow(chromium, tmp_path / 'index.html', width) <= 0


def test_the_page_stands_alone(tmp_path):
    measured = write_whole_page(tmp_path)
    text = (tmp_path / 'index.html').read_text(encoding='utf-8')
    assert not re.findall(r'(?:src|href)="(?!data:)', text) and 'http' not in text and '<script src' not in text
    assert text.count('src="data:image/png;base64,') == 2
    assert '<code>python scripts/compare_torch.py all --quick</code>' in text and 'This run was shortened' in text
    assert '1 of 2 equal' in text and '2 组中 1 组相同' in text
    assert text.count('<span lang="en">') == text.count('<span lang="zh">') > 50
    assert '原因' in text and '两层' in text         # a difference, and a pair's shape
    for wanted in ('NOT EQUAL', '分开', '分手', 'a &amp; b', '&lt;because&gt;', 'not measured:</span>', '&lt;no&gt; compiler',
                   'd2lzh scratch', torch.__version__.split('+')[0]):
        assert wanted in text
    assert json.loads(json.dumps(to_list(measured)))[0]['implementations'][1]['times_as_fast'] == pytest.approx(2)


def test_a_page_of_a_whole_run_marks_nothing(tmp_path):
    small = dict.fromkeys(parity.TOLERANCES, 1e-8)
    equal = parity.Row('LSTM | scratch | by hand', 'none', small, small)
    for name in ('curves.png', 'speed.png'):
        (tmp_path / name).touch()
    result = {'size': asdict(parity.Size()), 'rows': [equal.to_dict()] * 3, 'largest_relative': equal.relative,
              'largest_absolute': equal.absolute, 'passed': True, 'differences': []}
    for shortened in (True, False):
        page.write_page(tmp_path, result, [], [], command='all', shortened=shortened)
        text = (tmp_path / 'index.html').read_text(encoding='utf-8')
        assert ('This run was shortened' in text, '<b class="good">' in text) == (shortened, not shortened)
        assert '3 of 3 equal' in text


def test_every_word_of_a_pair_has_its_chinese():
    rows = [{'name': pair.name, 'second_bias': pair.second_bias} for pair in parity.pairs(parity.Size())]
    for kind, of_kind in page.group(rows):
        words = {kind, *(row[part] for row in of_kind for part in ('shape', 'there', 'second_bias'))}
        assert {en for en, chinese in words if en == chinese} <= {'RNN tanh', 'RNN relu', 'RNN sigmoid', 'LSTM', 'torch.nn'}


def test_versions_and_machine():
    assert {'gluon_rnn', 'mxnet', 'torch', 'numpy', 'python'} <= page.versions().keys()
    assert 'CPUs' in runtime.machine()
