"""`make demo`, shortened: it trains, sings before and after, and ends with the model's page."""
import sys
from dataclasses import replace

import demo


def test_the_demo_comes_to_its_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, 'SETTINGS', replace(demo.SETTINGS, num_epochs=1, num_hiddens=8))
    monkeypatch.setattr(sys, 'argv', ['demo.py'])
    monkeypatch.chdir(tmp_path)
    demo.main()
    run, = (tmp_path / 'runs').iterdir()
    assert {'checkpoint.npz', 'curve.png', 'model.html'} <= {path.name for path in run.iterdir()}
    assert '分开' in (run / 'model.html').read_text(encoding='utf-8')
    assert str(run.relative_to(tmp_path) / 'model.html') in capsys.readouterr().out
