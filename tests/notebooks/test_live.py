"""What a training, an interruption, an error and a picture look like in a real kernel."""
from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

nbclient = pytest.importorskip('nbclient')
nbformat = pytest.importorskip('nbformat')
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


def kernel(*cells, interrupt=None, tmp_path):
    """Run cells in one kernel. interrupt: the number of the cell that is interrupted once it shows a picture."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(notebook, timeout=300, allow_errors=True, resources={'metadata': {'path': str(tmp_path)}})

    async def run():
        async with client.async_setup_kernel():
            for number, cell in enumerate(notebook.cells):
                running = asyncio.ensure_future(client.async_execute_cell(cell, number))
                while number == interrupt and not pictures(cell):
                    await asyncio.sleep(0.1)
                    assert not running.done(), cell.outputs
                if number == interrupt:
                    await asyncio.sleep(1)
                    await client.km.interrupt_kernel()
                await running
    asyncio.run(run())
    return notebook.cells


def pictures(cell):
    return [output for output in cell.outputs if 'image/png' in output.get('data', {})]


def stream(cell, name):
    return ''.join(output.text for output in cell.outputs if output.output_type == 'stream' and output.name == name)


@pytest.mark.slow
@pytest.mark.parametrize('impl', ['scratch', 'hybrid', 'gluon', 'numba'])
def test_an_interruption_keeps_the_model(impl, tmp_path):
    """The curve is one picture; stopped in the midst of an epoch, the model is there, learns on and writes."""
    _, long, after = kernel(MODEL.replace('IMPL', repr(impl)), LONG, AFTER, interrupt=1, tmp_path=tmp_path)
    assert len(pictures(long)) == 1
    said = stream(long, 'stderr').splitlines()
    assert len([line for line in said if line.startswith('stopped after epoch')]) == 1
    assert not [output for output in long.outputs if output.output_type == 'error']
    assert int(stream(long, 'stdout')) >= 1
    assert stream(after, 'stdout').splitlines() == ['True True', '12', '[1, 2]'] and len(pictures(after)) == 1


def test_elsewhere_an_interruption_is_one(capsys):
    """Outside a notebook `plot` shows nothing and KeyboardInterrupt goes on."""
    import gluon_rnn
    corpus = gluon_rnn.load_corpus('lyrics')
    model = gluon_rnn.build_model(gluon_rnn.ModelConfig(num_hiddens=4, vocab_size=corpus.vocab_size))

    def stop(record):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        gluon_rnn.train(model, corpus.indices, gluon_rnn.TrainConfig(num_epochs=2), plot=True, on_epoch=stop)
    assert 'stopped' not in capsys.readouterr().err


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
