"""Everything that promises to run on a GPU, run on the pretend one. What is computed there is zeros: only the way is tested."""
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import counting
import mxnet as mx
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn import ModelConfig, TrainConfig, build_model
from gluon_rnn.models.classifier import Classifier, ClassifierConfig, classify
from gluon_rnn.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
SMALL = ('--max-chars', 400, '--num-hiddens', 8, '--num-steps', 5, '--batch-size', 8, '--length', 3, '--num-epochs', 1)
VARIANTS = {
    'plain': {}, 'deep': {'num_layers': 2}, 'bidirectional': {'bidirectional': True},
    'deep, bidirectional, dropout': {'num_layers': 2, 'bidirectional': True, 'dropout': 0.5},
    'two widths': {'bidirectional': True, 'backward_hiddens': 4},
}


def test_finds_the_cards():
    assert gluon_rnn.try_gpu() == mx.gpu(0)
    assert gluon_rnn.try_all_gpus() == [mx.gpu(0), mx.gpu(1)]


IMPLS = ['scratch', 'hybrid', 'gluon']


@pytest.mark.parametrize('cell, impl, sampling, variant', [
    *itertools.product(['rnn', 'gru', 'lstm'], IMPLS, ['random', 'consecutive'], ['plain']),
    *itertools.product(['lstm'], IMPLS, ['consecutive'], list(VARIANTS)[1:]),
    *itertools.product(['clockwork'], ['scratch', 'hybrid'], ['random', 'consecutive'], ['plain']),
])
def test_trains_scores_and_writes(cell, impl, sampling, variant, lyrics):
    model = build_model(ModelConfig(cell=cell, impl=impl, num_hiddens=8, vocab_size=lyrics.vocab_size,
            **VARIANTS[variant]), mx.gpu(0))
    config = TrainConfig(sampling=sampling, num_epochs=2, num_steps=5, batch_size=4,
            optimizer='adam' if variant == 'deep' else 'sgd')
    records = gluon_rnn.train(model, lyrics.indices, config, valid_indices=lyrics.indices[:100])
    assert list(records) == [1, 2] and records[2].valid_perplexity is not None
    assert {array.context for array in model.parameters().values()} == {mx.gpu(0)}
    assert len(gluon_rnn.generate(model, lyrics.idx_to_char, lyrics.idx_to_char[0], 5)) == 6


@pytest.mark.parametrize('config', [{'cell': 'rnn', 'activation': 'relu'}, {'cell': 'gru', 'reset_after': True}], ids=str)
@pytest.mark.parametrize('impl', IMPLS)
def test_trains_the_other_equations_on_the_second_card(impl, config, lyrics):
    model = build_model(ModelConfig(impl=impl, num_hiddens=8, vocab_size=lyrics.vocab_size, **config), mx.gpu(1))
    gluon_rnn.train(model, lyrics.indices, TrainConfig(num_epochs=1, num_steps=5, batch_size=4))
    assert {array.context for array in model.parameters().values()} == {mx.gpu(1)}


@pytest.mark.parametrize('impl', IMPLS)
def test_rows_of_unequal_length(impl):
    model = build_model(ModelConfig(cell='lstm', impl=impl, num_hiddens=8, vocab_size=10, bidirectional=True), mx.gpu(0))
    with mx.autograd.record():
        logits, _ = model(mx.nd.zeros((3, 4), ctx=mx.gpu(0)), model.begin_state(3), lengths=[4, 2, 1])
    logits.backward()
    assert logits.shape == (12, 10) and logits.asnumpy().shape == (12, 10)


@pytest.mark.parametrize('source, target', list(itertools.permutations(IMPLS, 2)))
def test_weights_are_carried_between_implementations_and_devices(source, target):
    config = {'cell': 'gru', 'num_hiddens': 4, 'vocab_size': 5}
    first = build_model(ModelConfig(impl=source, reset_after=True, **config), mx.cpu())
    there = build_model(ModelConfig(impl=target, reset_after=True, **config), mx.gpu(0))
    back = build_model(ModelConfig(impl=source, reset_after=True, **config), mx.cpu())
    gluon_rnn.copy_params(first, there)
    gluon_rnn.copy_params(there, back)
    for name, value in first.parameters().items():
        np.testing.assert_array_equal(value.asnumpy(), back.parameters()[name].asnumpy())


