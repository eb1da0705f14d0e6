"""scripts/export.py RUN --format onnx, and scripts/generate.py model.onnx in a process that cannot load MXNet."""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gluon_rnn
from gluon_rnn.models.fill_in import FillIn
from gluon_rnn.runs import checkpoint

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = """import sys
class Block:
    def find_spec(self, name, *_):
        if name.partition('.')[0] in {names}:
            raise ImportError(f'{{name}} is blocked')
sys.meta_path.insert(0, Block())
"""
RUN = BLOCKED + """import runpy
sys.path.insert(0, 'scripts')
sys.argv = ['scripts/' + sys.argv[1] + '.py', *sys.argv[2:]]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def blocked(names, code, *args, cwd=ROOT):
    """What a program prints that runs where these modules cannot be imported."""
    done = subprocess.run([sys.executable, '-W', 'error', '-c', code.format(names=set(names)), *map(str, args)], cwd=cwd,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """trained(cell=..., ...) -> a run's folder with a model whose weights are large enough for a text that says something."""
    def make(**network) -> Path:
        folder = tmp_path_factory.mktemp('run') / 'run'
        folder.mkdir()
        corpus = gluon_rnn.load_corpus('lyrics', max_chars=400)
        gluon_rnn.seed(0)
        model = gluon_rnn.build_model(gluon_rnn.ModelConfig(num_hiddens=16, vocab_size=corpus.vocab_size, **network))
        gluon_rnn.models.language_model.redraw_weights(model, 0.6)
        trainer = gluon_rnn.Trainer(model, gluon_rnn.TrainConfig(num_epochs=1, num_steps=8, batch_size=8))
        list(trainer.epochs(corpus.indices[:100]))
        checkpoint.save(folder / 'checkpoint.npz', checkpoint.Checkpoint.take(trainer, corpus.idx_to_char))
        return folder
    return make


@pytest.fixture(scope='module')
def run(trained):
    return trained(cell='gru', impl='hybrid')


@pytest.fixture
def exported(script, run, tmp_path):
    """The file of `run`."""
    path = tmp_path / 'model.onnx'
    assert script('export', run, '--format', 'onnx', '--out', path).status == 0
    return path


@pytest.mark.parametrize('network', [{'cell': 'gru', 'impl': 'scratch'}, {'cell': 'lstm', 'impl': 'hybrid', 'num_layers': 2},
                                     {'cell': 'rnn', 'impl': 'gluon', 'bidirectional': True},
                                     {'cell': 'clockwork', 'impl': 'hybrid', 'periods': (1, 2)}], ids=lambda n: n['cell'])
def test_the_same_verses(script, trained, network):
    run = trained(**network)
    ended = script('export', run, '--format', 'onnx')
    assert (ended.status, ended.err) == (0, '')
    path = run.with_name('run.onnx')
    said = rf'{path}: {path.stat().st_size} bytes; run by ONNX Runtime .* within \de-\d\d of those in MXNet\n'
    assert re.fullmatch(said, ended.out)
    for flags in ((), ('--temperature', 1.5, '--seed', 3), ('--top-k', 5, '--length', 20)):
        flags = ('--prefix', '分开', '--prefix', '不', *flags)
        found, wanted = (script('generate', model, *flags) for model in (path, run))
        assert (found.status, found.err) == (0, '') and found.out == wanted.out
        assert len(set(found.out)) > 8, 'the text says nothing'


def test_verses_without_mxnet(script, run, exported):
    written = blocked({'mxnet', 'onnx', 'matplotlib', 'torch', 'filelock'}, RUN, 'generate', exported, '--prefix', '分开')
    assert written == script('generate', run, '--prefix', '分开').out


@pytest.mark.slow
def test_a_real_model(script, needs_corpus, tmp_path):
    """The book's size: 1,027 characters, 256 hidden units. Greedy verses so early are mostly spaces; drawn ones are not."""
    needs_corpus('jaychou')
    run = tmp_path / 'run'
    for ended in (script('train', '--corpus', 'jaychou', '--impl', 'hybrid', '--num-epochs', 8, '--optimizer', 'adam',
                         '--lr', 0.01, '--period', 8, '--ctx', 'cpu', '--out', run),
                  script('export', run, '--format', 'onnx')):
        assert ended.status == 0, ended.err
    for flags, distinct in ((), 2), (('--temperature', 0.8, '--seed', 7), 60):
        flags = ('--prefix', '分开', '--prefix', '不分开', '--length', 200, *flags)
        found, wanted = (script('generate', model, *flags) for model in (tmp_path / 'run.onnx', run))
        assert (found.status, wanted.status) == (0, 0), found.err + wanted.err
        assert found.out == wanted.out
        assert len(set(found.out)) > distinct, found.out


def test_the_program_in_the_docs(script, run, exported):
    code, = re.findall(r'```python\n(.*?)```', (ROOT / 'docs' / 'export.md').read_text(encoding='utf-8'), re.DOTALL)
    printed = blocked({'mxnet', 'onnx', 'gluon_rnn'}, BLOCKED + code.replace('{', '{{').replace('}', '}}'), cwd=exported.parent)
    assert printed == script('generate', run, '--prefix', '分开', '--length', 50).out


