"""What the notebooks share: a table of published figures, verses, errors in one line, pictures."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from gluon_rnn import ModelConfig, build_model
from gluon_rnn.book import notebook
from gluon_rnn.training.config import EpochRecord
from tests.notebooks.kernel import kernel, pictures, stream

ROOT = Path(__file__).resolve().parents[2]


def records(*perplexities):
    return {epoch: EpochRecord(epoch, value, 2.0, 10.0, 0.5) for epoch, value in enumerate(perplexities, 1)}


def test_published_figures_stand_beside_those_measured():
    """Of each variant that was trained, the epochs that were reached, or the first published one."""
    table = re.sub(' +', ' ', notebook.compare('6.7', {'gluon': records(*[50.0] * 39, 12.5)}).data)
    assert 'rnn.GRU' in table and '| **本次 here** | 12.500 |' in table and '154.5' in table
    assert re.search(r'\| \*\*本次 here\*\* +\| +\|\n', notebook.compare('6.7', {'gluon': records(9.0)}).data)
    assert notebook.compare('6.7', {}).data == ''


def test_verses_after_what_was_learned(lyrics, capsys):
    model = build_model(ModelConfig(num_hiddens=4, vocab_size=lyrics.vocab_size))
    notebook.sing(model, lyrics, records(9.0, 4.0), length=3)
    first, *verses = capsys.readouterr().out.splitlines()
    assert first == '周期 epoch 2，困惑度 perplexity 4.000，4 s'
    assert [verse[:5] for verse in verses] == [' - 分开', ' - 不分'] and len(verses[0]) == 3 + 2 + 3
    notebook.sing(model, lyrics, {})
    assert 'not one epoch was finished' in capsys.readouterr().out


def test_shortened_by_a_variable(monkeypatch):
    monkeypatch.delenv('GLUON_RNN_QUICK', raising=False)
    assert notebook.epochs(160) == 160 and len(notebook.corpus('lyrics')) > 2500
    monkeypatch.setenv('GLUON_RNN_QUICK', '1')
    assert notebook.epochs(160) == 2 and len(notebook.corpus('lyrics')) == 2500


def test_the_source_of_a_thing():
    assert notebook.source(notebook.epochs).data.startswith('def epochs(full: int) -> int:')


@pytest.mark.slow
def test_errors_and_pictures(tmp_path):
    """Ours are one line and stop the cells below; the reader's own keep their traceback; Chinese stands beside a formula."""
    begin = (f'import sys\nsys.path.insert(0, {str(ROOT)!r})\nimport gluon_rnn\n'
             'from gluon_rnn.book import notebook\nnotebook.begin()')
    plot = """import matplotlib.pyplot as plt
plt.plot([1, -2])
plt.title('$W_{hh}$ 的高次幂 −1')
plt.show()"""
    _, ours, readers, drawn, figure = kernel(
        begin, "gluon_rnn.load_corpus('no such text')", "int('x')", plot,
        'from gluon_rnn.plots import plot_perplexity\nplot_perplexity({})', tmp_path=tmp_path)
    assert [out.output_type for out in ours.outputs] == ['stream']
    assert ours.outputs[0].text.count('\n') == 1
    assert ours.outputs[0].text.startswith("ValueError: corpus 'no such text' is neither a file nor one of")
    assert any(out.output_type == 'error' and 'invalid literal' in out.evalue for out in readers.outputs)
    assert len(pictures(drawn)) == 1 and stream(drawn, 'stderr') == ''
    assert len(pictures(figure)) == 1