def test_counts_are_those_of_the_document():
    for name, table in counting.tables().items():
        assert table == counting.documented(name)


def test_a_step_reads_one_figure_and_allocates_nothing_after_the_first_epoch():
    found = dict(zip(counting.ROWS, counting.in_order()))
    assert {row: (cost['to_host'], cost['allocation']) for row, cost in found.items()} == dict.fromkeys(counting.ROWS, (1, 0))


@pytest.mark.parametrize('cell, impl, sampling', [
    *itertools.product(['rnn', 'gru', 'lstm'], IMPLS, ['random', 'consecutive']),
])
def test_where_the_host_runs_ahead_it_reads_one_figure_a_step_and_soon_allocates_nothing(cell, impl, sampling):
    trainer = Trainer(build_model(ModelConfig(cell=cell, impl=impl, num_hiddens=16, vocab_size=50), mx.gpu(0)),
                      TrainConfig(num_epochs=12, num_steps=5, batch_size=4, sampling=sampling))
    costs, before = [], counting.counts()
    for _ in trainer.epochs(np.arange(404) % 50):
        now = counting.counts()
        costs.append(counting.of_kind(now - before))
        before = now
    assert [cost['to_host'] for cost in costs] == [20] * 12
    # how far the host runs ahead, and so how much is in use at once, is chance: some epochs ask for more than the first
    assert any(not cost.get('allocation') for cost in costs[1:])


@pytest.mark.parametrize('kvstore', ['device', 'local'])
def test_two_cards_share_each_batch(script, tmp_path, kvstore):
    ended = script('train', '--ctx', 'gpu(0),gpu(1)', '--kvstore', kvstore, '--impl', 'hybrid', *SMALL, '--out', tmp_path / 'run')
    assert ended.status == 0, ended.err


def test_checkpoint_goes_to_the_card_and_back(script, tmp_path):
    """No weight is trained on the pretend card, so those of the CPU's epoch must come back as they were."""
    run, kept = tmp_path / 'run', []
    for epochs, ctx in enumerate(('cpu', 'gpu', 'cpu'), 1):
        if epochs == 3:         # the CPU would go on training: only look
            kept.append(weights(run))
        resume = ['--resume'] if epochs > 1 else []
        ended = script('train', *SMALL, '--num-epochs', epochs, '--ctx', ctx, '--out', run, *resume)
        assert ended.status == 0, ended.err
        kept.append(weights(run))
    first, there, looked, after = kept
    for name in first:
        np.testing.assert_array_equal(first[name], there[name])
        np.testing.assert_array_equal(first[name], looked[name])
    assert any((first[name] != after[name]).any() for name in first)
    assert script('generate', run, '--prefix', '想', '--length', 3, '--ctx', 'gpu').status == 0


def weights(run):
    with np.load(run / 'checkpoint.npz') as saved:
        return {name: saved[name] for name in saved.files if name.startswith('params/')}


def test_auto_takes_the_card(script, tmp_path):
    before = counting.of_kind(counting.counts())
    assert script('train', *SMALL, '--out', tmp_path / 'run').status == 0
    assert counting.of_kind(counting.counts())['kernel'] > before.get('kernel', 0) + 100


@pytest.mark.parametrize('flags, impl', [(('--cell', 'lstm'), 'gluon'), (('--cell', 'gru'), 'hybrid'),
                                         (('--cell', 'gru', '--reset-after'), 'gluon'), (('--cell', 'clockwork'), 'hybrid'),
                                         (('--cell', 'lstm', '--ctx', 'gpu(0),gpu(1)'), 'gluon')])
