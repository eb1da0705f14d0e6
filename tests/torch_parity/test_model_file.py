"""Exported models, read in a process that has no MXNet and nothing of this project on its path."""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, build_model, generate
from gluon_rnn.torch_parity import modules
from gluon_rnn.torch_parity.model_file import export
from gluon_rnn.training.trainer import train

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = """import sys
class Block:
    def find_spec(self, name, *_):
        if name.partition('.')[0] in ('mxnet', 'gluon_rnn'):
            raise ImportError(f'{name} is blocked')
sys.meta_path.insert(0, Block())
"""


def trained(alphabet, **network):
    """A model that knows the alphabet."""
    gluon_rnn.seed(0)
    model = build_model(ModelConfig(vocab_size=alphabet.vocab_size, num_hiddens=24, **network))
    train(model, alphabet.indices, TrainConfig(num_epochs=25, num_steps=8, batch_size=4, lr=2e-2, optimizer='adam'))
    return model


def run_alone(code: str, folder: Path) -> str:
    """What a program prints that runs in `folder`, with MXNet and gluon_rnn blocked."""
    done = subprocess.run([sys.executable, '-W', 'error', '-I', '-c', f'{BLOCKED}sys.path.insert(0, "")\n{code}'], cwd=folder,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def snippets() -> list[str]:
    """The programs of docs/pytorch.md that are for a process without MXNet."""
    text = (ROOT / 'docs' / 'pytorch.md').read_text(encoding='utf-8')
    return [code for code in re.findall(r'```python\n(.*?)```', text, re.DOTALL) if 'model.pt' in code]


@pytest.mark.slow
@pytest.mark.parametrize('number, network', [(0, {'cell': 'gru', 'impl': 'hybrid'}), (1, {'cell': 'lstm', 'impl': 'gluon'})])
def test_the_programs_in_the_docs_write_what_mxnet_writes(alphabet, tmp_path, number, network):
    model = trained(alphabet, **network)
    export(model, alphabet.idx_to_char, tmp_path / 'model.pt')
    shutil.copy(ROOT / 'gluon_rnn' / 'torch_parity' / 'modules.py', tmp_path / 'gluon_rnn_torch.py')
    printed = run_alone(snippets()[number].replace('分开', 'def'), tmp_path)
    wanted = generate(model, alphabet.idx_to_char, 'def', 50)
    assert printed.strip() == wanted
    assert 'fghijklm' in wanted


def test_the_docs_hold_both_programs():
    assert len(snippets()) == 2 and all('分开' in code for code in snippets())


@pytest.mark.parametrize('layer', [None, True])
def test_the_file_holds_plain_types(tmp_path, layer):
    model = build_model(ModelConfig(vocab_size=4, cell='lstm', num_hiddens=3, num_layers=2))
    export(model, ['甲', '乙', ' ', '\n'], tmp_path / 'model.pt', layer=layer)
    saved = torch.load(tmp_path / 'model.pt', weights_only=True)
    assert set(saved) == {'format', 'settings', 'vocabulary', 'state_dict', 'sha256'}
    assert saved['vocabulary'] == '甲乙 \n'
    assert saved['settings']['cell'] == 'lstm' and saved['settings']['layer'] is bool(layer)
    assert ('rnn.weight_ih_l1' in saved['state_dict']) is bool(layer)
    twin, vocabulary = modules.load_model(tmp_path / 'model.pt')
    assert vocabulary == saved['vocabulary'] and not twin.training
    np.testing.assert_array_equal(gluon_rnn.torch_parity.from_torch(twin).book_params()['layer1.W_hf'],
                                  model.book_params()['layer1.W_hf'])


def test_wrong_vocabularies_and_files_are_refused(tmp_path):
    model = build_model(ModelConfig(vocab_size=4, num_hiddens=3))
    with pytest.raises(ValueError, match='must have 4 characters as the model, got 3'):
        export(model, 'abc', tmp_path / 'model.pt')
    with pytest.raises(ValueError, match='different networks'):
        export(model, 'abcd', tmp_path / 'model.pt', layer=True)
    assert not list(tmp_path.iterdir())
    torch.save({'state_dict': {}}, tmp_path / 'other.pt')
    with pytest.raises(ValueError, match=r'other.pt is no whole model that gluon_rnn has exported'):
        modules.load_model(tmp_path / 'other.pt')
