"""The learning curve while it is learned, and an interruption, in a real kernel and elsewhere."""
from __future__ import annotations

from pathlib import Path

import pytest

from gluon_rnn.training.config import EpochRecord
from gluon_rnn.training.live import LiveCurve, in_notebook
from tests.notebooks.kernel import kernel, pictures, stream

ROOT = Path(__file__).resolve().parents[2]
MODEL = f"""import sys
sys.path.insert(0, {str(ROOT)!r})
import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, build_model, generate, train
corpus = gluon_rnn.load_corpus('lyrics')
model = build_model(ModelConfig(cell='gru', impl=IMPL, num_hiddens=16, vocab_size=corpus.vocab_size))
before = {{name: array.asnumpy() for name, array in model.parameters().items()}}"""
LONG = "records = train(model, corpus.indices, TrainConfig(num_epochs=100_000), plot=True); print(len(records))"
AFTER = """import numpy as np
now = {name: array.asnumpy() for name, array in model.parameters().items()}
print(all(np.isfinite(a).all() for a in now.values()), any((now[k] != before[k]).any() for k in now))
print(len(generate(model, corpus.idx_to_char, '分开', 10)))
print(list(train(model, corpus.indices, TrainConfig(num_epochs=2), plot=True)))"""


@pytest.mark.slow
@pytest.mark.parametrize('impl', ['scratch', 'numba'])
def test_an_interruption_keeps_the_model(impl, tmp_path):
    """The curve is one picture; stopped in the midst of an epoch, the model is there, learns on and writes."""
    _, long, after = kernel(MODEL.replace('IMPL', repr(impl)), LONG, AFTER, interrupt=1, tmp_path=tmp_path)
    assert len(pictures(long)) == 1
    said = stream(long, 'stderr').splitlines()
    assert len([line for line in said if line.startswith('stopped after epoch')]) == 1
    assert not [output for output in long.outputs if output.output_type == 'error']
    assert int(stream(long, 'stdout')) >= 1
    assert stream(after, 'stdout').splitlines() == ['True True', '12', '[1, 2]'] and len(pictures(after)) == 1


def test_elsewhere_an_interruption_is_one(lyrics, capsys):
    """Outside a notebook `plot` shows nothing and KeyboardInterrupt goes on."""
    import gluon_rnn
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(num_hiddens=4, vocab_size=lyrics.vocab_size))

    def stop(record):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        gluon_rnn.train(model, lyrics, gluon_rnn.TrainConfig(num_epochs=2, num_steps=8, batch_size=8), plot=True, on_epoch=stop)
    assert 'stopped' not in capsys.readouterr().err


def test_a_history_is_records_by_epoch_and_a_curve():
    curve = LiveCurve(2, 'mine')
    for epoch, perplexity in ((1, 9.0), (2, 4.0)):
        curve(EpochRecord(epoch, perplexity, 1.0, 10.0, 0.5))
    curve.finish()
    axes, = curve.figure().axes
    assert axes.get_title() == 'mine' and axes.get_lines()[0].get_ydata().tolist() == [9, 4] and list(curve.records) == [1, 2]
    assert not in_notebook() and not curve.interrupted()