def test_who_asks_for_no_implementation_gets_cudnn_where_it_has_the_equations(script, tmp_path, flags, impl):
    ended = script('train', '--ctx', 'gpu', *flags, *SMALL, '--out', tmp_path / 'run')
    assert ended.status == 0, ended.err
    assert json.loads((tmp_path / 'run' / 'config.json').read_text(encoding='utf-8'))['impl'] == impl


def test_the_kernels_are_refused_in_one_line(script, tmp_path):
    ended = script('train', '--ctx', 'gpu', '--impl', 'numba', *SMALL, '--out', tmp_path / 'run')
    assert ended.status == 2 and ended.err.count('\n') == 1 and 'use gluon or hybrid' in ended.err


def test_a_card_that_is_not_there(script, tmp_path):
    ended = script('train', '--ctx', 'gpu(5)', *SMALL, '--out', tmp_path / 'run')
    assert ended.status == 2 and len(ended.err.splitlines()) == 1 and 'sees 2 GPUs' in ended.err


@pytest.mark.parametrize('capability', ['9.0', '12.0'])
def test_a_card_that_is_too_new(script, tmp_path, monkeypatch, capability):
    smi = tmp_path / 'nvidia-smi'
    smi.write_text(f'#!/bin/sh\necho "Pretend GPU, GPU-0, 550.54.15, {capability}"\n')
    smi.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
    ended = script('train', '--ctx', 'gpu', *SMALL, '--out', tmp_path / 'run')
    assert ended.status == 2 and len(ended.err.splitlines()) == 1 and f'capability {capability}) is newer than' in ended.err


def test_classifier():
    config = ClassifierConfig(cell='lstm', impl='gluon', num_layers=2, num_hiddens=8, num_inputs=8, num_classes=10)
    model = Classifier.build(config, mx.gpu(0))
    with mx.autograd.record():
        logits, _ = model(mx.nd.zeros((4, 8, 8), ctx=mx.gpu(0)), model.begin_state(4))
    logits.backward()
    assert classify(model, np.zeros((20, 8, 8), dtype=np.float32), batch_size=7).shape == (20,)


def test_fill_in(tmp_path):
    """In a process of its own: what other tests left in the card's memory would be read as indices, as no kernel writes them."""
    done = run('scripts/fill_in.py', 'train', '--ctx', 'gpu', '--max-chars', 2000, '--num-hiddens', 8, '--num-epochs', 1,
               '--no-compare', '--out', tmp_path / 'fill')
    assert done.returncode == 0, done.stderr


def test_names_of_the_book(lyrics):
    from gluon_rnn import d2lzh as d2l
    ctx = d2l.try_gpu()
    assert ctx == mx.gpu(0)
    model = d2l.RNNModel(mx.gluon.rnn.LSTM(8), lyrics.vocab_size)
    model.initialize(force_reinit=True, ctx=ctx)
    d2l.train_and_predict_rnn_gluon(model, 8, lyrics.vocab_size, ctx, lyrics.indices, lyrics.idx_to_char, lyrics.char_to_idx,
                                    1, 5, 1e2, 1e-2, 4, 1, 3, [lyrics.idx_to_char[0]])


def run(*command, **variables):
    return subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, env={**os.environ, **variables}, capture_output=True,
                          text=True)


def test_two_workers(tmp_path):
    done = run('scripts/launch.py', '-n', 2, '--', sys.executable, 'scripts/train.py', '--ctx', 'gpu', *SMALL, '--out',
            tmp_path / 'run')
    assert done.returncode == 0, done.stderr


def test_out_of_memory_keeps_the_last_checkpoint(tmp_path):
    train = ['scripts/train.py', '--ctx', 'gpu', *SMALL, '--out', tmp_path / 'run']
    assert run(*train).returncode == 0
    saved = (tmp_path / 'run' / 'checkpoint.npz').read_bytes()
    done = run(*train, '--num-epochs', 3, '--resume', PRETEND_ALLOCATIONS='60')
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1 and 'out of memory' in done.stderr, done.stderr
    assert (tmp_path / 'run' / 'checkpoint.npz').read_bytes() == saved
