"""Warming compiles what the commands will need, and it is no error where that cannot be kept."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gluon_rnn.models import warm

TRAIN = '''
from gluon_rnn import ModelConfig, TrainConfig, build_model, generate, load_corpus, train
from gluon_rnn.models.fill_in import FillIn, MaskedText
from gluon_rnn.training.trainer import Trainer
corpus = load_corpus('lyrics', max_chars=600)
for cell in ('rnn', 'gru', 'lstm'):
    for more in ({}, {'num_layers': 2, 'dropout': 0.5}, {'bidirectional': True, 'backward_hiddens': 3}):
        for optimizer in ('sgd', 'adam'):
            config = ModelConfig(cell=cell, impl='numba', num_hiddens=8, vocab_size=corpus.vocab_size, **more)
            how = TrainConfig(num_epochs=1, num_steps=5, batch_size=4, optimizer=optimizer, lr=0.1)
            model = build_model(config)
            train(model, corpus.indices, how, valid_indices=corpus.indices[:50])
            generate(model, corpus.idx_to_char, corpus.idx_to_char[0], 5)
            source = MaskedText(corpus.indices, how, corpus.vocab_size, 0.2)
            list(Trainer(FillIn.build(config), how).epochs_on(source))
'''


def run(*command, **variables):
    done = subprocess.run([sys.executable, *command], env={**os.environ, **variables}, cwd=Path(__file__).parents[2],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_it_calls_the_kernels_as_they_are():
    """With what is compiled already."""
    warm.warm()


@pytest.mark.slow
def test_a_training_after_it_compiles_next_to_nothing(tmp_path):
    first = run('-m', 'gluon_rnn.models.warm', NUMBA_CACHE_DIR=str(tmp_path))
    assert 'the kernels are compiled' in first.stdout and 'compiling the kernels' in first.stderr
    compiled = len(list(tmp_path.rglob('*.nbc')))
    run('-c', TRAIN, NUMBA_CACHE_DIR=str(tmp_path))
    assert len(list(tmp_path.rglob('*.nbc'))) < 1.1 * compiled


@pytest.mark.slow
def test_where_nothing_can_be_kept_it_is_no_error(tmp_path):
    (tmp_path / 'file').write_text('no folder')
    run('-m', 'gluon_rnn.models.warm', NUMBA_CACHE_DIR=str(tmp_path / 'file' / 'cache'))