@pytest.mark.parametrize('code', ["import numpy; numpy.__version__ = '2.3.0'\n",
                                  "import sys, numpy; sys.version_info = (3, 14, 0, 'final', 0)\n"], ids=['numpy', 'python'])
def test_where_mxnet_could_not_work(script, run, exported, code):
    """What needs no MXNet works there, and what needs it says why it cannot."""
    wanted = script('generate', run, '--prefix', '分开').out
    assert blocked({'nothing'}, code + RUN, 'generate', exported, '--prefix', '分开') == wanted
    with pytest.raises(AssertionError, match=r'generate.py: MXNet 1\.9\.1 (needs NumPy below 2, found 2\.3\.0|runs here on)'):
        blocked({'nothing'}, code + RUN, 'generate', run, '--prefix', '分开')


def test_importing_the_package_loads_no_mxnet():
    code = "import sys, gluon_rnn\nprint('mxnet' in sys.modules, sorted(set(gluon_rnn.__all__) - set(dir(gluon_rnn))))"
    assert blocked({'nothing'}, BLOCKED + code) == 'False []\n'
    for name in gluon_rnn.__all__:
        assert getattr(gluon_rnn, name)
    with pytest.raises(AttributeError, match="module 'gluon_rnn' has no attribute 'no_such'"):
        gluon_rnn.no_such  # noqa: B018


def test_a_page(script, refused, run, tmp_path):
    ended = script('export', run, '--format', 'html')
    assert (ended.status, ended.err) == (0, '') and ended.out.endswith('bytes; open it in a browser\n')
    small = run.with_name('run.html').stat().st_size
    assert script('export', run, '--format', 'html', '--dtype', 'float32', '--out', tmp_path / 'page.html').status == 0
    assert small < (tmp_path / 'page.html').stat().st_size
    refused('--dtype goes with --format html, got onnx', 'export', run, '--format', 'onnx', '--dtype', 'float16')


def test_what_is_refused(script, refused, run, exported, tmp_path, monkeypatch):
    refused('--form goes with --format torch, got onnx', 'export', run, '--format', 'onnx', '--form', 'hand')
    refused('neither a run with a checkpoint', 'export', tmp_path / 'none', '--format', 'onnx')
    refused('File exists', 'export', run, '--format', 'onnx', '--out', exported / 'model.onnx')
    refused('Is a directory', 'export', run, '--format', 'onnx', '--out', tmp_path)
    refused('does not exist: write it by scripts/export.py', 'generate', tmp_path / 'none.onnx', '--prefix', '分')
    refused("'Q' is not in the vocabulary", 'generate', exported, '--prefix', 'Q')
    refused('temperature must be 0 (greedy) or more', 'generate', exported, '--prefix', '分', '--temperature', -1)
    refused('--ctx gpu was asked for', 'generate', exported, '--prefix', '分', '--ctx', 'gpu')
    good = exported.read_bytes()
    exported.write_bytes(good[:2000] + b'\x7f' * 100 + good[2100:])
    refused('is damaged: its contents are not what was exported', 'generate', exported, '--prefix', '分')
    exported.write_bytes((run / 'checkpoint.npz').read_bytes())
    refused('is no model that gluon_rnn has exported', 'generate', exported, '--prefix', '分')
    assert script('export', run, '--format', 'onnx', '--out', exported, '--overwrite').status == 0
    assert exported.read_bytes() == good
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    refused('ONNX Runtime is not installed: pip install onnxruntime', 'generate', exported, '--prefix', '分')
    refused('ONNX Runtime is not installed: pip install onnxruntime', 'export', run, '--format', 'onnx', '--out', exported,
            '--overwrite')
    monkeypatch.setitem(sys.modules, 'onnx', None)
    monkeypatch.delitem(sys.modules, 'gluon_rnn.exchange.to_onnx')
    refused('ONNX is not installed: pip install onnx onnxruntime', 'export', run, '--format', 'onnx', '--overwrite')


def test_a_fill_in_network_is_no_language_model(refused, tmp_path):
    model = FillIn.build(gluon_rnn.ModelConfig(num_hiddens=3, bidirectional=True, vocab_size=4))
    trainer = gluon_rnn.Trainer(model, gluon_rnn.TrainConfig())
    checkpoint.save(tmp_path / 'checkpoint.npz', checkpoint.Checkpoint.take(trainer, tuple('abcd')))
    refused('the checkpoint holds another kind of model (', 'export', tmp_path, '--format', 'onnx')


def test_a_run_with_the_name_of_a_file(script, run, tmp_path):
    shutil.copytree(run, tmp_path / 'run.onnx')
    assert script('export', tmp_path / 'run.onnx' / 'checkpoint.npz', '--format', 'onnx').status == 0
    models = (tmp_path / 'run.onnx', tmp_path / 'run.onnx.onnx', run)
    assert len({script('generate', model, '--prefix', '分').out for model in models}) == 1
