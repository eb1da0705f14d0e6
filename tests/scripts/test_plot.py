"""Several runs in one picture."""
import numpy as np
import plot
import pytest

from gluon_rnn.plots import plot_perplexity
from gluon_rnn.runs.folder import read_metrics


@pytest.fixture
def runs(trained_in, tmp_path):
    """Two runs, the second with held-out text."""
    return [trained_in(tmp_path / 'one'), trained_in(tmp_path / 'two', '--valid-fraction', 0.2)]


def test_each_run_is_a_line_and_held_out_text_another(runs, script, refused, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(plot, 'plot_perplexity', lambda *args, **kw: figures.append(plot_perplexity(*args, **kw)) or figures[-1])
    records = [read_metrics(run) for run in runs]
    for x, of in (('epoch', lambda own: [r.epoch for r in own]), ('seconds', lambda own: np.cumsum([r.seconds for r in own]))):
        out = tmp_path / 'pictures' / f'{x}.png'
        ended = script('plot', *runs, '--x', x, '--out', out)
        assert ended.status == 0 and ended.out == f'{out}\n' and out.read_bytes().startswith(b'\x89PNG')
        axes, = figures[-1].axes
        lines = axes.get_lines()
        assert axes.get_xlabel() == x and [line.get_label() for line in lines] == ['one', 'two', 'two, held out']
        for line, own, name in zip(lines, (records[0], records[1], records[1]), ('perplexity', 'perplexity', 'valid_perplexity')):
            np.testing.assert_allclose(line.get_xdata(), of(own))
            np.testing.assert_allclose(line.get_ydata(), [getattr(record, name) for record in own])
    refused('epoch.png is there already', 'plot', *runs, '--out', tmp_path / 'pictures' / 'epoch.png')
    assert script('plot', *runs, '--out', tmp_path / 'pictures' / 'epoch.png', '--overwrite').status == 0


def test_what_has_no_curve(refused, tmp_path):
    (tmp_path / 'empty').mkdir()
    refused('empty has no epoch to draw: give the folder of a run', 'plot', tmp_path / 'empty', '--out', tmp_path / 'x.png')
    refused('the same RUN is given twice', 'plot', tmp_path / 'empty', tmp_path / 'empty', '--out', tmp_path / 'x.png')
    assert not (tmp_path / 'x.png').exists()
