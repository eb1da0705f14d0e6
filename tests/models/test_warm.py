"""Warming compiles what the commands will need."""
import json
import subprocess
import sys

import pytest

from gluon_rnn.models import warm

TRAIN = '''
import gc
import json
from numba.core.dispatcher import Dispatcher
from gluon_rnn import ModelConfig, TrainConfig, build_model, generate, load_corpus, train
from gluon_rnn.models.fill_in import FillIn, MaskedText
from gluon_rnn.training.trainer import Trainer
from gluon_rnn.models.warm import warm


def called():
    """The kernels called from Python so far, each with its kinds of arguments."""
    return {(kernel.__module__, kernel.__name__, str(kinds)) for kernel in gc.get_objects() if isinstance(kernel, Dispatcher)
            and kernel.__module__.startswith('gluon_rnn.kernels') for kinds in kernel.signatures}


warm()
warmed = called()
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
print(json.dumps([len(warmed), sorted(called() - warmed)]))
'''


def test_it_calls_the_kernels_as_they_are():
    """With what is compiled already."""
    warm.warm()


@pytest.mark.slow
def test_a_training_after_it_calls_no_kernel_of_another_kind():
    """Only what is called with arguments of a new kind is compiled."""
    ended = subprocess.run([sys.executable, '-c', TRAIN], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    warmed, more = json.loads(ended.stdout)
    assert warmed > 20 and not more
